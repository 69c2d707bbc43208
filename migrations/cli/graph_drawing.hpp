// Pictures of the revision graph: Graphviz text, and an SVG drawn here.
//
// The SVG is a list, newest on top, one revision per row, with lanes to the left as `git log --graph` has them: lines never
// cross a revision, and a history of a few hundred revisions stays readable because every row has its own label. Dependencies
// are dashed.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "migrations/graph/graph.hpp"

namespace athanor::cli {

// Where revisions and lines lie: rows from the top, lanes from the left.
struct GraphLayout {
  struct Node {
    std::string id;
    std::size_t lane = 0;  // the row is the index
  };
  struct Edge {
    std::size_t child = 0;  // rows
    std::size_t parent = 0;
    std::size_t lane = 0;  // runs here between them
    bool dependency = false;
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::size_t lanes = 0;
};

[[nodiscard]] GraphLayout lay_out(const RevisionGraph& graph);
[[nodiscard]] std::string draw_svg(const RevisionGraph& graph);
[[nodiscard]] std::string draw_dot(const RevisionGraph& graph);

}  // namespace athanor::cli
