// What a plan does, in one line an object.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// Parts of what comes or goes as a whole have no line of their own. Sorted by object.
[[nodiscard]] std::vector<SummaryLine> summarize(const ChangeSet& changes);

}  // namespace athanor::schema
