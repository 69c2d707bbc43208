#include "migrations/graph/target_position.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace athanor {

std::vector<std::string> unknown_heads(const RevisionGraph& graph, const std::vector<std::string>& current_heads) {
  std::vector<std::string> unknown;
  std::ranges::copy_if(current_heads, std::back_inserter(unknown),
                       [&graph](const std::string& head) { return graph.find(head) == nullptr; });
  return unknown;
}

Result<TargetPosition> locate_target(const RevisionGraph& graph, const std::string& target,
                                     const std::vector<std::string>& current_heads) {
  TargetPosition position;
  TRY_ASSIGN(position.resolved, graph.resolve(target, current_heads));
  TRY_ASSIGN(position.applied, graph.applied(current_heads));
  const std::set<std::string> applied(position.applied.begin(), position.applied.end());
  const auto is_applied = [&applied](const std::string& id) { return applied.contains(id); };
  if (position.resolved.empty()) {  // base: nothing may be applied
    position.reached = current_heads.empty();
    position.ahead = !position.reached;
    return position;
  }
  position.reached = std::ranges::all_of(position.resolved, is_applied);
  position.ahead = position.reached && std::ranges::any_of(position.resolved, [&](const std::string& id) {
                     return std::ranges::any_of(graph.children(id), is_applied);
                   });
  return position;
}

bool is_ahead(const RevisionGraph& graph, Direction operation, const std::vector<std::string>& targets,
              const std::vector<std::string>& current_heads) {
  if (operation != Direction::Upgrade || targets.size() != 1) {
    return false;
  }
  const auto position = locate_target(graph, targets.front(), current_heads);
  return position && position->ahead;
}

}  // namespace athanor
