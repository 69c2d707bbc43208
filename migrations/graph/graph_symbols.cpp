#include "migrations/graph/graph_symbols.hpp"

#include <algorithm>
#include <cctype>

namespace athanor {
namespace {

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// Reads a number like Python's int(). Only sign and approximate size matter, so it saturates.
std::optional<std::int64_t> number_in(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && space(text.back())) {
    text.remove_suffix(1);
  }
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text.empty() || text.front() == '_' || text.back() == '_') {
    return std::nullopt;
  }
  std::int64_t value = 0;
  char before = '0';
  for (const char c : text) {
    if (c == '_' ? before == '_' : (c < '0' || c > '9')) {
      return std::nullopt;
    }
    before = c;
    if (c != '_' && value < INT32_MAX) {
      value = value * 10 + (c - '0');
    }
  }
  return negative ? -value : value;
}

Error several_heads(const std::vector<std::string>& heads, std::string_view symbol) {
  return Error(ErrorCode::MultipleHeads, "several revisions match " + quoted(symbol) + ": " + joined_ids(heads))
      .advise("name one of them, narrow it down with '<branch>@head', use 'heads' for all of them, or merge the branches");
}

}  // namespace

std::string RangeEnd::text() const {
  return names.empty() ? "base" : joined_ids(names);
}

Result<Symbols::Resolution> Symbols::resolution(std::string_view symbol) const {
  Resolution result;
  if (const auto split = symbol.find('@'); split != std::string_view::npos) {
    result.branch = std::string(symbol.substr(0, split));
    symbol = symbol.substr(split + 1);
  }
  // "@head" with an empty branch means the same as "head".
  const bool narrowed = result.branch && !result.branch->empty();
  if (symbol == "heads") {
    if (narrowed) {
      TRY_ASSIGN(result.ids, heads_on(*result.branch));
    } else {
      result.ids = data_.ids(data_.effective_heads);
    }
  } else if (symbol == "head") {
    if (narrowed) {
      TRY_ASSIGN(result.ids, heads_on(*result.branch));
    } else {
      result.ids = data_.ids(data_.heads);
    }
    if (result.ids.size() > 1) {
      return fail(several_heads(result.ids, narrowed ? *result.branch + "@head" : "head"));
    }
  } else if (symbol != "base") {
    result.ids.emplace_back(symbol);
  }
  return result;
}

Result<std::vector<std::string>> Symbols::heads_on(const std::string& branch) const {
  TRY_ASSIGN(const NodeList heads, filter(data_.heads, branch));
  return data_.ids(heads);
}

Result<NodeList> Symbols::filter(const NodeList& targets, std::string_view lineage_of) const {
  TRY_ASSIGN(Lineage lineage, Lineage::of(*this, lineage_of));
  NodeList result;
  for (const Node target : targets) {
    TRY_ASSIGN(const bool in_line, lineage.has(target));
    if (in_line) {
      result.push_back(target);
    }
  }
  return result;
}

Result<NodeList> Symbols::all(std::string_view symbol) const {
  TRY_ASSIGN(const Resolution found, resolution(symbol));
  NodeList result;
  if (found.ids.size() == 1) {
    // Alembic reads "-2" as two steps down from every head, on the branch if there is one.
    if (const auto steps = number_in(found.ids[0]); steps && *steps < 0) {
      for (const Node head : data_.effective_heads) {
        if (!found.branch || data_.has_label(head, *found.branch)) {
          TRY_ASSIGN(const Node end, walk(head, *steps, std::nullopt, true));
          result.push_back(end);
        }
      }
      return result;
    }
  }
  for (const std::string& id : found.ids) {
    TRY_ASSIGN(const Node node, ident(id, found.branch));
    result.push_back(node);
  }
  return result;
}

Result<NodeList> Symbols::all(const RangeEnd& end) const {
  NodeList result;
  for (const std::string& name : end.names) {
    if (const Node node = data_.owner_of(name); node != kNothing && name != "heads" && name != "head" && name != "base") {
      result.push_back(node);  // avoids parsing ten thousand heads one by one
      continue;
    }
    TRY_ASSIGN(const NodeList nodes, all(name));
    result.insert(result.end(), nodes.begin(), nodes.end());
  }
  return result;
}

Result<Node> Symbols::one(std::string_view symbol) const {
  TRY_ASSIGN(const Resolution found, resolution(symbol));
  if (found.ids.size() > 1) {
    return fail(several_heads(found.ids, symbol));
  }
  if (found.ids.empty()) {
    if (found.branch && !found.branch->empty()) {
      TRY(branch(*found.branch));
    }
    return kNothing;
  }
  return ident(found.ids[0], found.branch);
}

Result<Node> Symbols::branch(std::string_view label) const {
  if (const auto found = data_.names.find(label); found != data_.names.end()) {
    return found->second;
  }
  auto node = ident(label);
  if (!node && node.error().code == ErrorCode::UnknownRevision) {
    node.error().message = "there is no branch " + quoted(label);
    node.error().hint = "use a branch label or a revision id; `athanor branches` lists them";
  }
  return node;
}

Result<Node> Symbols::ident(std::string_view id, const std::optional<std::string>& on_branch) const {
  const bool narrowed = on_branch && !on_branch->empty();
  Node branch_node = kNothing;
  if (narrowed) {
    TRY_ASSIGN(branch_node, branch(*on_branch));
  }
  Node node = kNothing;
  if (const auto found = data_.names.find(id); found != data_.names.end()) {
    node = found->second;
  } else {
    TRY_ASSIGN(node, by_prefix(id, narrowed ? on_branch : std::nullopt));
  }
  if (narrowed) {
    TRY_ASSIGN(Lineage lineage, Lineage::of(*this, data_.id(branch_node)));
    TRY_ASSIGN(const bool member, lineage.has(data_.id(node)));
    if (!member) {
      return fail(
          Error(ErrorCode::UnknownRevision, "revision " + quoted(data_.id(node)) + " is not on branch " + quoted(*on_branch))
              .advise("leave out the branch, or name a revision on it"));
    }
  }
  return node;
}

Result<Node> Symbols::by_prefix(std::string_view prefix, const std::optional<std::string>& on_branch) const {
  if (prefix.empty()) {
    return fail(Error(ErrorCode::InvalidTarget, "the target does not name a revision")
                    .advise("give a revision id, a unique prefix of one, a branch label, 'head', 'heads' or 'base'"));
  }
  std::vector<std::string> matches;
  Node match = kNothing;
  std::optional<Lineage> lineage;
  if (on_branch) {
    TRY_ASSIGN(lineage, Lineage::of(*this, *on_branch));
  }
  const auto consider = [&](std::string_view name, Node node) -> Result<void> {
    // Alembic considers only names of four or more characters.
    if (name.size() <= 3 || !name.starts_with(prefix)) {
      return {};
    }
    if (lineage) {
      TRY_ASSIGN(const bool in_line, lineage->has(name));
      if (!in_line) {
        return {};
      }
    }
    matches.emplace_back(name);
    match = node;
    return {};
  };
  for (const Node node : data_.order) {
    TRY(consider(data_.id(node), node));
  }
  for (const auto& [label, node] : data_.labels) {
    TRY(consider(label, node));
  }
  if (matches.empty()) {
    return fail(Error(ErrorCode::UnknownRevision, "unknown revision or branch: " + quoted(prefix) +
                                                      (on_branch ? " on branch " + quoted(*on_branch) : std::string()))
                    .advise(prefix.size() < 4 ? "check the spelling; only ids of four characters and more can be shortened"
                                              : "check the spelling, and that the file of this revision is present"));
  }
  if (matches.size() > 1) {
    return fail(
        Error(ErrorCode::AmbiguousPrefix, "several revisions begin with " + quoted(prefix) + ": " + joined_ids(matches, 3))
            .advise("give more characters of the id"));
  }
  return match;
}

Result<Node> Symbols::walk(Node start, std::int64_t steps, const std::optional<std::string>& on_branch, bool strict) const {
  const bool narrowed = on_branch && !on_branch->empty();
  std::optional<Lineage> lineage;
  Node here = start;
  for (std::int64_t left = steps < 0 ? -steps : steps; left > 0; --left) {
    NodeList next;
    if (steps > 0) {
      const auto above = here == kNothing ? std::span<const Node>(data_.bases) : data_.next.of(here);
      if (narrowed && !lineage) {
        TRY_ASSIGN(lineage, Lineage::of(*this, *on_branch));
      }
      for (const Node node : above) {
        TRY_ASSIGN(const bool wanted, lineage ? lineage->has(node) : Result<bool>(true));
        if (wanted) {
          next.push_back(node);
        }
      }
    } else if (here != kBase) {
      const auto below = here == kNothing ? std::span<const Node>(data_.heads) : data_.down.of(here);
      next.assign(below.begin(), below.end());
      if (next.empty()) {
        next.push_back(kBase);
      }
    }
    if (next.empty()) {
      return strict ? kNothing : here;
    }
    if (next.size() > 1) {
      return fail(
          Error(ErrorCode::AmbiguousWalk, "the walk from " + (here >= 0 ? quoted(data_.id(here)) : std::string("the start")) +
                                              (steps > 0 ? " up" : " down") + " can go on to " + joined_ids(data_.ids(next)))
              .advise("name the revision to go to, or narrow it down with '<branch>@'"));
    }
    here = next[0];
  }
  return here;
}

Result<Lineage> Lineage::of(const Symbols& symbols, std::string_view symbol, bool dependencies) {
  TRY_ASSIGN(Symbols::Resolution found, symbols.resolution(symbol));
  std::vector<std::string> names;
  if (found.branch && !found.branch->empty()) {
    names.push_back(*found.branch);
  }
  names.insert(names.end(), found.ids.begin(), found.ids.end());
  return Lineage(symbols, std::move(names), dependencies);
}

Result<void> Lineage::look_up() {
  const GraphData& data = symbols_->data();
  NodeList nodes;
  for (const std::string& name : names_) {
    TRY_ASSIGN(const Node node, symbols_->ident(name));
    nodes.push_back(node);
  }
  named_ = data.no_marks();
  for (const Node node : nodes) {
    named_[at(node)] = 1;
  }
  if (!dependencies_ && !data.has_shadowed) {  // then "in line" is symmetric, and one walk from here answers every has()
    line_ = data.no_marks();
    Marks below = data.no_marks();
    data.reach(data.next, nodes, line_);
    data.reach(data.down, nodes, below);
    for (std::size_t i = 0; i < line_.size(); ++i) {
      line_[i] = static_cast<unsigned char>(line_[i] | below[i]);
    }
  }
  looked_up_ = true;
  return {};
}

Result<bool> Lineage::has(std::string_view id) {
  if (names_.empty()) {
    return true;
  }
  TRY_ASSIGN(const Node node, symbols_->ident(id));
  return has(node);
}

Result<bool> Lineage::has(Node node) {
  if (names_.empty()) {
    return true;
  }
  if (node < 0) {
    return fail(Error(ErrorCode::InvalidTarget, "base is not on a branch").advise("name a revision"));
  }
  if (!looked_up_) {
    TRY(look_up());
  }
  if (!line_.empty()) {
    return line_[at(node)] != 0;
  }
  const GraphData& data = symbols_->data();
  return touches(dependencies_ ? data.all_next : data.next, node) || touches(dependencies_ ? data.normalized : data.down, node);
}

bool Lineage::touches(const Edges& edges, Node node) const {
  Marks seen = symbols_->data().no_marks();
  const Node start[] = {node};
  symbols_->data().reach(edges, start, seen);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (seen[i] != 0 && named_[i] != 0) {
      return true;
    }
  }
  return false;
}

Error unknown_head(const Symbols& symbols, const std::vector<std::string>& current, Error error) {
  if (error.code != ErrorCode::UnknownRevision) {
    return error;
  }
  for (const std::string& head : current) {
    if (!symbols.ident(head) && error.message.find("'" + head + "'") != std::string::npos) {
      return Error(ErrorCode::UnknownDatabaseRevision,
                   "the version table holds revision '" + head + "', which has no revision file")
          .advise(
              "restore its file, or check that this folder belongs to the database; `athanor stamp --purge` replaces the row");
    }
  }
  return error;
}

}  // namespace athanor
