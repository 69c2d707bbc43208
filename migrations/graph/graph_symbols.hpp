// What a symbol means: id, unique prefix, label, head, heads, base, label@symbol, symbol±N. Alembic's grammar to the letter,
// its oddities included.
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

// One end of a range: a symbol as typed, or the current heads of a database.
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

  // Every revision the symbol means; "base" means none. A walk off the end is kNothing, one down to base kBase.
  [[nodiscard]] Result<NodeList> all(std::string_view symbol) const;
  [[nodiscard]] Result<NodeList> all(const RangeEnd& end) const;
  // The one revision it means; kNothing for base.
  [[nodiscard]] Result<Node> one(std::string_view symbol) const;
  // The revision that stands for a branch: by label, id or prefix.
  [[nodiscard]] Result<Node> branch(std::string_view label) const;
  // Id, label or unique prefix, which must lie on `branch` when one is given.
  [[nodiscard]] Result<Node> ident(std::string_view id, const std::optional<std::string>& on_branch = std::nullopt) const;

  // Splits "branch@symbol" and resolves the symbol to ids.
  struct Resolution {
    std::vector<std::string> ids;
    std::optional<std::string> branch;
  };
  [[nodiscard]] Result<Resolution> resolution(std::string_view symbol) const;

  // `steps` up (positive, along `on_branch` if given) or down from `start`. Off the end: kNothing when `strict`, else the end.
  [[nodiscard]] Result<Node> walk(Node start, std::int64_t steps, const std::optional<std::string>& on_branch,
                                  bool strict) const;

  // Those of `targets` in line with what `lineage_of` means.
  [[nodiscard]] Result<NodeList> filter(const NodeList& targets, std::string_view lineage_of) const;

 private:
  [[nodiscard]] Result<Node> by_prefix(std::string_view prefix, const std::optional<std::string>& on_branch) const;
  [[nodiscard]] Result<std::vector<std::string>> heads_on(const std::string& branch) const;

  const GraphData& data_;
};

// The revisions in line with what a symbol means: ancestors, descendants, itself. The symbol is resolved at the first has(), as
// Alembic does: an unknown symbol is no error as long as there is nothing to compare it with.
class Lineage {
 public:
  [[nodiscard]] static Result<Lineage> of(const Symbols& symbols, std::string_view symbol, bool dependencies = false);
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
  Marks named_;  // the revisions named
  Marks line_;   // all in line with them; unused when every question walks by itself
};

}  // namespace athanor
