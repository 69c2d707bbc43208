// Makes an ordered list of actions shorter without changing what it does: parts that end with their whole say nothing, columns
// and constraints stand in CREATE TABLE, neighbouring subcommands of one table share an ALTER TABLE.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "migrations/schema/ordering.hpp"

namespace athanor::schema {

// The statements in order. `actions` loses the statements that are not needed.
[[nodiscard]] std::vector<Statement> compact(const ChangeSet& changes, std::deque<Action>& actions, const ActionOrder& order);

}  // namespace athanor::schema
