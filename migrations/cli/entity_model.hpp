// Tables with their columns and foreign keys, as entity diagrams draw them.
//
// Threads: pure functions. Ownership: entities point into the catalog, which must outlive them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/schema/catalog.hpp"

namespace athanor::cli {

using EntityName = std::pair<std::string, std::string>;  // schema, table

struct Entity {
  std::vector<const schema::Fact*> columns{};  // in the table's order; inherited ones are those of the parent
  std::set<std::string> primary{};
  std::set<std::string> unique{};  // columns that are unique by themselves
  std::set<std::string> foreign{};
  std::set<std::string> required{};  // NOT NULL
  std::vector<const schema::Fact*> foreign_keys{};
};

// Partitions are left out: they are parts of their table.
[[nodiscard]] std::map<EntityName, Entity> entities_of(const schema::Catalog& catalog);
// "orders" in public, else "shop.orders".
[[nodiscard]] std::string entity_text(const EntityName& name);
// "PK, FK"; empty for a column in no key.
[[nodiscard]] std::string keys_of(const Entity& entity, const std::string& column);

struct EntityLink {
  EntityName from;  // has the key
  EntityName to;
  std::vector<std::string> columns;
  bool required = false;  // no column of it may be NULL: there is exactly one row of `to`
  bool single = false;    // the column is a key itself: there is at most one row of `from`
};
// Of all foreign keys between entities, by table and by name.
[[nodiscard]] std::vector<EntityLink> links_of(const std::map<EntityName, Entity>& entities);

}  // namespace athanor::cli
