// The rules for publications and subscriptions.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/table_place.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

std::string published_table(const nlohmann::json& entry) {
  std::string text = "TABLE " + qualified_name(entry.at(0).get<std::string>(), entry.at(1).get<std::string>());
  if (entry.size() > 2 && entry.at(2).is_array()) {
    Names columns;
    for (const auto& column : entry.at(2)) {
      columns.push_back(column.get<std::string>());
    }
    text += " (" + quoted_list(columns) + ')';
  }
  if (entry.size() > 3 && entry.at(3).is_string() && !entry.at(3).get<std::string>().empty()) {
    text += " WHERE (" + entry.at(3).get<std::string>() + ')';
  }
  return text;
}

nlohmann::json tables_of(const Fact& fact) {
  const std::string_view text = fact.get(attribute::kTables);
  return nlohmann::json::parse(text.empty() ? "[]" : text, nullptr, false);
}

// TABLE a, TABLE b, TABLES IN SCHEMA c
std::string members_of(const Fact& fact) {
  Names parts;
  for (const auto& entry : tables_of(fact)) {
    parts.push_back(published_table(entry));
  }
  for (const std::string& schema : list(fact.get(attribute::kSchemas))) {
    parts.push_back("TABLES IN SCHEMA " + quote_identifier(schema));
  }
  return join(parts);
}

void create_publication(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql = "CREATE PUBLICATION " + quote_identifier(fact.id.name);
  const std::string members = members_of(fact);
  if (fact.has(attribute::kAllTables)) {
    sql += " FOR ALL TABLES";
  } else if (!members.empty()) {
    sql += " FOR " + members;
  }
  if (fact.has(attribute::kOptions)) {
    sql += " WITH " + storage_options(list(fact.get(attribute::kOptions)));
  }
  say(actions.produce(changes, index), std::move(sql));
}

void drop_publication(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP PUBLICATION " + quote_identifier(changes.old_fact(index).id.name)).planned.expand =
      false;
}

bool replaces_publication(const ChangeSet& changes, const FactChange& change) {
  // ALTER PUBLICATION cannot change between FOR ALL TABLES and a list, and SET does not accept an empty list.
  return changes.old_fact(change).has(attribute::kAllTables) != changes.new_fact(change).has(attribute::kAllTables) ||
         members_of(changes.new_fact(change)).empty() != members_of(changes.old_fact(change)).empty();
}

// Columns of its lists and conditions that are recreated or get another type, which PostgreSQL rejects meanwhile.
std::vector<const FactId*> changing_columns(const ChangeSet& changes, std::uint32_t publication) {
  std::vector<const FactId*> columns;
  for (const std::uint32_t needed : changes.old_dependencies.needs(publication)) {
    const bool changing = changes.destroyed(needed) || changes.retyped(needed) || changes.changes(needed, attribute::kType) ||
                          changes.changes(needed, attribute::kCollation);
    if (changes.old_fact(needed).id.kind == Kind::Column && changing) {
      columns.push_back(&changes.old_fact(needed).id);
    }
  }
  return columns;
}

bool uses_columns(const nlohmann::json& entry) {
  return (entry.size() > 2 && entry.at(2).is_array()) ||
         (entry.size() > 3 && entry.at(3).is_string() && !entry.at(3).get<std::string>().empty());
}

// The entries to take out while the columns change; a partition's columns are facts of its parent.
std::vector<nlohmann::json> entries_in_the_way(const ChangeSet& changes, std::uint32_t publication) {
  const std::vector<const FactId*> columns = changing_columns(changes, publication);
  std::vector<nlohmann::json> entries;
  for (const auto& entry : tables_of(changes.old_fact(publication))) {
    const auto schema = entry.at(0).get<std::string>();
    const auto name = entry.at(1).get<std::string>();
    const std::uint32_t table = find_fact(changes.before, Kind::Table, schema, name);
    const bool affected = table != kNoFact && uses_columns(entry) && std::ranges::any_of(columns, [&](const FactId* column) {
                            return (column->schema == schema && column->parent == name) ||
                                   has_from_parent(changes.before, changes.old_fact(table), column->name);
                          });
    if (affected) {
      entries.push_back(entry);
    }
  }
  return entries;
}

Reaction publication_reacts(const ChangeSet& changes, std::uint32_t /*before*/, std::uint32_t destroyed) {
  return changes.old_fact(destroyed).id.kind == Kind::Column ? Reaction::Loosen : Reaction::Replace;
}

void loosen_publication(const ChangeSet& changes, std::uint32_t before, ActionList& actions) {
  Action& action = actions.alter(changes, before, changes.after_of(before));
  action.expands = true;
  action.phase = Phase::Teardown;
  action.settles = false;
  action.waits = false;
  action.frees.push_back(publication_key(changes.old_fact(before).id));
  Names tables;
  for (const auto& entry : entries_in_the_way(changes, before)) {
    tables.push_back("TABLE " + qualified_name(entry.at(0).get<std::string>(), entry.at(1).get<std::string>()));
  }
  if (!tables.empty()) {
    say(action, "ALTER PUBLICATION " + quote_identifier(changes.old_fact(before).id.name) + " DROP " + join(tables));
  }
}

void bind_publication(const ChangeSet& changes, std::uint32_t before, ActionList& actions) {
  if (changes.changes(before, attribute::kTables) || changes.changes(before, attribute::kSchemas)) {
    return;  // alter_publication() sets all members
  }
  Action& action = actions.alter(changes, before, changes.after_of(before));
  action.expands = true;
  action.releases = false;
  Names tables;
  for (const auto& entry : entries_in_the_way(changes, before)) {
    tables.push_back(published_table(entry));
  }
  if (!tables.empty()) {
    say(action, "ALTER PUBLICATION " + quote_identifier(changes.old_fact(before).id.name) + " ADD " + join(tables));
  }
}

void alter_publication(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  action.expands = true;
  action.releases = !changes.loosened().contains(change.before);  // its entries have let go already
  const std::string head = "ALTER PUBLICATION " + quote_identifier(fact.id.name) + ' ';
  if (changes.changes(change.before, attribute::kOptions)) {
    Names options = list(fact.get(attribute::kOptions));
    const auto add = [&](const std::string& key, const std::string& usual) {
      for (const std::string& option : options) {
        if (option.starts_with(key + "=")) {
          return;
        }
      }
      options.push_back(key + '=' + usual);
    };
    add("publish", "insert, update, delete, truncate");
    add("publish_via_partition_root", "false");
    say(action, head + "SET " + storage_options(options));
  }
  if (changes.changes(change.before, attribute::kTables) || changes.changes(change.before, attribute::kSchemas)) {
    say(action, head + "SET " + members_of(fact));
  }
}

void refuse_subscription(const FactId& id, ActionList& actions) {
  actions.refuse(Error(ErrorCode::SchemaChangeRefused, "the " + describe(id) + " differs, and its connection contains a secret")
                     .advise("create or change it by hand, or exclude subscriptions from the comparison"));
}

void create_subscription(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  refuse_subscription(changes.new_fact(index).id, actions);
}

void drop_subscription(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  Statement& statement =
      say(actions.destroy(changes, index), "DROP SUBSCRIPTION " + quote_identifier(changes.old_fact(index).id.name));
  // It drops the replication slot on the publisher, which cannot be rolled back.
  statement.autocommit = true;
  statement.planned.expand = false;
}

bool in_place(const ChangeSet& /*changes*/, const FactChange& /*change*/) {
  return false;
}

void alter_subscription(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  refuse_subscription(changes.new_fact(change).id, actions);
}

constexpr Rule kRules[] = {
    {.kind = Kind::Publication,
     .create = create_publication,
     .drop = drop_publication,
     .replaces = replaces_publication,
     .alter = alter_publication,
     .reacts = publication_reacts,
     .loosen = loosen_publication,
     .bind = bind_publication},
    {.kind = Kind::Subscription,
     .create = create_subscription,
     .drop = drop_subscription,
     .replaces = in_place,
     .alter = alter_subscription},
};

}  // namespace

std::span<const Rule> publication_rules() {
  return kRules;
}

}  // namespace athanor::schema
