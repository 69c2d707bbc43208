#include "migrations/schema/table_place.hpp"

#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rules_indexes.hpp"

namespace athanor::schema {
namespace {

bool matches(const Fact& own, const Fact& above) {
  if (own.id.kind != above.id.kind) {
    return false;
  }
  switch (own.id.kind) {
    case Kind::Column:
      return own.id.name == above.id.name;
    case Kind::Constraint:
      return own.get(attribute::kContype) == above.get(attribute::kContype) &&
             own.get(attribute::kDefinition) == above.get(attribute::kDefinition);
    case Kind::Index:
      return own.has(attribute::kUnique) == above.has(attribute::kUnique) &&
             index_body(own.get(attribute::kDefinition)) == index_body(above.get(attribute::kDefinition));
    default:
      return false;
  }
}

bool is_parent(const Catalog& catalog, std::uint32_t table, const Names& name) {
  const std::vector<Names> parents = parents_of(catalog.facts()[table]);
  return std::ranges::find(parents, name) != parents.end();
}

// The matching fact of the nearest parent that has one. Parents that the table has on the other side as well do not count: it
// neither joined nor left them. `other` is the same table on the other side.
std::uint32_t find_above(const Catalog& catalog, const Dependencies& dependencies, std::uint32_t table, const Fact& own,
                         const Catalog* other_catalog, std::uint32_t other) {
  for (const Names& name : parents_of(catalog.facts()[table])) {
    if (other_catalog != nullptr && is_parent(*other_catalog, other, name)) {
      continue;
    }
    const std::uint32_t parent = find_fact(catalog, Kind::Table, name[0], name[1]);
    if (parent == kNoFact) {
      continue;
    }
    for (const std::uint32_t part : dependencies.needed_by(parent)) {
      if (dependencies.parent(part) == parent && matches(own, catalog.facts()[part])) {
        return part;
      }
    }
    if (const std::uint32_t further = find_above(catalog, dependencies, parent, own, nullptr, kNoFact); further != kNoFact) {
      return further;
    }
  }
  return kNoFact;
}

// The type from which a typed table (CREATE TABLE … OF) has this column.
std::uint32_t type_with(const Catalog& catalog, const Dependencies& dependencies, std::uint32_t table, const Fact& own) {
  if (!catalog.facts()[table].has(attribute::kOfType) || own.id.kind != Kind::Column) {
    return kNoFact;
  }
  for (const std::uint32_t needed : dependencies.needs(table)) {
    const Fact& type = catalog.facts()[needed];
    if (type.id.kind == Kind::CompositeType &&
        std::ranges::any_of(rows(type.get(attribute::kAttributes)),
                            [&](const Names& entry) { return entry.at(0) == own.id.name; })) {
      return needed;
    }
  }
  return kNoFact;
}

}  // namespace

std::vector<Names> parents_of(const Fact& table) {
  std::vector<Names> parents = rows(table.get(attribute::kInherits));
  if (const Names parent = list(table.get(attribute::kPartitionOf)); parent.size() == 2) {
    parents.push_back(parent);
  }
  return parents;
}

bool has_from_type(const Catalog& catalog, const Dependencies& dependencies, const FactId& column) {
  const std::uint32_t table = find_relation(catalog, column.schema, column.parent);
  return table != kNoFact && type_with(catalog, dependencies, table, Fact{.id = column}) != kNoFact;
}

bool has_from_parent(const Catalog& catalog, const Fact& table, std::string_view column) {
  return std::ranges::any_of(parents_of(table), [&](const Names& parent) {
    const std::uint32_t above = find_fact(catalog, Kind::Table, parent[0], parent[1]);
    return find_column(catalog, parent[0], parent[1], column) != kNoFact ||
           (above != kNoFact && has_from_parent(catalog, catalog.facts()[above], column));
  });
}

std::uint32_t fact_above(const Catalog& catalog, const FactId& id) {
  const std::uint32_t table = find_relation(catalog, id.schema, id.parent);
  if (table == kNoFact) {
    return kNoFact;
  }
  std::vector<Names> parents = rows(catalog.facts()[table].get(attribute::kInherits));
  if (const Names partitioned = list(catalog.facts()[table].get(attribute::kPartitionOf)); partitioned.size() == 2) {
    parents.push_back(partitioned);
  }
  for (const Names& parent : parents) {
    FactId above = id;
    above.schema = parent[0];
    above.parent = parent[1];
    const std::uint32_t found = catalog.index_of(above).value_or(kNoFact);
    const std::uint32_t further = found == kNoFact ? fact_above(catalog, above) : found;
    if (further != kNoFact) {
      return further;
    }
  }
  return kNoFact;
}

std::uint32_t kept_from_parent(const ChangeSet& changes, std::uint32_t new_index) {
  const Fact& fact = changes.new_fact(new_index);
  const std::uint32_t table = changes.old_relation(fact.id);
  if (changes.before_of(new_index) != kNoFact || table == kNoFact || changes.destroyed(table)) {
    return kNoFact;
  }
  const std::uint32_t type = type_with(changes.before, changes.old_dependencies, table, fact);
  return type != kNoFact
             ? type
             : find_above(changes.before, changes.old_dependencies, table, fact, &changes.after, changes.after_of(table));
}

// ALTER TABLE ONLY … DROP COLUMN on the parent leaves the column to its children as their own.
std::uint32_t left_to_child(const ChangeSet& changes, std::uint32_t old_column) {
  const std::uint32_t table = changes.old_dependencies.parent(old_column);
  for (const std::uint32_t child : changes.old_dependencies.needed_by(table)) {
    const Fact& relation = changes.old_fact(child);
    if (relation.id.kind != Kind::Table || changes.after_of(child) == kNoFact ||
        !is_parent(changes.before, child, {changes.old_fact(table).id.schema, changes.old_fact(table).id.name})) {
      continue;
    }
    const std::uint32_t own =
        find_column(changes.after, relation.id.schema, relation.id.name, changes.old_fact(old_column).id.name);
    if (own != kNoFact && !changes.new_fact(own).has(attribute::kInherited)) {
      return own;
    }
  }
  return kNoFact;
}

std::uint32_t given_to_parent(const ChangeSet& changes, std::uint32_t old_index) {
  const Fact& fact = changes.old_fact(old_index);
  const std::uint32_t table = changes.new_relation(fact.id);
  if (changes.after_of(old_index) != kNoFact || table == kNoFact || changes.produced(table)) {
    return kNoFact;
  }
  const std::uint32_t type = type_with(changes.after, changes.new_dependencies, table, fact);
  return type != kNoFact
             ? type
             : find_above(changes.after, changes.new_dependencies, table, fact, &changes.before, changes.before_of(table));
}

}  // namespace athanor::schema
