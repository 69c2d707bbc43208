// Draws the revision graph as Graphviz text or as an SVG.
//
// The SVG is a list, newest first, one revision per row, with lanes to the left as in `git log --graph`. Lines never cross a
// revision, and every row has its label, so that a history of a few hundred revisions stays readable. Dependencies are dashed.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "migrations/graph/graph.hpp"

namespace athanor::cli {

// The positions of revisions and lines: rows from the top, lanes from the left.
struct GraphLayout {
  struct Node {
    std::string id;
    std::size_t lane = 0;  // the row is the index
  };
  struct Edge {
    std::size_t child = 0;  // rows
    std::size_t parent = 0;
    std::size_t lane = 0;  // the lane of the line between the two rows
    bool dependency = false;
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::size_t lanes = 0;
};

// Assigns rows and lanes. Children are above their parents.
[[nodiscard]] GraphLayout lay_out(const RevisionGraph& graph);
// A whole SVG document, and a Graphviz digraph.
[[nodiscard]] std::string draw_svg(const RevisionGraph& graph);
[[nodiscard]] std::string draw_dot(const RevisionGraph& graph);

}  // namespace athanor::cli
