// The order of actions: one graph, one deterministic sort.
//
// What goes is ordered by the old catalog's dependencies, what comes by the new one's, and a name is free before it is taken.
// Among actions that may run now, the phase decides, then the kind of object, then the order in which rules made them.
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
  std::vector<std::vector<std::uint32_t>> before{};  // by number: the actions that it must come after
  std::vector<std::vector<std::uint32_t>> then{};    // and those that must come after it
  std::vector<bool> body_ahead{};                    // its body names something that comes later
};

// Fails with Internal, naming the members, when they wait for each other: a rule is wrong then.
[[nodiscard]] Result<ActionOrder> order_actions(const ChangeSet& changes, const std::deque<Action>& actions);

}  // namespace athanor::schema
