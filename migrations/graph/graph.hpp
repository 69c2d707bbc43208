// The revision graph, with Alembic's semantics to the letter.
//
// Two kinds of edges: down_revision (the version lines) and depends_on (order only). `heads` are revisions no other names as
// down_revision; `effective_heads` also drop those something depends on. Labels share the id namespace and spread to
// descendants, and to ancestors along a line that does not branch. Load order decides every tie.
//
// A walk turns (operation, rows of the version table, target) into steps; each step carries the operations on the version
// table's rows and the rows after it, so whoever executes a step needs no graph.
//
// build() proves the graph sound (no missing parent, no duplicate, no cycle through either kind of edge) in linear time, so
// that no later walk can loop. Alembic goes on after a duplicate id: the file it loads last speaks for the id. Which of two
// files is meant nobody can know, so whatever touches a database refuses; Duplicates::KeepLast is for looking on only. Threads:
// immutable after build; share freely.
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
  Direction direction = Direction::Upgrade;  // for a stamp walk: Upgrade or Downgrade of the rows, without running anything
  std::optional<std::string> revision;       // empty for a stamp
  std::vector<std::string> from;             // rows this step replaces, sorted
  std::vector<std::string> to;               // rows it leaves instead, sorted
  std::vector<std::string> heads;            // all rows of the version table after the step, sorted
  std::vector<RowOperation> operations;
};

struct Walk {
  std::vector<WalkStep> steps;
  std::vector<std::string> warnings;
};

// What build() makes of two files with the same id.
enum class Duplicates : std::uint8_t { Refuse, KeepLast };

class RevisionGraph {
 public:
  // `revisions` in load order. Errors name both files where two are involved.
  [[nodiscard]] static Result<RevisionGraph> build(std::vector<Revision> revisions, Duplicates duplicates = Duplicates::Refuse);
  ~RevisionGraph();
  RevisionGraph(RevisionGraph&&) noexcept;
  RevisionGraph& operator=(RevisionGraph&&) noexcept;

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] const std::vector<Revision>& revisions() const;  // load order
  // What build() let pass with Duplicates::KeepLast, one sentence each; empty otherwise.
  [[nodiscard]] const std::vector<std::string>& warnings() const;
  // Exact id only; nullptr when there is none.
  [[nodiscard]] const Revision* find(std::string_view id) const;

  // Summaries; orders are Alembic's.
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
  [[nodiscard]] std::vector<std::string> children(std::string_view id) const;       // nextrev, load order
  [[nodiscard]] std::vector<std::string> branch_labels(std::string_view id) const;  // inherited ones included, sorted
  [[nodiscard]] std::vector<std::string> dependencies(std::string_view id) const;   // resolved to ids

  // Walks. `current` are the heads the database is at, rows of its version table, in any order.
  [[nodiscard]] Result<Walk> upgrade(const std::vector<std::string>& current, std::string_view target) const;
  [[nodiscard]] Result<Walk> downgrade(const std::vector<std::string>& current, std::string_view target) const;
  [[nodiscard]] Result<Walk> stamp(const std::vector<std::string>& current, const std::vector<std::string>& targets) const;
  // An offline range: the walk of `upgrade a:b` and `downgrade a:b` (with --sql), from the heads that `a` means.
  // Returns the start heads and the walk.
  [[nodiscard]] Result<std::pair<std::vector<std::string>, Walk>> offline(Direction direction, std::string_view range) const;

  // Revisions a symbol means, with Alembic's get_revisions(): id, unique prefix, label, head, heads, base, label@head, …;
  // "current" needs the current heads. Ids in Alembic's order.
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
