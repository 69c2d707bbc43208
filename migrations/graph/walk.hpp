// Walks: what an upgrade, a downgrade or a stamp does, step by step, with exactly Alembic's semantics.
//
// A walk turns (operation, current heads, target) into steps. Each step contains the operations on the version table's rows and
// the heads after it, so executing a step does not need the graph.
//
// `current` are the database's current heads, in any order. Errors: UnknownDatabaseRevision for a head that is in no file;
// UnknownRevision, AmbiguousPrefix, InvalidTarget and similar codes for the target; VersionRowMismatch when the rows contradict
// the graph. A walk without steps means that there is nothing to do.
//
// Threads: functions over the immutable graph.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor {

enum class Direction : std::uint8_t { Upgrade, Downgrade, Stamp };
[[nodiscard]] std::string_view direction_name(Direction direction);  // "upgrade", "downgrade", "stamp"

// One change to the version table: insert `to`, delete `from`, or update `from` to `to`.
struct RowOperation {
  enum class Kind : std::uint8_t { Insert, Delete, Update };
  Kind kind;
  std::string from;
  std::string to;
  bool operator==(const RowOperation&) const = default;
};

struct WalkStep {
  Direction direction = Direction::Upgrade;  // for a stamp: whether the row moves up or down
  std::optional<std::string> revision;       // empty for a stamp
  std::vector<std::string> from;             // heads that this step replaces, sorted
  std::vector<std::string> to;               // heads that replace them, sorted
  std::vector<std::string> heads;            // all current heads after the step, sorted
  std::vector<RowOperation> operations;
};

struct Walk {
  std::vector<WalkStep> steps;
  std::vector<std::string> warnings;
};

// The revisions that `target` needs and that are not applied, oldest first.
[[nodiscard]] Result<Walk> upgrade_walk(const RevisionGraph& graph, const std::vector<std::string>& current,
                                        std::string_view target);
// The applied revisions above `target`, newest first.
[[nodiscard]] Result<Walk> downgrade_walk(const RevisionGraph& graph, const std::vector<std::string>& current,
                                          std::string_view target);
// Moves the rows to `targets` without running a revision; no target means base.
[[nodiscard]] Result<Walk> stamp_walk(const RevisionGraph& graph, const std::vector<std::string>& current,
                                      const std::vector<std::string>& targets);
// The walk of `upgrade a:b` or `downgrade a:b` (with --sql). Returns the heads that `a` denotes, and the walk.
[[nodiscard]] Result<std::pair<std::vector<std::string>, Walk>> offline_walk(const RevisionGraph& graph, Direction direction,
                                                                             std::string_view range);

}  // namespace athanor
