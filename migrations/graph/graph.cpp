#include "migrations/graph/graph.hpp"

#include <algorithm>

#include "migrations/graph/graph_data.hpp"
#include "migrations/graph/graph_range.hpp"

namespace athanor {

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

RevisionGraph::RevisionGraph(std::unique_ptr<const GraphData> data) : data_(std::move(data)) {}
RevisionGraph::~RevisionGraph() = default;
RevisionGraph::RevisionGraph(RevisionGraph&&) noexcept = default;
RevisionGraph& RevisionGraph::operator=(RevisionGraph&&) noexcept = default;

Result<RevisionGraph> RevisionGraph::build(std::vector<Revision> revisions, Duplicates duplicates) {
  TRY_ASSIGN(GraphData data, build_graph(std::move(revisions), duplicates));
  return RevisionGraph(std::make_unique<const GraphData>(std::move(data)));
}

std::size_t RevisionGraph::size() const {
  return data_->order.size();
}

const std::vector<Revision>& RevisionGraph::revisions() const {
  return data_->revisions;
}

const std::vector<std::string>& RevisionGraph::warnings() const {
  return data_->warnings;
}

const Revision* RevisionGraph::find(std::string_view id) const {
  const Node node = data_->owner_of(id);
  return node == kNothing ? nullptr : &data_->revisions[at(node)];
}

std::vector<std::string> RevisionGraph::heads() const {
  return data_->ids(data_->heads);
}

std::vector<std::string> RevisionGraph::effective_heads() const {
  return data_->ids(data_->effective_heads);
}

std::vector<std::string> RevisionGraph::bases() const {
  return data_->ids(data_->bases);
}

std::vector<std::string> RevisionGraph::children(std::string_view id) const {
  const Node node = data_->owner_of(id);
  return node == kNothing ? std::vector<std::string>() : data_->ids(data_->next.of(node));
}

std::vector<std::string> RevisionGraph::branch_labels(std::string_view id) const {
  const Node node = data_->owner_of(id);
  if (node == kNothing) {
    return {};
  }
  const auto labels = data_->labels_of(data_->label_set[at(node)]);
  return {labels.begin(), labels.end()};
}

std::vector<std::string> RevisionGraph::dependencies(std::string_view id) const {
  const Node node = data_->owner_of(id);
  return node == kNothing ? std::vector<std::string>() : data_->ids(data_->depends.of(node));
}

Result<std::vector<std::string>> RevisionGraph::resolve(std::string_view symbol,
                                                        const std::vector<std::string>& current) const {
  const Symbols symbols(*data_);
  if (symbol == "current") {
    const auto found = symbols.all(RangeEnd::heads(current)).map_error([&](Error error) {
      return unknown_head(symbols, current, std::move(error));
    });
    TRY_ASSIGN(const NodeList nodes, found);
    return data_->ids(nodes);
  }
  TRY_ASSIGN(NodeList nodes, symbols.all(symbol));
  if (std::ranges::find(nodes, kNothing) != nodes.end()) {
    return fail(Error(ErrorCode::RelativeOutOfRange, "'" + std::string(symbol) + "' leads beyond the end of the history")
                    .advise("use a smaller number, or name the revision"));
  }
  std::erase(nodes, kBase);
  return data_->ids(nodes);
}

Result<std::vector<std::string>> RevisionGraph::applied(const std::vector<std::string>& current) const {
  const Symbols symbols(*data_);
  TRY_ASSIGN(const NodeList nodes, symbols.all(RangeEnd::heads(current)).map_error([&](Error error) {
    return unknown_head(symbols, current, std::move(error));
  }));
  Marks seen = data_->no_marks();
  data_->reach(data_->all_down, nodes, seen);
  NodeList found;
  std::ranges::copy_if(data_->order, std::back_inserter(found), [&](Node node) { return seen[at(node)] != 0; });
  return data_->ids(found);
}

}  // namespace athanor
