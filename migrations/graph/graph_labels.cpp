// Spreads branch labels: to every descendant along down_revision, and down along a line without branches and merges.
#include <algorithm>

#include "migrations/graph/graph_data.hpp"

namespace athanor {
namespace {

class Spread {
 public:
  explicit Spread(GraphData& data) : data_(data) {}

  void run() {
    data_.label_sets.assign(1, {});
    data_.label_set.assign(data_.size(), 0);
    if (data_.labels.empty()) {
      return;
    }
    for (const Node node : data_.topological) {
      std::uint32_t set = 0;
      for (const Node parent : data_.down.of(node)) {
        set = united(set, data_.label_set[at(parent)]);
      }
      data_.label_set[at(node)] = with_own(set, node);
    }
    // A head has all labels of the line below it, so the whole line gets the head's labels.
    for (const Node head : data_.heads) {
      descend(head, [&](Node) { return data_.label_set[at(head)]; });
    }
    // A shadowed file's labels spread down its line, too.
    for (Node node = 0; data_.has_shadowed && node < static_cast<Node>(data_.size()); ++node) {
      if (data_.owner[at(node)] != node && data_.down.of(node).size() == 1) {
        descend(data_.down.of(node)[0], [&](Node one) { return united(data_.label_set[at(one)], data_.label_set[at(node)]); });
      }
    }
  }

 private:
  std::uint32_t with_own(std::uint32_t set, Node node) {
    const auto& written = data_.revisions[at(node)].labels;
    if (written.empty()) {
      return set;
    }
    return stored({set, {written.begin(), written.end()}});
  }

  std::uint32_t stored(LabelSet set) {
    data_.label_sets.push_back(std::move(set));
    return static_cast<std::uint32_t>(data_.label_sets.size() - 1);
  }

  // Only merges need a union, and most of them join lines with equal labels.
  std::uint32_t united(std::uint32_t a, std::uint32_t b) {
    if (a == b || b == 0) {
      return a;
    }
    if (a == 0) {
      return b;
    }
    const auto left = data_.labels_of(a);
    const auto right = data_.labels_of(b);
    if (std::ranges::includes(left, right)) {
      return a;
    }
    if (std::ranges::includes(right, left)) {
      return b;
    }
    LabelSet both{a, {}};
    std::ranges::set_difference(right, left, std::back_inserter(both.added));
    return stored(std::move(both));
  }

  template <class SetFor>
  void descend(Node node, const SetFor& set_for) {
    // Stop at a branch or a merge: below it, the label would not denote a single line.
    while (data_.all_next.of(node).size() <= 1 && data_.down.of(node).size() <= 1) {
      data_.label_set[at(node)] = set_for(node);
      if (data_.down.of(node).empty()) {
        return;
      }
      node = data_.down.of(node)[0];
    }
  }

  GraphData& data_;
};

}  // namespace

void spread_labels(GraphData& data) {
  Spread(data).run();
}

}  // namespace athanor
