#include "migrations/graph/graph_target.hpp"

#include <algorithm>

namespace athanor {
namespace {

bool word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Reads symbol and number at the beginning of `text`.
std::optional<RelativeTarget> without_branch(std::string_view text) {
  RelativeTarget target;
  std::size_t end = 0;
  while (end < text.size() && word_character(text[end])) {
    ++end;
  }
  if (end > 0) {
    target.symbol = std::string(text.substr(0, end));
  }
  const std::size_t sign = end;
  if (sign == text.size() || (text[sign] != '+' && text[sign] != '-')) {
    return std::nullopt;
  }
  for (++end; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end) {
    if (target.steps < INT32_MAX) {
      target.steps = target.steps * 10 + (text[end] - '0');
    }
  }
  if (end == sign + 1) {
    return std::nullopt;
  }
  if (text[sign] == '-') {
    target.steps = -target.steps;
  }
  target.text = std::string(text.substr(sign, end - sign));
  return target;
}

Error out_of_range(const RelativeTarget& target) {
  return Error(ErrorCode::RelativeOutOfRange, "there are fewer revisions than '" + target.text + "' asks for")
      .advise("use a smaller number, or name the revision to go to");
}

Error walked_too_far(std::string_view target) {
  return Error(ErrorCode::WalkedTooFar, "'" + std::string(target) + "' leads beyond the end of the history")
      .advise("use a smaller number, or name the revision to go to");
}

// The applied revisions on the branch that have no applied child there: the current position of the branch.
Result<NodeList> tips_on_branch(const Symbols& symbols, const NodeList& heads, const std::string& branch) {
  const GraphData& data = symbols.data();
  Marks active = data.no_marks();
  data.reach(data.normalized, heads, active);
  TRY_ASSIGN(Lineage lineage, Lineage::of(symbols, branch));
  Marks covered = data.no_marks();
  NodeList on_branch;
  for (Node node = 0; node < static_cast<Node>(data.size()); ++node) {
    if (active[at(node)] == 0) {
      continue;
    }
    TRY_ASSIGN(const bool member, lineage.has(node));
    if (member) {
      on_branch.push_back(node);
      for (const Node below : data.normalized.of(node)) {
        covered[at(below)] = 1;
      }
    }
  }
  std::erase_if(on_branch, [&](Node node) { return covered[at(node)] != 0; });
  return on_branch;
}

// The revision to count up from when none is named: the only head, on the branch if one is given.
Result<Node> upgrade_start(const Symbols& symbols, const RangeEnd& current, const RelativeTarget& target) {
  NodeList starts;
  if (target.branch) {
    TRY_ASSIGN(const NodeList heads, symbols.all(current));
    TRY_ASSIGN(starts, symbols.filter(heads, *target.branch));
    if (starts.empty()) {
      TRY_ASSIGN(starts, tips_on_branch(symbols, heads, *target.branch));
    }
  } else if (current.names.size() == 1) {
    return symbols.one(current.names[0]);
  }
  if (starts.size() > 1 || (!target.branch && current.names.size() > 1)) {
    return fail(Error(ErrorCode::AmbiguousWalk, "'" + target.text + "' can count from several revisions: " +
                                                    (starts.empty() ? current.text() : joined_ids(symbols.data().ids(starts))))
                    .advise("name the branch ('<branch>@" + target.text + "') or the revision to go to"));
  }
  return starts.empty() ? kNothing : starts[0];
}

Result<Node> named_start(const Symbols& symbols, const RelativeTarget& target) {
  return symbols.one(target.branch ? *target.branch + "@" + *target.symbol : *target.symbol);
}

// Without a named revision, "-N" counts from the first head and "branch@-N" from the only head of the branch.
Result<std::string> downgrade_start(const Symbols& symbols, const RangeEnd& current, RelativeTarget& target,
                                    std::vector<std::string>& warnings) {
  if (!target.branch) {
    if (current.names.empty()) {
      return fail(out_of_range(target));
    }
    if (std::ranges::any_of(current.names, [&](const std::string& name) { return name != current.names[0]; })) {
      warnings.push_back("'" + target.text + "' is ambiguous with several rows in the version table; counting from '" +
                         current.names[0] + "'. Name the branch: '<branch>@" + target.text + "'");
    }
    target.branch = current.names[0];
    return current.names[0];
  }
  std::vector<std::string> starts;
  TRY_ASSIGN(Lineage lineage, Lineage::of(symbols, *target.branch));
  for (const std::string& name : current.names) {
    TRY_ASSIGN(const bool member, lineage.has(name));
    if (member) {
      starts.push_back(name);
    }
  }
  if (starts.empty()) {
    // The branch may be applied without a head of its own, because other heads depend on it.
    const GraphData& data = symbols.data();
    TRY_ASSIGN(const NodeList heads, symbols.all(current));
    Marks active = data.no_marks();
    data.reach(data.normalized, heads, active);
    for (Node node = 0; node < static_cast<Node>(data.size()); ++node) {
      const auto above = data.next.of(node);
      if (active[at(node)] != 0 && std::ranges::none_of(above, [&](Node child) { return active[at(child)] != 0; })) {
        TRY_ASSIGN(const bool member, lineage.has(node));
        if (member) {
          starts.push_back(data.id(node));
        }
      }
    }
  }
  if (starts.empty()) {
    return fail(Error(ErrorCode::RelativeOutOfRange, "nothing of branch '" + *target.branch + "' is applied, so '" +
                                                         *target.branch + "@" + target.text + "' has no starting point")
                    .advise("see `athanor current` for what is applied"));
  }
  if (starts.size() > 1) {
    return fail(Error(ErrorCode::AmbiguousWalk,
                      "'" + *target.branch + "@" + target.text + "' can count from several revisions: " + joined_ids(starts))
                    .advise("name the revision to go to"));
  }
  return starts[0];
}

}  // namespace

std::optional<RelativeTarget> relative_target(std::string_view target) {
  // Try each '@': a branch may itself contain one.
  for (std::size_t split = target.find('@', 1); split != std::string_view::npos; split = target.find('@', split + 1)) {
    if (auto found = without_branch(target.substr(split + 1))) {
      found->branch = std::string(target.substr(0, split));
      return found;
    }
  }
  return without_branch(target);
}

Result<NodeList> upgrade_targets(const Symbols& symbols, const RangeEnd& current, const RangeEnd& target, bool strict) {
  const auto relative = target.typed ? relative_target(target.names[0]) : std::nullopt;
  if (!relative) {
    return symbols.all(target);
  }
  Node start = kNothing;
  if (relative->symbol) {
    if (relative->steps > 0) {
      TRY_ASSIGN(start, symbols.one(*relative->symbol));
    } else {
      TRY_ASSIGN(start, named_start(symbols, *relative));
    }
  } else if (relative->steps > 0) {
    TRY_ASSIGN(start, upgrade_start(symbols, current, *relative));
  } else {
    return fail(out_of_range(*relative));
  }
  TRY_ASSIGN(const Node end,
             symbols.walk(start, relative->steps, relative->steps > 0 ? relative->branch : std::nullopt, strict));
  if (end == kNothing && !relative->symbol) {
    return fail(out_of_range(*relative));
  }
  return NodeList{end};
}

Result<DowngradeTarget> downgrade_target(const Symbols& symbols, const RangeEnd& current, std::string_view target, bool strict,
                                         std::vector<std::string>& warnings) {
  DowngradeTarget result;
  auto relative = relative_target(target);
  if (!relative) {
    const auto split = target.rfind('@');
    if (split != std::string_view::npos && split > 0) {
      result.branch = std::string(target.substr(0, split));
    }
    TRY_ASSIGN(result.node, symbols.one(split == std::string_view::npos ? target : target.substr(split + 1)));
    return result;
  }
  const bool counted_from_rows = !relative->symbol;
  Node start = kNothing;
  if (relative->steps >= 0) {
    if (counted_from_rows) {
      return fail(out_of_range(*relative));
    }
    TRY_ASSIGN(start, symbols.one(*relative->symbol));
    TRY_ASSIGN(result.node, symbols.walk(start, relative->steps, relative->branch, strict));
  } else {
    if (counted_from_rows) {
      TRY_ASSIGN(relative->symbol, downgrade_start(symbols, current, *relative, warnings));
    }
    TRY_ASSIGN(start, named_start(symbols, *relative));
    TRY_ASSIGN(result.node, symbols.walk(start, relative->steps, std::nullopt, strict));
  }
  if (result.node == kNothing) {
    return fail(relative->steps < 0 && counted_from_rows ? out_of_range(*relative) : walked_too_far(target));
  }
  result.branch = relative->branch;
  return result;
}

}  // namespace athanor
