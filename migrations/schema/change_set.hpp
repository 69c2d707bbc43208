// Decides what happens to every fact of two catalogs: kept, changed in place, destroyed or produced.
//
// The difference lists removed, added and changed facts; the rules know which changes PostgreSQL can make in place. The result
// is closed over dependencies: whatever needs a destroyed fact is destroyed before it and produced again after it, even if it
// did not change, unless its rule can keep it. For example, a column moves to the new type, and a partition is detached and
// attached again.
//
// Threads and ownership: one thread; borrows the two catalogs, which must be sealed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "migrations/schema/change_dependencies.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/diff.hpp"

namespace athanor::schema {

class ChangeSet {
 public:
  ChangeSet(const Catalog& before, const Catalog& after, Style style);
  // Decides for all facts. Call it once, before any query below.
  void settle(SchemaDiff difference);

  const Catalog& before;
  const Catalog& after;
  const Dependencies old_dependencies;
  const Dependencies new_dependencies;
  const Style style;
  const int version;  // of the server, 15 for 150018

  [[nodiscard]] const Fact& old_fact(std::uint32_t index) const { return before.facts()[index]; }
  [[nodiscard]] const Fact& new_fact(std::uint32_t index) const { return after.facts()[index]; }
  [[nodiscard]] const Fact& old_fact(const FactChange& change) const { return old_fact(change.before); }
  [[nodiscard]] const Fact& new_fact(const FactChange& change) const { return new_fact(change.after); }
  // The same fact on the other side; kNoFact if there is none.
  [[nodiscard]] std::uint32_t after_of(std::uint32_t old_index) const { return after_of_[old_index]; }
  [[nodiscard]] std::uint32_t before_of(std::uint32_t new_index) const { return before_of_[new_index]; }

  // Whether the old fact is dropped, or the new one created; both for a fact that is recreated.
  [[nodiscard]] bool destroyed(std::uint32_t old_index) const { return destroyed_[old_index]; }
  [[nodiscard]] bool produced(std::uint32_t new_index) const { return produced_[new_index]; }
  // A type that is renamed out of the way first, because columns move from it to the new one.
  [[nodiscard]] bool swapped(std::uint32_t old_index) const { return swapped_.contains(old_index); }
  // A column whose type is recreated under the same name.
  [[nodiscard]] bool retyped(std::uint32_t old_index) const { return retyped_.contains(old_index); }
  // Facts that are unbound from a fact that is recreated or changed, and bound again: partitions, inheritance, typed tables,
  // entries of publications.
  [[nodiscard]] const std::set<std::uint32_t>& loosened() const { return loosened_; }
  [[nodiscard]] const std::set<std::uint32_t>& swapped_types() const { return swapped_; }
  // Changes in place, by old index. Columns that only move to a recreated type are included, with an empty list of attributes.
  [[nodiscard]] const std::map<std::uint32_t, FactChange>& changes() const { return changes_; }
  // Whether this attribute of the old fact changes in place.
  [[nodiscard]] bool changes(std::uint32_t old_index, std::string_view attribute) const;
  // The old fact whose destruction caused that of this one; itself if the difference removed it or its rule replaces it.
  [[nodiscard]] std::uint32_t cause(std::uint32_t old_index) const { return causes_.at(old_index); }

  // Whether this plan creates the table (or other relation) of a column, index or constraint, so that it has no rows yet.
  [[nodiscard]] bool on_new_relation(std::uint32_t new_index) const;
  // The relation that a column, index, constraint, … belongs to, in the new or the old catalog; kNoFact if there is none.
  [[nodiscard]] std::uint32_t new_relation(const FactId& child) const {
    return find_relation(after, child.schema, child.parent);
  }
  [[nodiscard]] std::uint32_t old_relation(const FactId& child) const {
    return find_relation(before, child.schema, child.parent);
  }

 private:
  void pair(SchemaDiff& difference);
  void destroy(std::uint32_t old_index, std::uint32_t cause);
  void disturb(std::uint32_t old_index, std::uint32_t cause);
  void spread(std::uint32_t old_index);
  void move_to_new_type(std::uint32_t column);
  void decide_swaps();

  std::vector<std::uint32_t> after_of_;
  std::vector<std::uint32_t> before_of_;
  std::vector<bool> destroyed_;
  std::vector<bool> produced_;
  std::set<std::uint32_t> swapped_;
  std::set<std::uint32_t> retyped_;
  std::set<std::uint32_t> loosened_;
  std::map<std::uint32_t, FactChange> changes_;
  std::map<std::uint32_t, std::uint32_t> causes_;
  std::vector<std::uint32_t> pending_;
};

}  // namespace athanor::schema
