// The hash that identifies a plan: whoever reviewed the same hash reviewed the same change.
//
// Threads: pure function.
#pragma once

#include <string>

#include "migrations/plan/plan.hpp"

namespace athanor {

// SHA-256 over operation, start heads, and each step's direction, id, row operations and file checksum; not over the target as
// typed, paths, messages or warnings. The format of the hashed text must never change: approvals outlive releases.
[[nodiscard]] std::string plan_hash(const Plan& plan);

}  // namespace athanor
