// What the facts of one catalog need, with the structure that their ids and attributes name added to the edges of pg_depend: a
// column needs its table, a comment its object, a partition its parent.
//
// A sequence does not need the column that owns it here: ownership is an attribute, set when both are there.
//
// Threads and ownership: a value; borrows the catalog.
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

  [[nodiscard]] std::span<const std::uint32_t> needs(std::uint32_t fact) const { return slice(needs_, fact); }
  [[nodiscard]] std::span<const std::uint32_t> needed_by(std::uint32_t fact) const { return slice(needed_by_, fact); }
  [[nodiscard]] bool needs(std::uint32_t fact, std::uint32_t other) const;
  // The fact that it is a part of and goes with: a column's table, a default's column, a comment's object; kNoFact for others.
  [[nodiscard]] std::uint32_t parent(std::uint32_t fact) const { return parents_[fact]; }

 private:
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

// The relation of that name: a table, view, materialized view, sequence or composite type.
[[nodiscard]] std::uint32_t find_relation(const Catalog& catalog, std::string_view schema, std::string_view name);
[[nodiscard]] std::uint32_t find_fact(const Catalog& catalog, Kind kind, std::string_view schema, std::string_view name);
[[nodiscard]] std::uint32_t find_column(const Catalog& catalog, std::string_view schema, std::string_view table,
                                        std::string_view name);
[[nodiscard]] std::uint32_t find_default(const Catalog& catalog, const FactId& column);

}  // namespace athanor::schema
