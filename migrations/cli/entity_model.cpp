#include "migrations/cli/entity_model.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "migrations/schema/attributes.hpp"

namespace athanor::cli {
namespace {

using schema::Fact;
using schema::Kind;
namespace attribute = schema::attribute;

std::vector<std::string> names(std::string_view json) {
  const auto list = nlohmann::json::parse(json, nullptr, false);
  std::vector<std::string> found;
  for (const auto& item : list) {
    if (item.is_string()) {
      found.push_back(item.get<std::string>());
    }
  }
  return found;
}

void add_constraint(Entity& entity, const Fact& fact) {
  const auto columns = names(fact.get(attribute::kColumns));
  const std::string_view type = fact.get(attribute::kContype);
  if (type == "p") {
    entity.primary.insert(columns.begin(), columns.end());
  } else if (type == "u" && columns.size() == 1) {
    entity.unique.insert(columns.front());
  } else if (type == "f") {
    entity.foreign.insert(columns.begin(), columns.end());
    entity.foreign_keys.push_back(&fact);
  }
}

std::vector<EntityName> parents_of(const Fact& table) {
  std::vector<EntityName> parents;
  for (const auto& parent : nlohmann::json::parse(table.get(attribute::kInherits), nullptr, false)) {
    if (parent.is_array() && parent.size() == 2) {
      parents.emplace_back(parent[0].get<std::string>(), parent[1].get<std::string>());
    }
  }
  return parents;
}

// Tables and their parents, by name.
using Parents = std::map<EntityName, std::vector<EntityName>>;

// Puts the columns of all parents before those of the table, as PostgreSQL does. The catalog has them with the parent alone.
void inherit_columns(std::map<EntityName, Entity>& entities, const Parents& parents, const EntityName& name,
                     std::set<EntityName>& complete) {
  const auto found = parents.find(name);
  if (found == parents.end() || !complete.insert(name).second) {
    return;
  }
  Entity& entity = entities[name];
  std::vector<const Fact*> columns;
  const auto take = [&](const std::vector<const Fact*>& more) {
    for (const Fact* const column : more) {
      const auto same = [&](const Fact* other) { return other->id.name == column->id.name; };
      if (std::ranges::none_of(columns, same)) {
        columns.push_back(column);
      }
    }
  };
  for (const EntityName& parent : found->second) {
    inherit_columns(entities, parents, parent, complete);
    if (const auto above = entities.find(parent); above != entities.end()) {
      take(above->second.columns);
      entity.required.insert(above->second.required.begin(), above->second.required.end());
    }
  }
  take(entity.columns);
  entity.columns = std::move(columns);
}

}  // namespace

std::map<EntityName, Entity> entities_of(const schema::Catalog& catalog) {
  std::map<EntityName, Entity> entities;
  Parents parents;
  for (const Fact& fact : catalog.facts()) {
    if (fact.id.kind == Kind::Table && !fact.has(attribute::kPartitionOf)) {
      entities[{fact.id.schema, fact.id.name}];
      parents[{fact.id.schema, fact.id.name}] = parents_of(fact);
    }
  }
  for (const Fact& fact : catalog.facts()) {
    const auto found = entities.find({fact.id.schema, fact.id.parent});
    if (found == entities.end()) {
      continue;
    }
    if (fact.id.kind == Kind::Column) {
      // Without a type it only says how an inherited column differs from that of the parent.
      if (fact.has(attribute::kType)) {
        found->second.columns.push_back(&fact);
      }
      if (fact.has(attribute::kNotNull)) {
        found->second.required.insert(fact.id.name);
      }
    } else if (fact.id.kind == Kind::Constraint) {
      add_constraint(found->second, fact);
    }
  }
  for (auto& [name, entity] : entities) {
    std::ranges::stable_sort(entity.columns, {}, &Fact::position);
  }
  std::set<EntityName> complete;
  for (const auto& [name, above] : parents) {
    inherit_columns(entities, parents, name, complete);
  }
  return entities;
}

std::string entity_text(const EntityName& name) {
  return name.first == "public" ? name.second : name.first + "." + name.second;
}

std::string keys_of(const Entity& entity, const std::string& column) {
  std::string keys;
  for (const auto& [key, columns] :
       {std::pair("PK", &entity.primary), std::pair("FK", &entity.foreign), std::pair("UK", &entity.unique)}) {
    if (columns->contains(column)) {
      keys += (keys.empty() ? "" : ", ") + std::string(key);
    }
  }
  return keys;
}

std::vector<EntityLink> links_of(const std::map<EntityName, Entity>& entities) {
  std::vector<EntityLink> links;
  for (const auto& [name, entity] : entities) {
    for (const Fact* const key : entity.foreign_keys) {
      const auto target = names(key->get(attribute::kReferences));
      if (target.size() != 2) {
        continue;
      }
      EntityLink link{name, {target[0], target[1]}, names(key->get(attribute::kColumns))};
      link.required =
          std::ranges::all_of(link.columns, [&](const std::string& column) { return entity.required.contains(column); });
      link.single = link.columns.size() == 1 && (entity.unique.contains(link.columns.front()) ||
                                                 (entity.primary.size() == 1 && entity.primary.contains(link.columns.front())));
      links.push_back(std::move(link));
    }
  }
  return links;
}

}  // namespace athanor::cli
