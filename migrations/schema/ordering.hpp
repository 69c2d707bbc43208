// Orders actions: builds one dependency graph and sorts it deterministically.
//
// Drops follow the dependencies of the old catalog, creates those of the new one, and a name is freed before it is used again.
// Among runnable actions the phase decides, then the kind of object, then the order in which the rules added them.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/action.hpp"

namespace athanor::schema {

struct ActionOrder {
  std::vector<std::uint32_t> sequence{};             // numbers of actions, first to last
  std::vector<std::vector<std::uint32_t>> before{};  // by number: the actions that must come before it
  std::vector<std::vector<std::uint32_t>> then{};    // and the actions that must come after it
  std::vector<bool> body_ahead{};                    // its body names an object that is created later
};

// Error: Internal if actions wait for each other, naming them: this is always a bug in a rule.
[[nodiscard]] Result<ActionOrder> order_actions(const ChangeSet& changes, const std::deque<Action>& actions);

}  // namespace athanor::schema
