// The position of a database relative to a target: behind it, at it, or ahead; and whether its heads are in this graph.
//
// A database is ahead when a child of the target is applied. Only version lines count: dependencies order the work, but do not
// make a database newer than its target. An upgrade to a target that the database is ahead of has no steps, which is different
// from having reached it.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/walk.hpp"

namespace athanor {

// The current heads that are in no file, in the given order; empty when all are known. A database with unknown heads cannot be
// migrated: it belongs to other files, or to a later state of these. The commands and the reconciler all call this and word the
// message themselves.
[[nodiscard]] std::vector<std::string> unknown_heads(const RevisionGraph& graph, const std::vector<std::string>& current_heads);

// Rows that contradict each other: a row that another one includes as an ancestor, or a duplicate. A walk from such rows cannot
// be what the user wants: a downgrade would undo revisions of a row that remains.
struct OverlappingRow {
  std::string row;
  std::string included_by;  // equal to `row`: a duplicate
};
[[nodiscard]] std::vector<OverlappingRow> overlapping_rows(const RevisionGraph& graph,
                                                           const std::vector<std::string>& current_heads);
// Error: OverlappingHeads, with the rows and what to do. Rows that are in no file are ignored; call unknown_heads() first.
[[nodiscard]] Result<void> refuse_overlapping_rows(const RevisionGraph& graph, const std::vector<std::string>& current_heads);
// Error: OverlappingHeads, when one of several targets of a stamp includes or repeats another one, in whatever order they are
// named. A target that does not resolve is left to the walk.
[[nodiscard]] Result<void> refuse_overlapping_targets(const RevisionGraph& graph, const std::vector<std::string>& targets,
                                                      const std::vector<std::string>& current_heads);

struct TargetPosition {
  std::vector<std::string> resolved;  // ids that the target denotes; empty for base
  std::vector<std::string> applied;   // every applied revision, in Alembic's order
  bool ahead = false;
  bool reached = false;  // every revision that the target denotes is applied
};

// `target` as the user typed it. Errors: UnknownRevision and similar codes for the target; UnknownDatabaseRevision for a head.
[[nodiscard]] Result<TargetPosition> locate_target(const RevisionGraph& graph, const std::string& target,
                                                   const std::vector<std::string>& current_heads);

// For an operation without steps: whether the reason is that the database is ahead of the target. Only true for an upgrade to a
// single target; false when the target cannot be located.
[[nodiscard]] bool is_ahead(const RevisionGraph& graph, Direction operation, const std::vector<std::string>& targets,
                            const std::vector<std::string>& current_heads);

}  // namespace athanor
