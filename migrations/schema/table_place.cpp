#include "migrations/schema/table_place.hpp"

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rules_indexes.hpp"

namespace athanor::schema {
namespace {

std::vector<Names> parents_of(const Fact& table) {
  std::vector<Names> parents = rows(table.get(attribute::kInherits));
  if (const Names parent = list(table.get(attribute::kPartitionOf)); parent.size() == 2) {
    parents.push_back(parent);
  }
  return parents;
}

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

// The matching fact of a parent, or of its parents.
std::uint32_t find_above(const Catalog& catalog, const Dependencies& dependencies, std::uint32_t table, const Fact& own) {
  for (const Names& name : parents_of(catalog.facts()[table])) {
    const std::uint32_t parent = find_fact(catalog, Kind::Table, name[0], name[1]);
    if (parent == kNoFact) {
      continue;
    }
    for (const std::uint32_t part : dependencies.needed_by(parent)) {
      if (dependencies.parent(part) == parent && matches(own, catalog.facts()[part])) {
        return part;
      }
    }
    if (const std::uint32_t further = find_above(catalog, dependencies, parent, own); further != kNoFact) {
      return further;
    }
  }
  return kNoFact;
}

}  // namespace

std::uint32_t kept_from_parent(const ChangeSet& changes, std::uint32_t new_index) {
  const Fact& fact = changes.new_fact(new_index);
  const std::uint32_t table = changes.old_relation(fact.id);
  if (changes.before_of(new_index) != kNoFact || table == kNoFact || changes.destroyed(table)) {
    return kNoFact;
  }
  return find_above(changes.before, changes.old_dependencies, table, fact);
}

std::uint32_t given_to_parent(const ChangeSet& changes, std::uint32_t old_index) {
  const Fact& fact = changes.old_fact(old_index);
  const std::uint32_t table = changes.new_relation(fact.id);
  if (changes.after_of(old_index) != kNoFact || table == kNoFact || changes.produced(table)) {
    return kNoFact;
  }
  return find_above(changes.after, changes.new_dependencies, table, fact);
}

}  // namespace athanor::schema
