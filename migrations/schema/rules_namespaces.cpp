// The rules for schemas and extensions.
#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

void create_schema(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const std::string& name = changes.new_fact(index).id.name;
  Action& action = actions.produce(changes, index);
  if (name != "public") {
    say(action, "CREATE SCHEMA " + quote_identifier(name));
    return;
  }
  // A new database already contains it. In one that has lost it, PUBLIC gets the privileges of a new database again.
  say(action, "CREATE SCHEMA IF NOT EXISTS public");
  if (!changes.before.facts().empty()) {
    say(action, std::string("GRANT ") + (changes.version < 15 ? "CREATE, " : "") + "USAGE ON SCHEMA public TO PUBLIC");
  }
}

void drop_schema(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP SCHEMA " + quote_identifier(changes.old_fact(index).id.name)).planned.expand =
      false;
}

void create_extension(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql = "CREATE EXTENSION IF NOT EXISTS " + quote_identifier(fact.id.name);
  if (fact.has(attribute::kSchema)) {
    sql += " WITH SCHEMA " + quote_identifier(fact.get(attribute::kSchema));
  }
  say(actions.produce(changes, index), std::move(sql));
}

void drop_extension(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP EXTENSION " + quote_identifier(changes.old_fact(index).id.name)).planned.expand =
      false;
}

bool in_place(const ChangeSet& /*changes*/, const FactChange& /*change*/) {
  return false;
}

void alter_extension(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  say(actions.alter(changes, change.before, change.after),
      "ALTER EXTENSION " + quote_identifier(fact.id.name) + " SET SCHEMA " + quote_identifier(fact.get(attribute::kSchema)));
}

constexpr Rule kRules[] = {
    {.kind = Kind::Schema, .create = create_schema, .drop = drop_schema},
    {.kind = Kind::Extension,
     .create = create_extension,
     .drop = drop_extension,
     .replaces = in_place,
     .alter = alter_extension},
};

}  // namespace

std::span<const Rule> namespace_rules() {
  return kRules;
}

}  // namespace athanor::schema
