#include "migrations/graph/walk.hpp"

#include <algorithm>

#include "migrations/graph/graph_data.hpp"
#include "migrations/graph/graph_range.hpp"
#include "migrations/graph/version_rows.hpp"

namespace athanor {
namespace {

Result<Walk> steps_of(const Symbols& symbols, const std::vector<std::string>& current, const NodeList& order,
                      Direction direction, std::vector<std::string> warnings) {
  Walk walk;
  walk.warnings = std::move(warnings);
  walk.steps.reserve(order.size());
  VersionRows table(symbols, current);
  for (const Node node : order) {
    TRY_ASSIGN(WalkStep step, table.run(node, direction));
    walk.steps.push_back(std::move(step));
  }
  return walk;
}

Result<Walk> upgrade_steps(const Symbols& symbols, const std::vector<std::string>& current, std::string_view target) {
  TRY_ASSIGN(RevisionSet range,
             revisions_between(symbols, RangeEnd::symbol(target), RangeEnd::heads(current), {.implicit_base = true}));
  TRY_ASSIGN(NodeList order, order_newest_first(symbols.data(), std::move(range.members), range.heads));
  // The order is newest first, as a downgrade needs it.
  std::ranges::reverse(order);
  return steps_of(symbols, current, order, Direction::Upgrade, {});
}

Result<Walk> downgrade_steps(const Symbols& symbols, const std::vector<std::string>& current, std::string_view target) {
  std::vector<std::string> warnings;
  TRY_ASSIGN(RevisionSet range, revisions_to_drop(symbols, RangeEnd::heads(current), target, warnings));
  TRY_ASSIGN(const NodeList order, order_newest_first(symbols.data(), std::move(range.members), range.heads));
  return steps_of(symbols, current, order, Direction::Downgrade, std::move(warnings));
}

Result<void> refuse_range(std::string_view target) {
  if (target.find(':') != std::string_view::npos) {
    return fail(
        Error(ErrorCode::RangeNotAllowed, "'" + std::string(target) + "' is a range, but the database determines the start")
            .advise("give only the end of the range, or add --sql to print the statements of the range"));
  }
  return {};
}

// The current heads that a stamp of `targets` affects: those in line with a target, without duplicates.
Result<NodeList> heads_in_line(const Symbols& symbols, const NodeList& heads, const std::vector<std::string>& targets) {
  NodeList result;
  Marks taken = symbols.data().no_marks();
  for (const std::string& target : targets) {
    if (target.empty()) {
      continue;
    }
    TRY_ASSIGN(Lineage lineage, Lineage::of(symbols, target, true));
    for (const Node head : heads) {
      TRY_ASSIGN(const bool in_line, lineage.has(head));
      if (in_line && taken[at(head)] == 0) {
        taken[at(head)] = 1;
        result.push_back(head);
      }
    }
  }
  return result;
}

bool touches(const GraphData& data, const Edges& edges, Node from, const NodeList& wanted) {
  const Node start[] = {from};
  Marks seen = data.no_marks();
  data.reach(edges, start, seen);
  return std::ranges::any_of(wanted, [&](Node node) { return seen[at(node)] != 0; });
}

Result<void> stamp_one(const GraphData& data, const NodeList& heads, Node goal, std::vector<StampMove>& moves) {
  if (goal == kNothing) {
    for (const Node head : heads) {
      moves.push_back({{head}, kNothing, false, true});
    }
    return {};
  }
  if (goal == kBase) {
    return fail(Error(ErrorCode::InvalidTarget, "stamp does not take a target relative to the heads")
                    .advise("name the revision, or 'base'"));
  }
  // The row is there already.
  if (std::ranges::find(heads, goal) != heads.end()) {
    return {};
  }
  const bool above = touches(data, data.all_next, goal, heads);
  const bool below = touches(data, data.normalized, goal, heads);
  // Moving either row would contradict the other.
  if (above && below) {
    return fail(Error(ErrorCode::OverlappingHeads, "the version table holds revisions above and below '" + data.id(goal) + "'")
                    .advise("delete the rows that another row includes, or stamp with --purge"));
  }
  if (above || below) {
    moves.push_back({heads, goal, below, false});
  } else {
    moves.push_back({{}, goal, true, true});
  }
  return {};
}

Result<Walk> stamp_steps(const Symbols& symbols, const std::vector<std::string>& current,
                         const std::vector<std::string>& targets) {
  TRY_ASSIGN(const NodeList heads, symbols.all(RangeEnd::heads(current)));
  TRY_ASSIGN(const NodeList concerned, heads_in_line(symbols, heads, targets));
  TRY_ASSIGN(NodeList goals, symbols.all(RangeEnd::heads(targets)));
  if (goals.empty()) {
    goals.push_back(kNothing);
  }
  // Compute all moves before changing rows: they are relative to the heads at the start.
  std::vector<StampMove> moves;
  for (const Node goal : goals) {
    TRY(stamp_one(symbols.data(), concerned, goal, moves));
  }
  Walk walk;
  VersionRows table(symbols, current);
  for (const StampMove& move : moves) {
    TRY_ASSIGN(WalkStep step, table.stamp(move));
    walk.steps.push_back(std::move(step));
  }
  return walk;
}

}  // namespace

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

Result<Walk> upgrade_walk(const RevisionGraph& graph, const std::vector<std::string>& current, std::string_view target) {
  TRY(refuse_range(target));
  const Symbols symbols(graph.data());
  return upgrade_steps(symbols, current, target).map_error([&](Error error) {
    return unknown_head(symbols, current, std::move(error));
  });
}

Result<Walk> downgrade_walk(const RevisionGraph& graph, const std::vector<std::string>& current, std::string_view target) {
  TRY(refuse_range(target));
  const Symbols symbols(graph.data());
  return downgrade_steps(symbols, current, target).map_error([&](Error error) {
    return unknown_head(symbols, current, std::move(error));
  });
}

Result<Walk> stamp_walk(const RevisionGraph& graph, const std::vector<std::string>& current,
                        const std::vector<std::string>& targets) {
  const Symbols symbols(graph.data());
  return stamp_steps(symbols, current, targets.empty() ? std::vector<std::string>{"base"} : targets)
      .map_error([&](Error error) { return unknown_head(symbols, current, std::move(error)); });
}

Result<std::pair<std::vector<std::string>, Walk>> offline_walk(const RevisionGraph& graph, Direction direction,
                                                               std::string_view range) {
  const Symbols symbols(graph.data());
  std::vector<std::string> start_heads;
  std::string_view target = range;
  if (const auto split = range.find(':'); split != std::string_view::npos) {
    const std::string_view start = range.substr(0, split);
    target = range.substr(split + 1);
    if (target.find(':') != std::string_view::npos || start.empty() || target.empty()) {
      return fail(
          Error(ErrorCode::InvalidTarget, "'" + std::string(range) + "' is not a range").advise("write it as <from>:<to>"));
    }
    if (start != "base") {
      TRY_ASSIGN(const Node node, symbols.one(start));
      if (node != kNothing) {
        start_heads.push_back(graph.data().id(node));
      }
    }
  } else if (direction == Direction::Downgrade) {
    return fail(
        Error(ErrorCode::InvalidTarget, "an offline downgrade needs a start").advise("write the target as <from>:<to>"));
  }
  TRY_ASSIGN(Walk walk, direction == Direction::Downgrade ? downgrade_steps(symbols, start_heads, target)
                                                          : upgrade_steps(symbols, start_heads, target));
  return std::pair(std::move(start_heads), std::move(walk));
}

}  // namespace athanor
