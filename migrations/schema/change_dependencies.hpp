// The dependencies between the facts of one catalog: the edges of pg_depend, and those that ids and attributes imply. For
// example, a column needs its table, a comment its object, a partition its parent.
//
// A sequence does not need the column that owns it: ownership is an attribute that is set when both exist.
//
// Threads and ownership: a constant value; borrows the catalog, which must be sealed.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

inline constexpr std::uint32_t kNoFact = std::numeric_limits<std::uint32_t>::max();

class Dependencies {
 public:
  explicit Dependencies(const Catalog& catalog);

  // The facts that `fact` needs, sorted by index.
  [[nodiscard]] std::span<const std::uint32_t> needs(std::uint32_t fact) const { return slice(needs_, fact); }
  // The facts that need `fact`, sorted by index.
  [[nodiscard]] std::span<const std::uint32_t> needed_by(std::uint32_t fact) const { return slice(needed_by_, fact); }
  [[nodiscard]] bool needs(std::uint32_t fact, std::uint32_t other) const;
  // The fact that this one is part of and is dropped with: a column's table, a default's column, a comment's object. kNoFact if
  // there is none.
  [[nodiscard]] std::uint32_t parent(std::uint32_t fact) const { return parents_[fact]; }

 private:
  // All lists of targets in one vector: those of fact i lie between starts[i] and starts[i + 1].
  struct Adjacency {
    std::vector<std::uint32_t> starts{};
    std::vector<std::uint32_t> targets{};
  };
  [[nodiscard]] static std::span<const std::uint32_t> slice(const Adjacency& adjacency, std::uint32_t fact) {
    return std::span(adjacency.targets).subspan(adjacency.starts[fact], adjacency.starts[fact + 1] - adjacency.starts[fact]);
  }
  static Adjacency build(std::size_t facts, std::vector<Edge> edges);

  std::vector<std::uint32_t> parents_;
  Adjacency needs_;
  Adjacency needed_by_;
};

// Each returns kNoFact if there is no such fact. find_relation() finds a table, view, materialized view, sequence or composite
// type.
[[nodiscard]] std::uint32_t find_relation(const Catalog& catalog, std::string_view schema, std::string_view name);
[[nodiscard]] std::uint32_t find_fact(const Catalog& catalog, Kind kind, std::string_view schema, std::string_view name);
[[nodiscard]] std::uint32_t find_column(const Catalog& catalog, std::string_view schema, std::string_view table,
                                        std::string_view name);
[[nodiscard]] std::uint32_t find_default(const Catalog& catalog, const FactId& column);

}  // namespace athanor::schema
