// Resolves a symbol: id, unique prefix, label, head, heads, base, label@symbol, symbol±N. Follows Alembic's grammar exactly,
// including its oddities.
//
// Threads: const over the immutable graph. Ownership: views the graph, which must outlive it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/graph/graph_data.hpp"

namespace athanor {

class Lineage;

// One end of a range: a symbol that the user typed, or the current heads of a database.
struct RangeEnd {
  std::vector<std::string> names;
  bool typed = false;

  [[nodiscard]] static RangeEnd symbol(std::string_view text) { return {{std::string(text)}, true}; }
  [[nodiscard]] static RangeEnd heads(std::vector<std::string> ids) { return {std::move(ids), false}; }
  [[nodiscard]] std::string text() const;  // for messages
};

class Symbols {
 public:
  explicit Symbols(const GraphData& data) : data_(data) {}
  [[nodiscard]] const GraphData& data() const { return data_; }

  // All revisions that the symbol denotes; none for "base". A walk past the end yields kNothing, a walk down to base kBase.
  [[nodiscard]] Result<NodeList> all(std::string_view symbol) const;
  [[nodiscard]] Result<NodeList> all(const RangeEnd& end) const;
  // The one revision that the symbol denotes; kNothing for base.
  [[nodiscard]] Result<Node> one(std::string_view symbol) const;
  // The revision that identifies a branch, by label, id or prefix.
  [[nodiscard]] Result<Node> branch(std::string_view label) const;
  // The revision with this id, label or unique prefix, which must be on the branch if one is given.
  [[nodiscard]] Result<Node> ident(std::string_view id, const std::optional<std::string>& on_branch = std::nullopt) const;

  // Splits "branch@symbol" and resolves the symbol to ids.
  struct Resolution {
    std::vector<std::string> ids;
    std::optional<std::string> branch;
  };
  [[nodiscard]] Result<Resolution> resolution(std::string_view symbol) const;

  // Walks `steps` up (positive; along `on_branch` if given) or down from `start`. Past the end: kNothing if `strict`, otherwise
  // the end.
  [[nodiscard]] Result<Node> walk(Node start, std::int64_t steps, const std::optional<std::string>& on_branch,
                                  bool strict) const;

  // The targets that are ancestors or descendants of what `lineage_of` denotes.
  [[nodiscard]] Result<NodeList> filter(const NodeList& targets, std::string_view lineage_of) const;

 private:
  [[nodiscard]] Result<Node> by_prefix(std::string_view prefix, const std::optional<std::string>& on_branch) const;
  [[nodiscard]] Result<std::vector<std::string>> heads_on(const std::string& branch) const;

  const GraphData& data_;
};

// The lineage of a symbol: its revisions, their ancestors and their descendants. The symbol is resolved at the first has(), as
// in Alembic: an unknown symbol is not an error while there is nothing to compare it with.
class Lineage {
 public:
  // `dependencies`: follow depends_on edges, too.
  [[nodiscard]] static Result<Lineage> of(const Symbols& symbols, std::string_view symbol, bool dependencies = false);
  // Whether the revision is in line. Always true for the lineage of base. Error: InvalidTarget for base itself.
  [[nodiscard]] Result<bool> has(Node node);
  [[nodiscard]] Result<bool> has(std::string_view id);

 private:
  Lineage(const Symbols& symbols, std::vector<std::string> names, bool dependencies)
      : symbols_(&symbols), names_(std::move(names)), dependencies_(dependencies) {}
  Result<void> look_up();
  [[nodiscard]] bool touches(const Edges& edges, Node node) const;

  const Symbols* symbols_;
  std::vector<std::string> names_;
  bool dependencies_;
  bool looked_up_ = false;
  Marks named_;  // the revisions that the symbol denotes
  Marks line_;   // their whole lineage; unused when each has() does its own walk
};

// For an error about one of `current` that has no revision file: names the version table and what to do, so that nobody takes
// it for a mistyped target. Any other error is returned unchanged.
[[nodiscard]] Error unknown_head(const Symbols& symbols, const std::vector<std::string>& current, Error error);

}  // namespace athanor
