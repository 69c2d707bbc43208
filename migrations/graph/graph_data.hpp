// The graph as numbers: a node is a revision's place in load order, and each kind of edge is one compact array. Names are
// looked up when a symbol comes in and written when an answer goes out; everything between works on numbers.
//
// Threads: filled by build(), read-only afterwards. Ownership: names and label sets view into `revisions`, which never moves
// again once the data is built.
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
inline constexpr Node kNothing = -1;  // no revision: what "base" resolves to, or a walk that ran off the end
inline constexpr Node kBase = -2;     // a walk that stepped from a base revision down to "base"

using NodeList = std::vector<Node>;
using Marks = std::vector<unsigned char>;  // one flag per node

[[nodiscard]] inline std::size_t at(Node node) {
  return static_cast<std::size_t>(node);
}

// Edges of one kind, for every node in turn.
class Edges {
 public:
  // Filling: nodes in order, add() the targets of one, then close() it.
  void reserve(std::size_t nodes, std::size_t edges) {
    ends_.reserve(nodes);
    targets_.reserve(edges);
  }
  void add(Node target) { targets_.push_back(target); }
  void add_once(Node target) {  // keeps the first of equal targets of the node being filled
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

// Labels of a revision: those of another set and some more. Sharing keeps ten thousand labels along a line at ten thousand
// entries instead of fifty million.
struct LabelSet {
  std::uint32_t more_than = 0;  // a set with a smaller number; 0 is the empty one
  std::vector<std::string_view> added;
};

struct GraphData {
  std::vector<Revision> revisions;  // load order
  std::vector<std::string> warnings;

  // Ids and labels to nodes. With a duplicate id the last file owns the name; the earlier ones are `shadowed`: they keep their
  // place among heads and bases, as they do in Alembic, but nothing leads to them. `owner` maps every node to the node that
  // owns its id.
  std::unordered_map<std::string_view, Node> names;
  std::vector<std::pair<std::string_view, Node>> labels;
  NodeList owner;
  bool has_shadowed = false;
  NodeList order;          // owners, by first appearance of their id: the order that decides ties
  std::vector<Node> rank;  // place of a node's id in `order`

  Edges down;        // parents as written
  Edges all_down;    // parents and resolved dependencies, each once
  Edges normalized;  // as all_down, without dependencies that an ancestor has already
  Edges next;        // children by down_revision
  Edges all_next;    // children by either kind of edge
  Edges depends;     // resolved dependencies

  NodeList topological;             // parents and dependencies before what needs them
  std::vector<std::int32_t> level;  // longest way down; an ancestor's is always smaller

  NodeList heads;            // owners, in load order
  NodeList effective_heads;  // without those that something depends on
  NodeList bases;

  std::vector<LabelSet> label_sets;      // the first is empty
  std::vector<std::uint32_t> label_set;  // per node

  [[nodiscard]] std::size_t size() const { return revisions.size(); }
  [[nodiscard]] const std::string& id(Node node) const { return revisions[at(node)].id; }
  [[nodiscard]] Marks no_marks() const { return Marks(size(), 0); }
  [[nodiscard]] Node owner_of(std::string_view exact_id) const;  // kNothing when no revision has this id
  [[nodiscard]] bool has_label(Node node, std::string_view label) const;
  [[nodiscard]] std::vector<std::string_view> labels_of(std::uint32_t set) const;  // sorted, each once
  [[nodiscard]] std::vector<std::string> ids(std::span<const Node> nodes) const;
  // Marks `start` and everything that `edges` lead to from there.
  void reach(const Edges& edges, std::span<const Node> start, Marks& seen) const;
};

// Whether revisions lead down to another, by parents and dependencies. Nodes visited for one wanted revision are not visited
// again until look_for() names another.
class AncestorSearch {
 public:
  explicit AncestorSearch(const GraphData& data) : data_(data) {}
  void look_for(Node wanted);
  [[nodiscard]] bool found_below(std::span<const Node> start);

 private:
  const GraphData& data_;
  Node wanted_ = kNothing;
  std::vector<std::uint32_t> seen_;  // number of the search that came by last
  std::uint32_t search_ = 0;
  NodeList stack_;
};

struct RevisionGraph::Impl {
  GraphData data;
};

// "a, b, c and 4 more": a list that fits into a message.
[[nodiscard]] std::string joined_ids(const std::vector<std::string>& ids, std::size_t most = 6);

// graph_build.cpp
[[nodiscard]] Result<GraphData> build_graph(std::vector<Revision> revisions, Duplicates duplicates);
void spread_labels(GraphData& data);  // graph_labels.cpp

// graph_order.cpp: the nodes of `todo`, newest first, in Alembic's order; `heads` are where the walk begins.
[[nodiscard]] Result<NodeList> order_newest_first(const GraphData& data, Marks todo, const NodeList& heads);

}  // namespace athanor
