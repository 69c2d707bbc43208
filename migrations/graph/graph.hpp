// The revision graph, with exactly Alembic's semantics.
//
// There are two kinds of edges: down_revision (the version lines) and depends_on (order only). `heads` are revisions that no
// other names as down_revision; `effective_heads` also exclude those that another depends on. Labels share the namespace of
// ids. A label applies to all descendants, and to ancestors along a line without branches. Load order decides all ties.
//
// walk.hpp turns (operation, current heads, target) into steps; history.hpp lists revisions for people.
//
// Threads: immutable after build(); share freely. Ownership: owns the revisions; references and pointers that it returns are
// valid as long as the graph exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// What build() does with two files of the same id. Alembic warns and uses the file it loads last. Nobody can know which file is
// meant, so every command that accesses a database refuses; KeepLast is for commands that only list files.
enum class Duplicates : std::uint8_t { Refuse, KeepLast };

struct GraphData;

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
  [[nodiscard]] std::vector<std::string> children(std::string_view id) const;       // by down_revision, load order
  [[nodiscard]] std::vector<std::string> branch_labels(std::string_view id) const;  // including inherited ones, sorted
  [[nodiscard]] std::vector<std::string> dependencies(std::string_view id) const;   // resolved to ids

  // The ids that a symbol denotes, like Alembic's get_revisions(): id, unique prefix, label, head, heads, base, label@head, …;
  // "current" denotes `current`. In Alembic's order; empty for base.
  [[nodiscard]] Result<std::vector<std::string>> resolve(std::string_view symbol,
                                                         const std::vector<std::string>& current = {}) const;
  // `current` and all their ancestors, dependencies included: everything that is applied in a database with these heads.
  [[nodiscard]] Result<std::vector<std::string>> applied(const std::vector<std::string>& current) const;

  // The indexed form, for the functions of this room.
  [[nodiscard]] const GraphData& data() const { return *data_; }

 private:
  explicit RevisionGraph(std::unique_ptr<const GraphData> data);
  std::unique_ptr<const GraphData> data_;
};

}  // namespace athanor
