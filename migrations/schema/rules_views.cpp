// The rules for views and materialized views.
#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/settled_text.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

std::string query_of(const Fact& fact) {
  return as_written(without_semicolon(fact.get(attribute::kDefinition)));
}

std::string with_options(const Fact& fact) {
  return fact.has(attribute::kOptions) ? " WITH " + storage_options(list(fact.get(attribute::kOptions))) : std::string();
}

void create_view(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  say(actions.produce(changes, index), "CREATE VIEW " + object_name(fact.id) + with_options(fact) + " AS\n" + query_of(fact));
}

void drop_view(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP VIEW " + object_name(changes.old_fact(index).id)).planned.expand = false;
}

// CREATE OR REPLACE VIEW only accepts a query whose first columns are the existing ones, with the same names and types.
bool replaces_view(const ChangeSet& changes, const FactChange& change) {
  const std::vector<Names> had = rows(changes.old_fact(change).get(attribute::kColumns));
  const std::vector<Names> has = rows(changes.new_fact(change).get(attribute::kColumns));
  return has.size() < had.size() || !std::equal(had.begin(), had.end(), has.begin());
}

void change_options(const ChangeSet& changes, const FactChange& change, const std::string& word, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  const OptionChange options =
      changed_options(changes.old_fact(change).get(attribute::kOptions), fact.get(attribute::kOptions));
  Action& action = actions.alter(changes, change.before, change.after);
  // WITH CHECK OPTION refuses rows, and security_barrier or security_invoker may hide some, also when they are reset.
  action.expands = word != "VIEW";
  if (!options.reset.empty()) {
    say(action, "ALTER " + word + ' ' + object_name(fact.id) + " RESET " + option_names(options.reset));
  }
  if (!options.set.empty()) {
    say(action, "ALTER " + word + ' ' + object_name(fact.id) + " SET " + storage_options(options.set));
  }
}

void alter_view(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  if (changes.changes(change.before, attribute::kDefinition)) {
    // OR REPLACE also replaces the options, so there is nothing else to change.
    say(actions.alter(changes, change.before, change.after),
        "CREATE OR REPLACE VIEW " + object_name(fact.id) + with_options(fact) + " AS\n" + query_of(fact))
        .planned.expand = !changes.changes(change.before, attribute::kOptions);
    return;
  }
  change_options(changes, change, "VIEW", actions);
}

void create_materialized(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql = "CREATE MATERIALIZED VIEW " + object_name(fact.id);
  if (fact.has(attribute::kAccessMethod)) {
    sql += " USING " + quote_identifier(fact.get(attribute::kAccessMethod));
  }
  sql += with_options(fact);
  if (fact.has(attribute::kTablespace)) {
    sql += " TABLESPACE " + quote_identifier(fact.get(attribute::kTablespace));
  }
  say(actions.produce(changes, index), sql + " AS\n" + query_of(fact)).planned.note = "the query runs once to fill the view";
}

void drop_materialized(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP MATERIALIZED VIEW " + object_name(changes.old_fact(index).id)).planned.expand =
      false;
}

bool replaces_materialized(const ChangeSet& changes, const FactChange& change) {
  return std::ranges::any_of(change.attributes,
                             [](std::string_view attribute) {
                               return attribute != attribute::kOptions && attribute != attribute::kClusterOn &&
                                      attribute != attribute::kTablespace;
                             }) ||
         changes.version < 14;
}

void alter_materialized(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  change_options(changes, change, "MATERIALIZED VIEW", actions);
  const std::string head = "ALTER MATERIALIZED VIEW " + object_name(fact.id);
  if (changes.changes(change.before, attribute::kClusterOn)) {
    Action& action = actions.alter(changes, change.before, change.after);
    action.phase = Phase::Cleanup;
    action.expands = true;
    say(action, head + (fact.has(attribute::kClusterOn) ? " CLUSTER ON " + quote_identifier(fact.get(attribute::kClusterOn))
                                                        : std::string(" SET WITHOUT CLUSTER")));
  }
  if (changes.changes(change.before, attribute::kTablespace)) {
    say(actions.alter(changes, change.before, change.after),
        head + " SET TABLESPACE " +
            (fact.has(attribute::kTablespace) ? quote_identifier(fact.get(attribute::kTablespace)) : std::string("pg_default")))
        .planned.expand = true;
  }
}

constexpr Rule kRules[] = {
    {.kind = Kind::View, .create = create_view, .drop = drop_view, .replaces = replaces_view, .alter = alter_view},
    {.kind = Kind::MaterializedView,
     .create = create_materialized,
     .drop = drop_materialized,
     .replaces = replaces_materialized,
     .alter = alter_materialized},
};

}  // namespace

std::span<const Rule> view_rules() {
  return kRules;
}

}  // namespace athanor::schema
