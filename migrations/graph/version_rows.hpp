// The rows of the version table during a walk: which row each step inserts, deletes or updates, following Alembic's rules.
//
// A row covers its revision and all ancestors. At every step the rules depend on what the other rows cover, so covered
// revisions are marked and each counts its covered children. Most steps then take constant time; only steps next to a branch or
// merge need a search.
//
// Threads: one object per walk. Ownership: views the graph.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/graph/graph_symbols.hpp"
#include "migrations/graph/walk.hpp"

namespace athanor {

// One move of a stamp, which changes rows without running a revision.
struct StampMove {
  NodeList from;
  Node to = kNothing;
  bool upgrade = false;
  bool branch_move = false;  // a branch appears or disappears instead of moving
};

class VersionRows {
 public:
  VersionRows(const Symbols& symbols, std::vector<std::string> rows);
  // Applies `revision` in this direction and returns the step. Error: VersionRowMismatch when the rows do not allow it.
  [[nodiscard]] Result<WalkStep> run(Node revision, Direction direction);
  // Applies one move of a stamp and returns the step. Error: VersionRowMismatch.
  [[nodiscard]] Result<WalkStep> stamp(const StampMove& move);

 private:
  [[nodiscard]] bool has(std::string_view row) const;
  [[nodiscard]] Result<void> insert(WalkStep& step, const std::string& to);
  [[nodiscard]] Result<void> remove(WalkStep& step, const std::string& from);
  [[nodiscard]] Result<void> update(WalkStep& step, const std::string& from, const std::string& to);
  [[nodiscard]] Result<void> go_up(WalkStep& step, Node revision);
  [[nodiscard]] Result<void> merge(WalkStep& step, Node revision);
  [[nodiscard]] Result<void> go_down(WalkStep& step, Node revision);
  [[nodiscard]] Result<NodeList> rows_below(Node revision);
  [[nodiscard]] Result<bool> covered_by_others(Node below, Node leaving);
  [[nodiscard]] Result<NodeList> rows_without(std::span<const Node> gone) const;
  [[nodiscard]] bool leads_straight_to(Node child, Node below) const;
  [[nodiscard]] bool reaches(const NodeList& starts, Node wanted);
  void begin_cover();
  void cover(Node node);
  void uncover(Node node);

  const Symbols& symbols_;
  const GraphData& data_;
  std::vector<std::string> rows_;  // sorted, without duplicates
  bool begun_ = false;
  bool by_search_ = false;                   // a row is not an exact id: search instead of using the marks
  Marks covered_;                            // revisions of rows, and their ancestors
  std::vector<std::int32_t> covered_above_;  // number of children in covered_
  AncestorSearch search_{data_};
  NodeList stack_;
};

}  // namespace athanor
