// Summarises a plan: one line per object.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// Parts of an object that is created or dropped as a whole have no line of their own. Sorted by object.
[[nodiscard]] std::vector<SummaryLine> summarize(const ChangeSet& changes);

}  // namespace athanor::schema
