// The revision graph, with exactly Alembic's semantics.
//
// There are two kinds of edges: down_revision (the version lines) and depends_on (order only). `heads` are revisions that no
// other names as down_revision; `effective_heads` also exclude those that another depends on. Labels share the namespace of
// ids. A label applies to all descendants, and to ancestors along a line without branches. Load order decides all ties.
//
// A walk turns (operation, current heads, target) into steps. Each step contains the operations on the version table's rows and
// the heads after it, so executing a step does not need the graph.
//
// Threads: immutable after build(); share freely. Ownership: owns the revisions; references and pointers that it returns are
// valid as long as the graph exists.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"

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

// What build() does with two files of the same id. Alembic warns and uses the file it loads last. Nobody can know which file is
// meant, so every command that accesses a database refuses; KeepLast is for commands that only list files.
enum class Duplicates : std::uint8_t { Refuse, KeepLast };

class RevisionGraph {
 public:
  // `revisions` are in load order. Proves in linear time that no parent is missing, no id is duplicated and neither kind of
  // edge forms a cycle, so later walks always end. Errors name both files when two are involved.
  [[nodiscard]] static Result<RevisionGraph> build(std::vector<Revision> revisions, Duplicates duplicates = Duplicates::Refuse);
  ~RevisionGraph();
  RevisionGraph(RevisionGraph&&) noexcept;
  RevisionGraph& operator=(RevisionGraph&&) noexcept;

  // The number of revisions, counting a duplicated id once.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const std::vector<Revision>& revisions() const;  // load order
  // One sentence per duplicate accepted by Duplicates::KeepLast; empty otherwise.
  [[nodiscard]] const std::vector<std::string>& warnings() const;
  // Looks up an exact id; nullptr when it does not exist.
  [[nodiscard]] const Revision* find(std::string_view id) const;

  // Summaries, in Alembic's order. For an unknown id they return false or nothing.
  [[nodiscard]] std::vector<std::string> heads() const;
  [[nodiscard]] std::vector<std::string> effective_heads() const;
  [[nodiscard]] std::vector<std::string> bases() const;
  [[nodiscard]] std::vector<std::string> branch_points() const;
  [[nodiscard]] std::vector<std::string> merge_points() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<std::string>>> labels() const;  // load order; labels sorted
  [[nodiscard]] std::vector<std::string> history() const;  // newest first, as walk_revisions()
  [[nodiscard]] bool is_branch_point(std::string_view id) const;
  [[nodiscard]] bool is_merge_point(std::string_view id) const;
  [[nodiscard]] bool is_head(std::string_view id) const;
  [[nodiscard]] std::vector<std::string> children(std::string_view id) const;       // by down_revision, load order
  [[nodiscard]] std::vector<std::string> branch_labels(std::string_view id) const;  // including inherited ones, sorted
  [[nodiscard]] std::vector<std::string> dependencies(std::string_view id) const;   // resolved to ids

  // Walks. `current` are the database's current heads, in any order. Errors: UnknownDatabaseRevision for a head that is in no
  // file; UnknownRevision, AmbiguousPrefix, InvalidTarget and similar codes for the target; VersionRowMismatch when the rows
  // contradict the graph. A walk without steps means that there is nothing to do.
  // The revisions that `target` needs and that are not applied, oldest first.
  [[nodiscard]] Result<Walk> upgrade(const std::vector<std::string>& current, std::string_view target) const;
  // The applied revisions above `target`, newest first.
  [[nodiscard]] Result<Walk> downgrade(const std::vector<std::string>& current, std::string_view target) const;
  // Moves the rows to `targets` without running a revision; no target means base.
  [[nodiscard]] Result<Walk> stamp(const std::vector<std::string>& current, const std::vector<std::string>& targets) const;
  // The walk of `upgrade a:b` or `downgrade a:b` (with --sql). Returns the heads that `a` denotes, and the walk.
  [[nodiscard]] Result<std::pair<std::vector<std::string>, Walk>> offline(Direction direction, std::string_view range) const;

  // The ids that a symbol denotes, like Alembic's get_revisions(): id, unique prefix, label, head, heads, base, label@head, …;
  // "current" denotes `current`. In Alembic's order; empty for base.
  [[nodiscard]] Result<std::vector<std::string>> resolve(std::string_view symbol,
                                                         const std::vector<std::string>& current = {}) const;
  // `history -r a:b`: ids, newest first; an empty text means an open end.
  [[nodiscard]] Result<std::vector<std::string>> history_range(std::string_view base, std::string_view head,
                                                               const std::vector<std::string>& current = {}) const;
  // `current` and all their ancestors, dependencies included: everything that is applied in a database with these heads.
  [[nodiscard]] Result<std::vector<std::string>> applied(const std::vector<std::string>& current) const;

 private:
  struct Impl;
  explicit RevisionGraph(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor
