#include "migrations/cli/entity_diagram.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "migrations/schema/attributes.hpp"

namespace athanor::cli {
namespace {

using schema::Fact;
using schema::Kind;
namespace attribute = schema::attribute;

using Table = std::pair<std::string, std::string>;  // schema, name

struct Entity {
  std::vector<const Fact*> columns{};
  std::set<std::string> primary{};
  std::set<std::string> unique{};
  std::set<std::string> foreign{};
  std::set<std::string> required{};
  std::vector<const Fact*> foreign_keys{};
};

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

// Mermaid accepts only letters, digits and a few signs in the type and name of an attribute.
std::string word(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '_' || letter == '(' || letter == ')' || letter == '[' ||
                       letter == ']';
    result += plain || static_cast<unsigned char>(letter) >= 0x80 ? letter : '_';
  }
  return result;
}

std::string quoted(std::string text) {
  std::ranges::replace(text, '"', '\'');
  return '"' + text + '"';
}

std::string entity_name(const Table& table) {
  return quoted(table.first == "public" ? table.second : table.first + "." + table.second);
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

std::map<Table, Entity> entities_of(const schema::Catalog& catalog) {
  std::map<Table, Entity> entities;
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
  for (auto& [table, entity] : entities) {
    std::ranges::stable_sort(entity.columns, {}, &Fact::position);
  }
  return entities;
}

std::string keys_of(const Entity& entity, const std::string& column) {
  std::string keys;
  for (const auto& [key, columns] :
       {std::pair("PK", &entity.primary), std::pair("FK", &entity.foreign), std::pair("UK", &entity.unique)}) {
    if (columns->contains(column)) {
      keys += (keys.empty() ? " " : ", ") + std::string(key);
    }
  }
  return keys;
}

// The cardinality: one row of the referenced table, or none if the columns may be NULL; any number of this table's rows, or one
// if the columns are a key.
std::string relation_of(const Table& table, const Entity& entity, const Fact& key) {
  const auto target = names(key.get(attribute::kReferences));
  if (target.size() != 2) {
    return {};
  }
  const auto columns = names(key.get(attribute::kColumns));
  const bool required =
      std::ranges::all_of(columns, [&](const std::string& column) { return entity.required.contains(column); });
  const bool single = columns.size() == 1 && (entity.unique.contains(columns.front()) ||
                                              (entity.primary.size() == 1 && entity.primary.contains(columns.front())));
  std::string label;
  for (const std::string& column : columns) {
    label += (label.empty() ? "" : ", ") + column;
  }
  return "  " + entity_name(table) + (single ? " |o--" : " }o--") + (required ? "|| " : "o| ") +
         entity_name({target[0], target[1]}) + " : " + quoted(label) + "\n";
}

}  // namespace

std::string mermaid_diagram(const schema::Catalog& catalog) {
  const auto entities = entities_of(catalog);
  std::string text = "erDiagram\n";
  for (const auto& [table, entity] : entities) {
    text += "  " + entity_name(table) + " {\n";
    for (const Fact* column : entity.columns) {
      text +=
          "    " + word(column->get(attribute::kType)) + " " + word(column->id.name) + keys_of(entity, column->id.name) + "\n";
    }
    text += "  }\n";
  }
  for (const auto& [table, entity] : entities) {
    for (const Fact* key : entity.foreign_keys) {
      text += relation_of(table, entity, *key);
    }
  }
  return text;
}

}  // namespace athanor::cli
