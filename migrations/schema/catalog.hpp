// A catalog: the facts of one database and their dependencies. inspect() reads it, diff() compares two of them, and
// plan_changes() turns the difference into statements.
//
// Threads and ownership: a plain value; read-only after seal(), and then safe to read from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/schema/fact.hpp"

namespace athanor::schema {

// `from` needs `to`: from pg_depend, or implied by a kind's structure (a column needs its table).
struct Edge {
  std::uint32_t from = 0;  // indexes into Catalog::facts()
  std::uint32_t to = 0;
  [[nodiscard]] auto operator<=>(const Edge&) const = default;
};

// An object outside the filter that needs a fact: changing or dropping the fact affects an object that was not compared.
struct OutsideDependent {
  std::uint32_t on = 0;  // index into Catalog::facts()
  std::string object;    // "view audit.totals"
  [[nodiscard]] auto operator<=>(const OutsideDependent&) const = default;
};

class Catalog {
 public:
  // The server's version, 150018. Catalogs of different major versions are not comparable.
  int server_version = 0;
  // User objects of kinds that facts do not model, by kind ("operator class"). Reported to the user, never skipped silently.
  std::map<std::string, std::vector<std::string>> unmodelled{};

  // Adds a fact and returns its index, which is valid until seal(). Facts may be added in any order.
  std::uint32_t add(Fact fact);
  // Adds several facts; the first gets the index that add() would have returned.
  void add_all(std::vector<Fact> facts);
  void add_edge(std::uint32_t from, std::uint32_t to) { edges_.push_back({from, to}); }
  // Sorts facts by id, renumbers the edges and drops duplicates. Call it once; nothing may be added afterwards, and everything
  // below requires it.
  void seal();
  // Objects outside the filter that need one of these facts; sorted by fact after seal().
  void add_outside(OutsideDependent dependent) { outside_.push_back(std::move(dependent)); }
  [[nodiscard]] std::span<const OutsideDependent> outside() const { return outside_; }

  [[nodiscard]] std::span<const Fact> facts() const { return facts_; }
  [[nodiscard]] std::span<const Edge> edges() const { return edges_; }  // sorted by (from, to)
  // Null, or an empty optional, if there is no such fact. The pointer is valid as long as the catalog.
  [[nodiscard]] const Fact* find(const FactId& id) const;
  [[nodiscard]] std::optional<std::uint32_t> index_of(const FactId& id) const;
  // The edges from `fact` to what it needs, and those from its dependents.
  [[nodiscard]] std::span<const Edge> needs(std::uint32_t fact) const;
  [[nodiscard]] std::span<const Edge> needed_by(std::uint32_t fact) const;  // Edge::from needs Edge::to == fact
  // SHA-256 over all ids and attributes in order: equal for equal schemas. Used by drift.
  [[nodiscard]] std::string fingerprint() const;

 private:
  std::vector<Fact> facts_;
  std::vector<Edge> edges_;
  std::vector<Edge> reverse_;  // sorted by (to, from)
  std::vector<OutsideDependent> outside_;
};

}  // namespace athanor::schema
