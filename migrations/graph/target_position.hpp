// Where a database is relative to a target: behind it, at it, or ahead; and whether it is anywhere in this graph at all.
//
// A database is ahead when a child of the target is applied. Only version lines count: dependencies order work, they do not
// make a database newer than its target. An upgrade to a target that the database is ahead of has nothing to do, which is not
// the same as having reached it.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor {

// The current heads that no file of the graph has, in the order given; empty when all are known. A database with unknown heads
// cannot be migrated: it belongs to other files, or to a later state of these. Every command and the reconciler ask here, and
// each says it in its own words.
[[nodiscard]] std::vector<std::string> unknown_heads(const RevisionGraph& graph, const std::vector<std::string>& current_heads);

// Rows that contradict each other: one that another one includes, being its ancestor, and one that is there more than once.
// No walk from such rows is what anybody means: going down would undo revisions of a row that stays.
struct OverlappingRow {
  std::string row;
  std::string included_by;  // the same as `row`: it is there more than once
};
[[nodiscard]] std::vector<OverlappingRow> overlapping_rows(const RevisionGraph& graph,
                                                           const std::vector<std::string>& current_heads);
// OverlappingHeads names the rows and the way out. Rows that are in no file overlap nothing; ask unknown_heads() first.
[[nodiscard]] Result<void> refuse_overlapping_rows(const RevisionGraph& graph, const std::vector<std::string>& current_heads);

struct TargetPosition {
  std::vector<std::string> resolved;  // ids that the target means; empty for base
  std::vector<std::string> applied;   // every revision that is applied, in Alembic's order
  bool ahead = false;
  bool reached = false;  // every revision that the target means is applied
};

// `target` as a user writes it. Errors: UnknownRevision and its kin for the target, UnknownDatabaseRevision for a head.
[[nodiscard]] Result<TargetPosition> locate_target(const RevisionGraph& graph, const std::string& target,
                                                   const std::vector<std::string>& current_heads);

// For an operation without steps: whether that is because the database is ahead of the target. Only an upgrade to one target
// can be; false as well when the target cannot be located.
[[nodiscard]] bool is_ahead(const RevisionGraph& graph, Direction operation, const std::vector<std::string>& targets,
                            const std::vector<std::string>& current_heads);

}  // namespace athanor
