#include "migrations/graph/history.hpp"

#include <algorithm>

#include "migrations/graph/graph_data.hpp"
#include "migrations/graph/graph_range.hpp"

namespace athanor {

Result<std::vector<std::string>> history_range(const RevisionGraph& graph, std::string_view base, std::string_view head,
                                               const std::vector<std::string>& current) {
  const Symbols symbols(graph.data());
  RangeEnd lower = RangeEnd::symbol(base.empty() ? "base" : base);
  RangeEnd upper = RangeEnd::symbol(head.empty() ? "heads" : head);
  RangeEnd& applied_end = head == "current" ? upper : lower;
  if ((head == "current" || base == "current") && !current.empty()) {
    applied_end = RangeEnd::heads(current);
  } else if (head == "current" || base == "current") {  // nothing is applied: an open end
    applied_end = RangeEnd::symbol(head == "current" ? "heads" : "base");
  }
  TRY_ASSIGN(RevisionSet range, revisions_between(symbols, upper, lower, {.inclusive = true, .strict = false}));
  TRY_ASSIGN(const NodeList order, order_newest_first(graph.data(), std::move(range.members), range.heads));
  return graph.data().ids(order);
}

std::vector<std::string> branch_points(const RevisionGraph& graph) {
  NodeList found;
  std::ranges::copy_if(graph.data().order, std::back_inserter(found),
                       [&](Node node) { return graph.data().next.of(node).size() > 1; });
  return graph.data().ids(found);
}

std::vector<std::string> merge_points(const RevisionGraph& graph) {
  NodeList found;
  std::ranges::copy_if(graph.data().order, std::back_inserter(found),
                       [&](Node node) { return graph.data().down.of(node).size() > 1; });
  return graph.data().ids(found);
}

std::vector<std::pair<std::string, std::vector<std::string>>> inherited_labels(const RevisionGraph& graph) {
  std::vector<std::pair<std::string, std::vector<std::string>>> result;
  result.reserve(graph.data().order.size());
  for (const Node node : graph.data().order) {
    const auto labels = graph.data().labels_of(graph.data().label_set[at(node)]);
    result.emplace_back(graph.data().id(node), std::vector<std::string>(labels.begin(), labels.end()));
  }
  return result;
}

std::vector<std::string> full_history(const RevisionGraph& graph) {
  return history_range(graph, "", "").value_or(std::vector<std::string>());
}

bool is_branch_point(const RevisionGraph& graph, std::string_view id) {
  const Node node = graph.data().owner_of(id);
  return node != kNothing && graph.data().next.of(node).size() > 1;
}

bool is_merge_point(const RevisionGraph& graph, std::string_view id) {
  const Node node = graph.data().owner_of(id);
  return node != kNothing && graph.data().down.of(node).size() > 1;
}

bool is_head(const RevisionGraph& graph, std::string_view id) {
  const Node node = graph.data().owner_of(id);
  return node != kNothing && graph.data().next.of(node).empty();
}

}  // namespace athanor
