// How branch labels spread: to every descendant along down_revision, and down a line that neither branches nor merges.
#include <algorithm>

#include "migrations/revision/graph_data.hpp"

namespace athanor {
namespace {

using LabelSet = std::vector<std::string_view>;

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
      std::uint32_t set = own_labels(node);
      for (const Node parent : data_.down.of(node)) {
        set = united(set, data_.label_set[at(parent)]);
      }
      data_.label_set[at(node)] = set;
    }
    // What a head ends up with holds for the whole line below it: each label on that line came from there or from further down.
    for (const Node head : data_.heads) {
      descend(head, data_.label_set[at(head)]);
    }
    for (Node node = 0; data_.has_shadowed && node < static_cast<Node>(data_.size()); ++node) {
      if (data_.owner[at(node)] != node && data_.down.of(node).size() == 1) {
        descend(data_.down.of(node)[0], data_.label_set[at(node)]);
      }
    }
  }

 private:
  std::uint32_t own_labels(Node node) {
    const auto& written = data_.revisions[at(node)].labels;
    return written.empty() ? 0 : stored(LabelSet(written.begin(), written.end()));
  }

  std::uint32_t stored(LabelSet set) {
    std::ranges::sort(set);
    data_.label_sets.push_back(std::move(set));
    return static_cast<std::uint32_t>(data_.label_sets.size() - 1);
  }

  // Most revisions share the set of their only parent, so a union is rarely a new set.
  std::uint32_t united(std::uint32_t a, std::uint32_t b) {
    const LabelSet& left = data_.label_sets[a];
    const LabelSet& right = data_.label_sets[b];
    if (a == b || std::ranges::includes(left, right)) {
      return a;
    }
    if (std::ranges::includes(right, left)) {
      return b;
    }
    LabelSet both;
    std::ranges::set_union(left, right, std::back_inserter(both));
    return stored(std::move(both));
  }

  void descend(Node node, std::uint32_t set) {
    while (data_.all_next.of(node).size() <= 1 && data_.revisions[at(node)].down.size() <= 1) {
      data_.label_set[at(node)] = united(data_.label_set[at(node)], set);
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
