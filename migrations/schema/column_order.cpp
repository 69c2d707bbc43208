#include "migrations/schema/column_order.hpp"

#include <algorithm>
#include <set>

#include "migrations/schema/attributes.hpp"

namespace athanor::schema {
namespace {

bool has_generated_column(const ChangeSet& changes, std::uint32_t table) {
  return std::ranges::any_of(changes.new_dependencies.needed_by(table), [&](std::uint32_t index) {
    const Fact& fact = changes.new_fact(index);
    return fact.id.kind == Kind::Column && fact.has(attribute::kGenerated) && changes.new_dependencies.parent(index) == table;
  });
}

// Everything that the fact needs, at any depth.
std::set<std::uint32_t> all_needs(const ChangeSet& changes, std::uint32_t fact) {
  std::set<std::uint32_t> found;
  std::vector<std::uint32_t> pending{fact};
  while (!pending.empty()) {
    const std::uint32_t next = pending.back();
    pending.pop_back();
    for (const std::uint32_t needed : changes.new_dependencies.needs(next)) {
      if (found.insert(needed).second) {
        pending.push_back(needed);
      }
    }
  }
  return found;
}

// Whether the generated column needs something that needs a table with generated columns: its own, or one whose generated
// column may need this table in turn.
bool must_follow_table(const ChangeSet& changes, std::uint32_t table, std::uint32_t column) {
  if (!changes.new_fact(column).has(attribute::kGenerated)) {
    return false;
  }
  return std::ranges::any_of(changes.new_dependencies.needs(column), [&](std::uint32_t needed) {
    if (needed == table || changes.new_dependencies.parent(needed) == table) {
      return false;
    }
    return std::ranges::any_of(all_needs(changes, needed), [&](std::uint32_t index) {
      return changes.new_fact(index).id.kind == Kind::Table && has_generated_column(changes, index);
    });
  });
}

}  // namespace

std::vector<std::uint32_t> own_columns(const ChangeSet& changes, std::uint32_t table) {
  std::vector<std::uint32_t> columns;
  for (const std::uint32_t index : changes.new_dependencies.needed_by(table)) {
    const Fact& fact = changes.new_fact(index);
    if (fact.id.kind == Kind::Column && changes.new_dependencies.parent(index) == table && !fact.has(attribute::kInherited)) {
      columns.push_back(index);
    }
  }
  std::ranges::stable_sort(columns, {}, [&](std::uint32_t index) { return changes.new_fact(index).position; });
  return columns;
}

std::vector<std::uint32_t> columns_added_later(const ChangeSet& changes, std::uint32_t table) {
  std::vector<std::uint32_t> later;
  std::set<std::uint32_t> needed;
  if (!has_generated_column(changes, table)) {
    return later;
  }
  for (const std::uint32_t column : own_columns(changes, table)) {
    // The later ones may need it themselves: then PostgreSQL cannot have this order from CREATE TABLE and ADD COLUMN alone.
    if (later.empty() ? must_follow_table(changes, table, column) : !needed.contains(column)) {
      later.push_back(column);
      needed.merge(all_needs(changes, column));
    }
  }
  return later;
}

}  // namespace athanor::schema
