// The rows of the version table during a walk: which row each step inserts, deletes or updates, with Alembic's rules.
//
// A row covers its revision and every ancestor. The rules ask at every step what the other rows cover, so covered revisions are
// marked and each counts its covered children: most steps answer in constant time, and only steps beside a branch or a merge
// search.
//
// Threads: one walk, one object. Ownership: views the graph.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/graph/graph_symbols.hpp"

namespace athanor {

// One move of a stamp, which changes rows without running anything.
struct StampMove {
  NodeList from;
  Node to = kNothing;
  bool upgrade = false;
  bool branch_move = false;  // a branch appears or disappears, rather than moves
};

class VersionRows {
 public:
  VersionRows(const Symbols& symbols, std::vector<std::string> rows);
  // Runs `revision` in this direction and returns the step. VersionRowMismatch when the rows do not allow it.
  [[nodiscard]] Result<WalkStep> run(Node revision, Direction direction);
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
  std::vector<std::string> rows_;  // sorted, each once
  bool begun_ = false;
  bool by_search_ = false;                   // a row is not an exact id: no shortcuts
  Marks covered_;                            // rows and their ancestors
  std::vector<std::int32_t> covered_above_;  // children in covered_
  AncestorSearch search_{data_};
  NodeList stack_;
};

}  // namespace athanor
