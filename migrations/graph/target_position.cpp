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

std::vector<OverlappingRow> overlapping_rows(const RevisionGraph& graph, const std::vector<std::string>& current_heads) {
  std::vector<OverlappingRow> found;
  std::set<std::string> rows;
  for (const std::string& row : current_heads) {
    if (!rows.insert(row).second) {
      found.push_back({row, row});
    }
  }
  // A single row overlaps nothing: avoid walking the graph.
  if (rows.size() < 2) {
    return found;
  }
  for (const std::string& above : rows) {
    const auto included = graph.applied({above});
    if (!included) {
      continue;  // in no file
    }
    for (const std::string& id : *included) {
      if (id != above && rows.contains(id)) {
        found.push_back({id, above});
      }
    }
  }
  return found;
}

Result<void> refuse_overlapping_rows(const RevisionGraph& graph, const std::vector<std::string>& current_heads) {
  const std::vector<OverlappingRow> overlaps = overlapping_rows(graph, current_heads);
  if (overlaps.empty()) {
    return {};
  }
  std::set<std::string> rest(current_heads.begin(), current_heads.end());
  std::string what;
  for (const OverlappingRow& overlap : overlaps) {
    const bool twice = overlap.row == overlap.included_by;
    what += what.empty() ? "" : ", ";
    what += twice ? "'" + overlap.row + "' is there more than once"
                  : "'" + overlap.included_by + "' includes '" + overlap.row + "'";
    if (!twice) {
      rest.erase(overlap.row);
    }
  }
  std::string purge = "athanor stamp --purge";
  for (const std::string& row : rest) {
    purge += " " + row;
  }
  return fail(Error(ErrorCode::OverlappingHeads, "rows of the version table overlap: " + what)
                  .advise("find out the actual revision of the schema, then keep one row per branch: `" + purge +
                          "`, if everything below is applied"));
}

Result<void> refuse_overlapping_targets(const RevisionGraph& graph, const std::vector<std::string>& targets,
                                        const std::vector<std::string>& current_heads) {
  std::vector<std::vector<std::string>> resolved;
  for (const std::string& target : targets) {
    auto ids = graph.resolve(target, current_heads);
    if (!ids) {
      return {};
    }
    resolved.push_back(std::move(*ids));
  }
  for (std::size_t above = 0; above < targets.size(); ++above) {
    const auto included = graph.applied(resolved[above]);
    for (std::size_t below = 0; included && below < targets.size(); ++below) {
      const bool inside = below != above && std::ranges::any_of(resolved[below], [&](const std::string& id) {
                            return std::ranges::find(*included, id) != included->end();
                          });
      if (!inside) {
        continue;
      }
      if (resolved[below] == resolved[above]) {
        return fail(
            Error(ErrorCode::OverlappingHeads, "'" + targets[above] + "' and '" + targets[below] + "' are the same revision")
                .advise("name each revision once"));
      }
      return fail(Error(ErrorCode::OverlappingHeads, "'" + targets[above] + "' includes '" + targets[below] + "'")
                      .advise("name one revision per branch: leave out '" + targets[below] + "', or '" + targets[above] +
                              "' if the schema does not have it"));
    }
  }
  return {};
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
