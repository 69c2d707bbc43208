// The graph as numbers: a node is a revision's position in load order, and each kind of edge is one compact array. Names are
// resolved on input and added on output; everything in between uses numbers.
//
// Threads: build() fills it, then it is read-only. Ownership: names and label sets are views into `revisions`, which must not
// move once the data is built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "migrations/graph/graph.hpp"

namespace athanor {

using Node = std::int32_t;
inline constexpr Node kNothing = -1;  // no revision: the meaning of "base", or a walk past the end
inline constexpr Node kBase = -2;     // a walk that stepped down from a base revision to "base"

using NodeList = std::vector<Node>;
using Marks = std::vector<unsigned char>;  // one flag per node

[[nodiscard]] inline std::size_t at(Node node) {
  return static_cast<std::size_t>(node);
}

// The edges of one kind, for all nodes.
class Edges {
 public:
  // To fill: for each node in order, add() its targets, then close() it.
  void reserve(std::size_t nodes, std::size_t edges) {
    ends_.reserve(nodes);
    targets_.reserve(edges);
  }
  void add(Node target) { targets_.push_back(target); }
  void add_once(Node target) {  // ignores a target that the current node already has
    for (std::size_t i = start(); i < targets_.size(); ++i) {
      if (targets_[i] == target) {
        return;
      }
    }
    targets_.push_back(target);
  }
  void close() { ends_.push_back(targets_.size()); }

  [[nodiscard]] std::span<const Node> of(Node node) const {
    const std::size_t begin = node == 0 ? 0 : ends_[at(node) - 1];
    return {targets_.data() + begin, ends_[at(node)] - begin};
  }
  [[nodiscard]] std::size_t size() const { return targets_.size(); }

 private:
  [[nodiscard]] std::size_t start() const { return ends_.empty() ? 0 : ends_.back(); }
  std::vector<std::size_t> ends_;
  std::vector<Node> targets_;
};

// The labels of a revision: another set plus some more. Sharing makes ten thousand labels along a line cost ten thousand
// entries instead of fifty million.
struct LabelSet {
  std::uint32_t more_than = 0;  // the set that this one extends, with a smaller number; 0 is the empty set
  std::vector<std::string_view> added;
};

struct GraphData {
  std::vector<Revision> revisions;  // load order
  std::vector<std::string> warnings;

  // Ids and labels to nodes. For a duplicate id, the last file owns the name, and earlier files are `shadowed`: as in Alembic
  // they remain among heads and bases, but no name leads to them. `owner` maps every node to the node that owns its id.
  std::unordered_map<std::string_view, Node> names;
  std::vector<std::pair<std::string_view, Node>> labels;
  NodeList owner;
  bool has_shadowed = false;
  NodeList order;          // owners, by first appearance of their id; decides ties
  std::vector<Node> rank;  // position of a node's id in `order`

  Edges down;        // parents as written in the file
  Edges all_down;    // parents and resolved dependencies, without duplicates
  Edges normalized;  // all_down without dependencies that an ancestor already has
  Edges next;        // children by down_revision
  Edges all_next;    // children by either kind of edge
  Edges depends;     // resolved dependencies

  NodeList topological;             // every node after its parents and dependencies
  std::vector<std::int32_t> level;  // length of the longest way down; always larger than an ancestor's

  NodeList heads;            // owners, in load order
  NodeList effective_heads;  // heads that no other revision depends on
  NodeList bases;

  std::vector<LabelSet> label_sets;      // the first is empty
  std::vector<std::uint32_t> label_set;  // per node

  [[nodiscard]] std::size_t size() const { return revisions.size(); }
  [[nodiscard]] const std::string& id(Node node) const { return revisions[at(node)].id; }
  [[nodiscard]] Marks no_marks() const { return Marks(size(), 0); }
  [[nodiscard]] Node owner_of(std::string_view exact_id) const;  // kNothing when no revision has this id
  [[nodiscard]] bool has_label(Node node, std::string_view label) const;
  [[nodiscard]] std::vector<std::string_view> labels_of(std::uint32_t set) const;  // sorted, each once
  // "base" for a negative node.
  [[nodiscard]] std::vector<std::string> ids(std::span<const Node> nodes) const;
  // Marks `start` and all nodes that `edges` lead to.
  void reach(const Edges& edges, std::span<const Node> start, Marks& seen) const;
};

// Checks whether revisions descend from another one, through parents and dependencies. Between two calls of look_for(), no node
// is visited twice.
class AncestorSearch {
 public:
  explicit AncestorSearch(const GraphData& data) : data_(data) {}
  // Starts a new search for `wanted`.
  void look_for(Node wanted);
  // Whether `wanted` is one of `start` or an ancestor of one.
  [[nodiscard]] bool found_below(std::span<const Node> start);

 private:
  const GraphData& data_;
  Node wanted_ = kNothing;
  std::vector<std::uint32_t> seen_;  // number of the last search that visited a node
  std::uint32_t search_ = 0;
  NodeList stack_;
};

// "a, b, c and 4 more": a list short enough for a message.
[[nodiscard]] std::string joined_ids(const std::vector<std::string>& ids, std::size_t most = 6);

// graph_build.cpp
[[nodiscard]] Result<GraphData> build_graph(std::vector<Revision> revisions, Duplicates duplicates);
void spread_labels(GraphData& data);  // graph_labels.cpp

// graph_order.cpp: the nodes of `todo`, newest first, in Alembic's order; the walk begins at `heads`.
[[nodiscard]] Result<NodeList> order_newest_first(const GraphData& data, Marks todo, const NodeList& heads);

}  // namespace athanor
