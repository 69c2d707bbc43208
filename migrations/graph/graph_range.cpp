#include "migrations/graph/graph_range.hpp"

#include <algorithm>

#include "migrations/graph/graph_target.hpp"

namespace athanor {
namespace {

Error beyond_history(const RangeEnd& end) {
  return Error(ErrorCode::RelativeOutOfRange, "'" + end.text() + "' leads beyond the end of the history")
      .advise("use a smaller number, or name the revision");
}

Error not_in_line(const RangeEnd& lower, const RangeEnd& upper) {
  return Error(ErrorCode::InvalidTarget, "'" + lower.text() + "' is not below '" + upper.text() + "' on the same branch")
      .advise("give a range along one branch, older end first");
}

Result<void> all_revisions(const NodeList& nodes, const RangeEnd& end) {
  if (std::ranges::any_of(nodes, [](Node node) { return node < 0; })) {
    return fail(beyond_history(end));
  }
  return {};
}

// Like reach(), but it is an error if one start can be reached from another.
Result<Marks> reach_apart(const GraphData& data, const Edges& edges, const NodeList& starts) {
  Marks is_start = data.no_marks();
  for (const Node start : starts) {
    is_start[at(start)] = 1;
  }
  Marks seen = data.no_marks();
  NodeList todo;
  for (const Node start : starts) {
    todo.push_back(start);
    while (!todo.empty()) {
      const Node one = todo.back();
      todo.pop_back();
      if (seen[at(one)] != 0) {
        continue;
      }
      seen[at(one)] = 1;
      for (const Node next : edges.of(one)) {
        if (is_start[at(next)] != 0 && next != start) {
          return fail(Error(ErrorCode::OverlappingHeads, "revisions '" + data.id(start) + "' and '" + data.id(next) +
                                                             "' overlap: one already includes the other")
                          .advise("name only one of them; if both are rows of the version table, delete the older row"));
        }
        todo.push_back(next);
      }
    }
  }
  return seen;
}

// For a lower end "label@…": keeps only the targets on that branch.
Result<void> keep_branch(const Symbols& symbols, const RangeEnd& lower, NodeList& targets) {
  const GraphData& data = symbols.data();
  std::string label = lower.names[0].substr(0, lower.names[0].find('@'));
  TRY_ASSIGN(const Node node, symbols.one(label));
  if (node != kNothing && data.id(node) == label) {
    const auto labels = data.labels_of(data.label_set[at(node)]);
    if (labels.size() != 1) {
      return fail(Error(ErrorCode::InvalidTarget, "revision '" + label + "' does not identify one branch: it has " +
                                                      std::to_string(labels.size()) + " labels")
                      .advise("use a branch label before '@'"));
    }
    label = labels[0];
  }
  std::erase_if(targets, [&](Node target) { return !data.has_label(target, label); });
  return {};
}

// The lower end is relative and its walk left the history at the bottom: interpret it as a downgrade would.
Result<NodeList> relative_lower(const Symbols& symbols, const RangeEnd& upper, RangeEnd& lower, bool strict) {
  if (!lower.typed) {
    return fail(beyond_history(lower));
  }
  std::vector<std::string> unused;
  TRY_ASSIGN(const DowngradeTarget target, downgrade_target(symbols, upper, lower.names[0], strict, unused));
  if (target.node == kBase) {
    lower = RangeEnd::symbol("base");
    return NodeList{};
  }
  if (target.node == kNothing) {
    return fail(beyond_history(lower));
  }
  lower = RangeEnd::symbol(symbols.data().id(target.node));
  return NodeList{target.node};
}

// The revisions directly above the target; for base, all base revisions.
NodeList roots_above(const GraphData& data, Node target) {
  if (target >= 0) {
    const auto above = data.next.of(target);
    return {above.begin(), above.end()};
  }
  NodeList roots;
  for (const Node node : data.order) {
    if (data.down.of(node).empty()) {
      roots.push_back(node);
    }
  }
  // Once more per label: this can make several roots, which enables the branch filter.
  for (const auto& [label, node] : data.labels) {
    if (data.down.of(node).empty()) {
      roots.push_back(node);
    }
  }
  return roots;
}

}  // namespace

Result<RevisionSet> revisions_between(const Symbols& symbols, const RangeEnd& upper, const RangeEnd& lower, RangeRules rules) {
  const GraphData& data = symbols.data();
  RevisionSet result;
  RangeEnd from = lower;
  TRY_ASSIGN(result.heads, upgrade_targets(symbols, lower, upper, rules.strict));
  TRY(all_revisions(result.heads, upper));
  if (lower.typed && lower.names[0].find('@') != std::string::npos) {
    TRY(keep_branch(symbols, lower, result.heads));
  }
  TRY_ASSIGN(result.members, reach_apart(data, data.normalized, result.heads));
  TRY_ASSIGN(NodeList current, symbols.all(lower));
  const auto outside = [&](Node node) { return node == kBase || (node >= 0 && result.members[at(node)] == 0); };
  if (!rules.implicit_base && std::ranges::any_of(current, outside)) {
    return fail(not_in_line(lower, upper));
  }
  if (!current.empty() && current[0] == kNothing) {
    TRY_ASSIGN(current, relative_lower(symbols, upper, from, rules.strict));
  }
  TRY(all_revisions(current, lower));
  // Also proves that no current head includes another.
  TRY_ASSIGN(const Marks present, reach_apart(data, data.normalized, current));
  // What is applied already is not part of the range.
  for (std::size_t i = 0; i < present.size(); ++i) {
    result.members[i] = static_cast<unsigned char>(result.members[i] & (present[i] ^ 1U));
  }
  if (rules.inclusive) {
    TRY_ASSIGN(const NodeList ends, symbols.all(from));
    TRY(all_revisions(ends, from));
    for (const Node node : ends) {
      result.members[at(node)] = 1;
    }
  }
  // `a:b` in history: only descendants of `a`, not what `b` needs besides.
  if (!current.empty() && !rules.implicit_base) {
    TRY_ASSIGN(const Marks above, reach_apart(data, data.next, current));
    for (std::size_t i = 0; i < above.size(); ++i) {
      result.members[i] = static_cast<unsigned char>(result.members[i] & above[i]);
    }
  }
  return result;
}

Result<RevisionSet> revisions_to_drop(const Symbols& symbols, const RangeEnd& current, std::string_view target,
                                      std::vector<std::string>& warnings) {
  const GraphData& data = symbols.data();
  TRY_ASSIGN(const DowngradeTarget goal, downgrade_target(symbols, current, target, true, warnings));
  NodeList roots = roots_above(data, goal.node);
  const auto refuse = [&](const std::string& why) {
    return fail(Error(ErrorCode::InvalidDowngradeTarget,
                      "cannot downgrade to '" + std::string(target) + "' from " + current.text() + ": " + why)
                    .advise("name a revision below the current ones; see `athanor current` and `athanor history`"));
  };
  // A branch narrows a downgrade only where the target has several children.
  if (goal.branch && roots.size() > 1) {
    TRY_ASSIGN(const Node branch, symbols.branch(*goal.branch));
    const Node start[] = {branch};
    Marks line = data.no_marks();
    data.reach(data.down, start, line);
    std::erase_if(roots, [&](Node root) { return line[at(root)] == 0; });
    for (Node& root : roots) {
      root = data.owner[at(root)];
    }
    if (roots.empty()) {
      return refuse("nothing above it is on branch '" + *goal.branch + "'");
    }
  }
  RevisionSet result;
  TRY_ASSIGN(result.heads, symbols.all(current));
  TRY(all_revisions(result.heads, current));
  result.members = data.no_marks();
  Marks active = data.no_marks();
  data.reach(data.all_next, roots, result.members);
  data.reach(data.normalized, result.heads, active);
  bool any = false;
  for (std::size_t i = 0; i < active.size(); ++i) {
    result.members[i] = static_cast<unsigned char>(result.members[i] & active[i]);
    any = any || result.members[i] != 0;
  }
  // Nothing to take back is fine at the target itself, and an error for a target that is not applied.
  if (goal.node >= 0 && !any && std::ranges::find(result.heads, goal.node) == result.heads.end()) {
    return refuse("nothing above it is applied");
  }
  return result;
}

}  // namespace athanor
