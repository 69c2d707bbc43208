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

}  // namespace

std::map<EntityName, Entity> entities_of(const schema::Catalog& catalog) {
  std::map<EntityName, Entity> entities;
  for (const Fact& fact : catalog.facts()) {
    if (fact.id.kind == Kind::Table && !fact.has(attribute::kPartitionOf)) {
      entities[{fact.id.schema, fact.id.name}];
    }
  }
  for (const Fact& fact : catalog.facts()) {
    const auto found = entities.find({fact.id.schema, fact.id.parent});
    if (found == entities.end()) {
      continue;
    }
    if (fact.id.kind == Kind::Column) {
      found->second.columns.push_back(&fact);
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
