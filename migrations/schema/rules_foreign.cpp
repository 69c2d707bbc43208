// The rules for foreign-data wrappers, servers and user mappings. Foreign tables are in rules_tables.cpp.
#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

void append_options(std::string& sql, const Fact& fact) {
  const std::string options = foreign_options(fact.get(attribute::kOptions));
  if (!options.empty()) {
    sql += ' ' + options;
  }
}

std::string changed(const ChangeSet& changes, const FactChange& change) {
  return changed_foreign_options(changes.old_fact(change).get(attribute::kOptions),
                                 changes.new_fact(change).get(attribute::kOptions));
}

std::string functions_of(const Fact& fact, bool full) {
  std::string text;
  const auto add = [&](std::string_view attribute, const std::string& word) {
    if (fact.has(attribute)) {
      text += ' ' + word + ' ' + name_of_pair(fact.get(attribute));
    } else if (full) {
      text += " NO " + word;
    }
  };
  add(attribute::kHandler, "HANDLER");
  add(attribute::kValidator, "VALIDATOR");
  return text;
}

void create_wrapper(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql = "CREATE FOREIGN DATA WRAPPER " + quote_identifier(fact.id.name) + functions_of(fact, false);
  append_options(sql, fact);
  say(actions.produce(changes, index), std::move(sql));
}

void drop_wrapper(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP FOREIGN DATA WRAPPER " + quote_identifier(changes.old_fact(index).id.name));
}

bool in_place(const ChangeSet& /*changes*/, const FactChange& /*change*/) {
  return false;
}

void alter_wrapper(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  say(actions.alter(changes, change.before, change.after), "ALTER FOREIGN DATA WRAPPER " + quote_identifier(fact.id.name) +
                                                               functions_of(fact, true) + ' ' + changed(changes, change));
}

void create_server(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql = "CREATE SERVER " + quote_identifier(fact.id.name);
  if (fact.has(attribute::kServerType)) {
    sql += " TYPE " + quote_literal(fact.get(attribute::kServerType));
  }
  if (fact.has(attribute::kServerVersion)) {
    sql += " VERSION " + quote_literal(fact.get(attribute::kServerVersion));
  }
  sql += " FOREIGN DATA WRAPPER " + quote_identifier(fact.get(attribute::kWrapper));
  append_options(sql, fact);
  say(actions.produce(changes, index), std::move(sql));
}

void drop_server(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP SERVER " + quote_identifier(changes.old_fact(index).id.name));
}

bool replaces_server(const ChangeSet& changes, const FactChange& change) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  return old.get(attribute::kWrapper) != fact.get(attribute::kWrapper) ||
         old.get(attribute::kServerType) != fact.get(attribute::kServerType);
}

void alter_server(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  std::string sql = "ALTER SERVER " + quote_identifier(fact.id.name);
  if (changes.changes(change.before, attribute::kServerVersion)) {
    sql += " VERSION " + (fact.has(attribute::kServerVersion) ? quote_literal(fact.get(attribute::kServerVersion)) : "NULL");
  }
  say(actions.alter(changes, change.before, change.after), sql + ' ' + changed(changes, change));
}

std::string mapping_name(const FactId& id) {
  return (id.name == "public" ? std::string("PUBLIC") : quote_identifier(id.name)) + " SERVER " + quote_identifier(id.parent);
}

void create_mapping(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Statement& statement = say(actions.produce(changes, index), "CREATE USER MAPPING FOR " + mapping_name(fact.id));
  if (fact.has(attribute::kOptionsHash)) {
    statement.planned.note = "the options of the mapping contain secrets and are never read: add them";
  }
}

void drop_mapping(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  Action& action = actions.destroy(changes, index);
  action.goes_with = kNoFact;  // DROP SERVER fails while it has user mappings
  say(action, "DROP USER MAPPING FOR " + mapping_name(changes.old_fact(index).id));
}

// Only hashes of the secrets are known, so a difference is visible but cannot be turned into a statement.
void alter_mapping(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  actions.refuse(Error(ErrorCode::SchemaChangeRefused,
                       "the options of the " + describe(changes.new_fact(change).id) + " differ, and they contain secrets")
                     .advise("change them by hand with ALTER USER MAPPING"));
}

constexpr Rule kRules[] = {
    {.kind = Kind::ForeignDataWrapper,
     .create = create_wrapper,
     .drop = drop_wrapper,
     .replaces = in_place,
     .alter = alter_wrapper},
    {.kind = Kind::ForeignServer,
     .create = create_server,
     .drop = drop_server,
     .replaces = replaces_server,
     .alter = alter_server},
    {.kind = Kind::UserMapping, .create = create_mapping, .drop = drop_mapping, .replaces = in_place, .alter = alter_mapping},
};

}  // namespace

std::span<const Rule> foreign_rules() {
  return kRules;
}

}  // namespace athanor::schema
