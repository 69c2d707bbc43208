// A catalog: the facts of one database and how they depend on each other. The value that inspect() makes, that diff() compares
// and that plan_changes() turns into statements.
//
// Threads and ownership: a plain value; constant after seal().
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

// "From needs to": from pg_depend, or from a kind's own structure (a column needs its table).
struct Edge {
  std::uint32_t from = 0;  // indexes into Catalog::facts()
  std::uint32_t to = 0;
  [[nodiscard]] auto operator<=>(const Edge&) const = default;
};

// An object that the filter left out needs a fact: changing or dropping the fact affects what nobody looked at.
struct OutsideDependent {
  std::uint32_t on = 0;  // index into Catalog::facts()
  std::string object;    // "view audit.totals"
  [[nodiscard]] auto operator<=>(const OutsideDependent&) const = default;
};

class Catalog {
 public:
  // The server's version, 150018. Catalogs of different major versions are not comparable.
  int server_version = 0;
  // User objects of kinds that facts do not model: "operator class" and how many. Named to the user, never skipped silently.
  std::map<std::string, std::vector<std::string>> unmodelled{};

  // Facts may be added in any order; the index is valid until seal().
  std::uint32_t add(Fact fact);
  // Many at once: the first has the index that add() would have returned.
  void add_all(std::vector<Fact> facts);
  void add_edge(std::uint32_t from, std::uint32_t to) { edges_.push_back({from, to}); }
  // Sorts facts by id and edges with them, drops duplicate edges. Nothing may be added afterwards.
  void seal();
  // What the filter of inspect() hides and what needs one of these facts; after seal() sorted by fact.
  void add_outside(OutsideDependent dependent) { outside_.push_back(std::move(dependent)); }
  [[nodiscard]] std::span<const OutsideDependent> outside() const { return outside_; }

  [[nodiscard]] std::span<const Fact> facts() const { return facts_; }
  [[nodiscard]] std::span<const Edge> edges() const { return edges_; }  // sorted by (from, to)
  [[nodiscard]] const Fact* find(const FactId& id) const;
  [[nodiscard]] std::optional<std::uint32_t> index_of(const FactId& id) const;
  // What `fact` needs, and what needs it.
  [[nodiscard]] std::span<const Edge> needs(std::uint32_t fact) const;
  [[nodiscard]] std::span<const Edge> needed_by(std::uint32_t fact) const;  // Edge::from needs Edge::to == fact
  // SHA-256 over all ids and attributes in order: equal for equal schemas. The fingerprint that drift compares.
  [[nodiscard]] std::string fingerprint() const;

 private:
  std::vector<Fact> facts_;
  std::vector<Edge> edges_;
  std::vector<Edge> reverse_;  // sorted by (to, from)
  std::vector<OutsideDependent> outside_;
};

}  // namespace athanor::schema
