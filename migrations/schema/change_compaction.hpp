// Shortens an ordered list of actions without changing its effect. Parts that are dropped with their whole need no DROP,
// columns and constraints move into CREATE TABLE, and neighbouring subcommands of one table share one ALTER TABLE.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "migrations/schema/ordering.hpp"

namespace athanor::schema {

// Returns the statements in order. Moves them out of `actions`.
[[nodiscard]] std::vector<Statement> compact(std::deque<Action>& actions, const ActionOrder& order);

}  // namespace athanor::schema
