// The rules for triggers, rewrite rules, row-level security policies and event triggers.
#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/schema/settled_text.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

std::string enable_word(const Fact& fact) {
  const std::string_view state = fact.get(attribute::kEnabled);
  return state == "disabled"  ? "DISABLE "
         : state == "always"  ? "ENABLE ALWAYS "
         : state == "replica" ? "ENABLE REPLICA "
                              : "ENABLE ";
}

void set_enabled(const Fact& fact, const std::string& word, Action& action) {
  say(action, alter_parent(fact.id) + ' ' + enable_word(fact) + word + quote_identifier(fact.id.name));
}

bool only_enabled_changes(const FactChange& change) {
  return std::ranges::all_of(change.attributes, [](std::string_view attribute) { return attribute == attribute::kEnabled; });
}

// Triggers and rules are created by their definition; ALTER TABLE enables or disables them.
Statement& create_switched(const std::string& kind, const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  say(action, as_written(without_semicolon(fact.get(attribute::kDefinition))));
  if (fact.has(attribute::kEnabled)) {
    set_enabled(fact, kind, action);
  }
  return action.statements.front();
}

void create_trigger(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  create_switched("TRIGGER ", changes, index, actions);
}

void drop_trigger(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  say(actions.destroy(changes, index), "DROP TRIGGER " + quote_identifier(fact.id.name) + " ON " + parent_name(fact.id));
}

bool replaces_unless_enabled(const ChangeSet& /*changes*/, const FactChange& change) {
  return !only_enabled_changes(change);
}

void alter_trigger(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  set_enabled(changes.new_fact(change), "TRIGGER ", actions.alter(changes, change.before, change.after));
}

// Whatever the rule does instead, old application code did not expect it.
void create_rule(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  create_switched("RULE ", changes, index, actions).planned.expand = changes.on_new_relation(index);
}

void drop_rule(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  say(actions.destroy(changes, index), "DROP RULE " + quote_identifier(fact.id.name) + " ON " + parent_name(fact.id))
      .planned.expand = false;
}

void alter_rule(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  Action& action = actions.alter(changes, change.before, change.after);
  set_enabled(changes.new_fact(change), "RULE ", action);
  action.statements.back().planned.expand = false;
}

std::string role_list(const Fact& fact) {
  const Names roles = list(fact.get(attribute::kRoles));
  Names words;
  for (const std::string& role : roles) {
    words.push_back(role == "public" ? "PUBLIC" : quote_identifier(role));
  }
  return words.empty() ? "PUBLIC" : join(words);
}

std::string policy_expressions(const Fact& fact) {
  std::string text;
  if (fact.has(attribute::kUsing)) {
    text += " USING (" + as_written(fact.get(attribute::kUsing)) + ')';
  }
  if (fact.has(attribute::kCheck)) {
    text += " WITH CHECK (" + as_written(fact.get(attribute::kCheck)) + ')';
  }
  return text;
}

void create_policy(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql = "CREATE POLICY " + quote_identifier(fact.id.name) + " ON " + parent_name(fact.id);
  if (fact.has(attribute::kRestrictive)) {
    sql += " AS RESTRICTIVE";
  }
  if (fact.get(attribute::kCommand) != "ALL") {
    sql += " FOR " + std::string(fact.get(attribute::kCommand));
  }
  // A permissive policy lets through more rows than before; a restrictive one fewer.
  say(actions.produce(changes, index), sql + " TO " + role_list(fact) + policy_expressions(fact)).planned.expand =
      !fact.has(attribute::kRestrictive) || changes.on_new_relation(index);
}

void drop_policy(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  say(actions.destroy(changes, index), "DROP POLICY " + quote_identifier(fact.id.name) + " ON " + parent_name(fact.id))
      .planned.expand = false;
}

// ALTER POLICY changes roles and expressions, but cannot remove an expression.
bool replaces_policy(const ChangeSet& changes, const FactChange& change) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  return old.get(attribute::kCommand) != fact.get(attribute::kCommand) ||
         old.has(attribute::kRestrictive) != fact.has(attribute::kRestrictive) ||
         (old.has(attribute::kUsing) && !fact.has(attribute::kUsing)) ||
         (old.has(attribute::kCheck) && !fact.has(attribute::kCheck));
}

void alter_policy(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  // Whether the new expressions let through as many rows cannot be seen from their text.
  say(actions.alter(changes, change.before, change.after), "ALTER POLICY " + quote_identifier(fact.id.name) + " ON " +
                                                               parent_name(fact.id) + " TO " + role_list(fact) +
                                                               policy_expressions(fact))
      .planned.expand = false;
}

void create_event_trigger(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  std::string sql =
      "CREATE EVENT TRIGGER " + quote_identifier(fact.id.name) + " ON " + std::string(fact.get(attribute::kCommand));
  if (fact.has(attribute::kTags)) {
    Names tags;
    for (const std::string& tag : list(fact.get(attribute::kTags))) {
      tags.push_back(quote_literal(tag));
    }
    sql += " WHEN TAG IN (" + join(tags) + ')';
  }
  Action& action = actions.produce(changes, index);
  action.phase = Phase::Cleanup;  // last, because it would fire for the statements of this plan
  say(action, sql + " EXECUTE FUNCTION " + name_of_pair(fact.get(attribute::kFunction)) + "()");
  if (fact.has(attribute::kEnabled)) {
    say(action, "ALTER EVENT TRIGGER " + quote_identifier(fact.id.name) + ' ' + without_semicolon(enable_word(fact)));
  }
}

void drop_event_trigger(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP EVENT TRIGGER " + quote_identifier(changes.old_fact(index).id.name));
}

void alter_event_trigger(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  say(actions.alter(changes, change.before, change.after),
      "ALTER EVENT TRIGGER " + quote_identifier(fact.id.name) + ' ' + without_semicolon(enable_word(fact)));
}

constexpr Rule kRules[] = {
    {.kind = Kind::Trigger,
     .create = create_trigger,
     .drop = drop_trigger,
     .replaces = replaces_unless_enabled,
     .alter = alter_trigger},
    {.kind = Kind::Rule, .create = create_rule, .drop = drop_rule, .replaces = replaces_unless_enabled, .alter = alter_rule},
    {.kind = Kind::Policy, .create = create_policy, .drop = drop_policy, .replaces = replaces_policy, .alter = alter_policy},
    {.kind = Kind::EventTrigger,
     .create = create_event_trigger,
     .drop = drop_event_trigger,
     .replaces = replaces_unless_enabled,
     .alter = alter_event_trigger},
};

}  // namespace

std::span<const Rule> trigger_rules() {
  return kRules;
}

}  // namespace athanor::schema
