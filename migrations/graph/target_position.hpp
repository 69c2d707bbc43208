// Where a database stands towards a target: behind it, at it, or ahead.
//
// Ahead is a question of version lines: a child of a target is applied. Dependencies order work, they do not make a database
// newer than its target. An upgrade to a target that the database is ahead of has nothing to do, and that is not to have
// reached it.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor {

struct TargetPosition {
  std::vector<std::string> resolved;  // ids that the target means; none: base
  std::vector<std::string> applied;
  bool ahead = false;
  bool reached = false;  // every target is applied
};

// `current_heads` are the rows of the version table.
[[nodiscard]] Result<TargetPosition> locate_target(const RevisionGraph& graph, const std::string& target,
                                                   const std::vector<std::string>& current_heads);

// Whether an operation that has nothing to do has nothing to do because of that. Only an upgrade to one target asks.
[[nodiscard]] bool is_ahead(const RevisionGraph& graph, Direction operation, const std::vector<std::string>& targets,
                            const std::vector<std::string>& current_heads);

}  // namespace athanor
