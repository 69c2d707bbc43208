// The revision graph, with Alembic's semantics to the letter.
//
// Two kinds of edges: down_revision (the version lines) and depends_on (order only). `heads` are revisions no other names as
// down_revision; `effective_heads` also drop those something depends on. Labels share the id namespace and spread to
// descendants, and to ancestors along a line that does not branch. Load order decides every tie.
//
// A walk turns (operation, current heads, target) into steps. Each step carries the operations on the version table's rows and
// the heads after it, so executing a step needs no graph.
//
// Threads: immutable after build(); share freely. Ownership: owns the revisions; references and pointers that it returns live
// as long as the graph.
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

// One change of the version table: insert `to`, delete `from`, or update `from` to `to`.
struct RowOperation {
  enum class Kind : std::uint8_t { Insert, Delete, Update };
  Kind kind;
  std::string from;
  std::string to;
  bool operator==(const RowOperation&) const = default;
};

struct WalkStep {
  Direction direction = Direction::Upgrade;  // of a stamp, too: whether the row moves up or down
  std::optional<std::string> revision;       // empty for a stamp
  std::vector<std::string> from;             // heads this step replaces, sorted
  std::vector<std::string> to;               // heads it leaves instead, sorted
  std::vector<std::string> heads;            // all current heads after the step, sorted
  std::vector<RowOperation> operations;
};

struct Walk {
  std::vector<WalkStep> steps;
  std::vector<std::string> warnings;
};

// What build() does about two files with the same id. Alembic warns and lets the file it loads last own the id. Nobody can know
// which file is meant, so every command that touches a database refuses; KeepLast is for commands that only show files.
enum class Duplicates : std::uint8_t { Refuse, KeepLast };

class RevisionGraph {
 public:
  // `revisions` in load order. Proves in linear time that no parent is missing, no id occurs twice and no cycle runs through
  // either kind of edge, so that no later walk can loop. Errors name both files where two are involved.
  [[nodiscard]] static Result<RevisionGraph> build(std::vector<Revision> revisions, Duplicates duplicates = Duplicates::Refuse);
  ~RevisionGraph();
  RevisionGraph(RevisionGraph&&) noexcept;
  RevisionGraph& operator=(RevisionGraph&&) noexcept;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const std::vector<Revision>& revisions() const;  // load order
  // One sentence for each duplicate that Duplicates::KeepLast accepted; empty otherwise.
  [[nodiscard]] const std::vector<std::string>& warnings() const;
  // Exact id only; nullptr when there is none.
  [[nodiscard]] const Revision* find(std::string_view id) const;

  // Summaries, in Alembic's orders. A question about an id that is not in the graph is answered with false or nothing.
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
  [[nodiscard]] std::vector<std::string> branch_labels(std::string_view id) const;  // inherited ones included, sorted
  [[nodiscard]] std::vector<std::string> dependencies(std::string_view id) const;   // resolved to ids

  // Walks. `current` are the database's current heads, in any order. A head that is in no file is UnknownDatabaseRevision; a
  // target that means nothing, too much or a range is UnknownRevision, AmbiguousPrefix, InvalidTarget and their kin. Rows
  // that contradict the graph are VersionRowMismatch. A walk without steps means there is nothing to do.
  [[nodiscard]] Result<Walk> upgrade(const std::vector<std::string>& current, std::string_view target) const;
  [[nodiscard]] Result<Walk> downgrade(const std::vector<std::string>& current, std::string_view target) const;
  [[nodiscard]] Result<Walk> stamp(const std::vector<std::string>& current, const std::vector<std::string>& targets) const;
  // The walk of `upgrade a:b` and `downgrade a:b` (with --sql), from the heads that `a` means.
  // Returns the start heads and the walk.
  [[nodiscard]] Result<std::pair<std::vector<std::string>, Walk>> offline(Direction direction, std::string_view range) const;

  // Revisions a symbol means, with Alembic's get_revisions(): id, unique prefix, label, head, heads, base, label@head, …;
  // "current" means `current`. Ids in Alembic's order; empty for base.
  [[nodiscard]] Result<std::vector<std::string>> resolve(std::string_view symbol,
                                                         const std::vector<std::string>& current = {}) const;
  // history -r a:b: ids newest first; empty text for an open end.
  [[nodiscard]] Result<std::vector<std::string>> history_range(std::string_view base, std::string_view head,
                                                               const std::vector<std::string>& current = {}) const;
  // The revisions `current` and everything below them, dependencies included: what is applied in a database at these heads.
  [[nodiscard]] Result<std::vector<std::string>> applied(const std::vector<std::string>& current) const;

 private:
  struct Impl;
  explicit RevisionGraph(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor
