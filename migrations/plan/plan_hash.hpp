// The hash that names a plan: two people who reviewed the same hash reviewed the same change.
//
// Threads: pure function.
#pragma once

#include <string>

#include "migrations/plan/plan.hpp"

namespace athanor {

// SHA-256 over operation, start heads, and each step's direction, id, row operations and body checksum; not over the target as
// it was typed, paths, messages or warnings. The text it hashes is frozen: approvals outlive releases.
[[nodiscard]] std::string plan_hash(const Plan& plan);

}  // namespace athanor
