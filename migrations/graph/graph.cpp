#include "migrations/graph/graph.hpp"

#include <algorithm>

#include "migrations/graph/graph_data.hpp"
#include "migrations/graph/graph_range.hpp"

namespace athanor {

std::string_view direction_name(Direction direction) {
  switch (direction) {
    case Direction::Upgrade:
      return "upgrade";
    case Direction::Downgrade:
      return "downgrade";
    case Direction::Stamp:
      return "stamp";
  }
  return "stamp";
}

Node GraphData::owner_of(std::string_view exact_id) const {
  const auto found = names.find(exact_id);
  // A label is in `names`, too: it is not the id of its node.
  return found == names.end() || id(found->second) != exact_id ? kNothing : found->second;
}

bool GraphData::has_label(Node node, std::string_view label) const {
  for (std::uint32_t set = label_set[at(node)]; set != 0; set = label_sets[set].more_than) {
    if (std::ranges::find(label_sets[set].added, label) != label_sets[set].added.end()) {
      return true;
    }
  }
  return false;
}

std::vector<std::string_view> GraphData::labels_of(std::uint32_t set) const {
  std::vector<std::string_view> all;
  for (; set != 0; set = label_sets[set].more_than) {
    all.insert(all.end(), label_sets[set].added.begin(), label_sets[set].added.end());
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<std::string> GraphData::ids(std::span<const Node> nodes) const {
  std::vector<std::string> result;
  result.reserve(nodes.size());
  for (const Node node : nodes) {
    result.push_back(node >= 0 ? id(node) : std::string("base"));
  }
  return result;
}

void GraphData::reach(const Edges& edges, std::span<const Node> start, Marks& seen) const {
  NodeList todo(start.begin(), start.end());
  while (!todo.empty()) {
    const Node one = todo.back();
    todo.pop_back();
    // Negative nodes stand for base, which leads nowhere.
    if (one < 0 || seen[at(one)] != 0) {
      continue;
    }
    seen[at(one)] = 1;
    const auto further = edges.of(one);
    todo.insert(todo.end(), further.begin(), further.end());
  }
}

void AncestorSearch::look_for(Node wanted) {
  seen_.resize(data_.size(), 0);
  wanted_ = wanted;
  ++search_;
}

bool AncestorSearch::found_below(std::span<const Node> start) {
  stack_.assign(start.begin(), start.end());
  while (!stack_.empty()) {
    const Node one = stack_.back();
    stack_.pop_back();
    if (one == wanted_) {
      return true;
    }
    // A node's level is above the levels of all its ancestors, so the search ends at the wanted node's level.
    if (seen_[at(one)] == search_ || data_.level[at(one)] <= data_.level[at(wanted_)]) {
      continue;
    }
    seen_[at(one)] = search_;
    const auto below = data_.normalized.of(one);
    stack_.insert(stack_.end(), below.begin(), below.end());
  }
  return false;
}

std::string joined_ids(const std::vector<std::string>& ids, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ids.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + ids[i];
  }
  return ids.size() > most ? text + " and " + std::to_string(ids.size() - most) + " more" : text;
}

RevisionGraph::RevisionGraph(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RevisionGraph::~RevisionGraph() = default;
RevisionGraph::RevisionGraph(RevisionGraph&&) noexcept = default;
RevisionGraph& RevisionGraph::operator=(RevisionGraph&&) noexcept = default;

Result<RevisionGraph> RevisionGraph::build(std::vector<Revision> revisions, Duplicates duplicates) {
  TRY_ASSIGN(GraphData data, build_graph(std::move(revisions), duplicates));
  auto impl = std::make_unique<Impl>();
  impl->data = std::move(data);
  return RevisionGraph(std::move(impl));
}

std::size_t RevisionGraph::size() const {
  return impl_->data.order.size();
}

const std::vector<Revision>& RevisionGraph::revisions() const {
  return impl_->data.revisions;
}

const std::vector<std::string>& RevisionGraph::warnings() const {
  return impl_->data.warnings;
}

const Revision* RevisionGraph::find(std::string_view id) const {
  const Node node = impl_->data.owner_of(id);
  return node == kNothing ? nullptr : &impl_->data.revisions[at(node)];
}

std::vector<std::string> RevisionGraph::heads() const {
  return impl_->data.ids(impl_->data.heads);
}

std::vector<std::string> RevisionGraph::effective_heads() const {
  return impl_->data.ids(impl_->data.effective_heads);
}

std::vector<std::string> RevisionGraph::bases() const {
  return impl_->data.ids(impl_->data.bases);
}

std::vector<std::string> RevisionGraph::branch_points() const {
  NodeList found;
  std::ranges::copy_if(impl_->data.order, std::back_inserter(found),
                       [&](Node node) { return impl_->data.next.of(node).size() > 1; });
  return impl_->data.ids(found);
}

std::vector<std::string> RevisionGraph::merge_points() const {
  NodeList found;
  std::ranges::copy_if(impl_->data.order, std::back_inserter(found),
                       [&](Node node) { return impl_->data.down.of(node).size() > 1; });
  return impl_->data.ids(found);
}

std::vector<std::pair<std::string, std::vector<std::string>>> RevisionGraph::labels() const {
  std::vector<std::pair<std::string, std::vector<std::string>>> result;
  result.reserve(impl_->data.order.size());
  for (const Node node : impl_->data.order) {
    const auto labels = impl_->data.labels_of(impl_->data.label_set[at(node)]);
    result.emplace_back(impl_->data.id(node), std::vector<std::string>(labels.begin(), labels.end()));
  }
  return result;
}

std::vector<std::string> RevisionGraph::history() const {
  return history_range("", "").value_or(std::vector<std::string>());
}

bool RevisionGraph::is_branch_point(std::string_view id) const {
  const Node node = impl_->data.owner_of(id);
  return node != kNothing && impl_->data.next.of(node).size() > 1;
}

bool RevisionGraph::is_merge_point(std::string_view id) const {
  const Node node = impl_->data.owner_of(id);
  return node != kNothing && impl_->data.down.of(node).size() > 1;
}

bool RevisionGraph::is_head(std::string_view id) const {
  const Node node = impl_->data.owner_of(id);
  return node != kNothing && impl_->data.next.of(node).empty();
}

std::vector<std::string> RevisionGraph::children(std::string_view id) const {
  const Node node = impl_->data.owner_of(id);
  return node == kNothing ? std::vector<std::string>() : impl_->data.ids(impl_->data.next.of(node));
}

std::vector<std::string> RevisionGraph::branch_labels(std::string_view id) const {
  const Node node = impl_->data.owner_of(id);
  if (node == kNothing) {
    return {};
  }
  const auto labels = impl_->data.labels_of(impl_->data.label_set[at(node)]);
  return {labels.begin(), labels.end()};
}

std::vector<std::string> RevisionGraph::dependencies(std::string_view id) const {
  const Node node = impl_->data.owner_of(id);
  return node == kNothing ? std::vector<std::string>() : impl_->data.ids(impl_->data.depends.of(node));
}

}  // namespace athanor
