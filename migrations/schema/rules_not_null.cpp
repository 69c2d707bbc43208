#include "migrations/schema/rules_not_null.hpp"

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/catalog_text.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr int kNamedNotNull = 18;
constexpr std::uint8_t kChangeGroup = 1;

std::string constraint_name(const Fact& column) {
  return column.has(attribute::kNotNullName) ? std::string(column.get(attribute::kNotNullName))
                                             : chosen_name(column.id.parent, column.id.name, "not_null");
}

std::string constraint_clause(const Fact& column, bool not_valid) {
  return "ADD CONSTRAINT " + quote_identifier(constraint_name(column)) + " NOT NULL " + quote_identifier(column.id.name) +
         (column.has(attribute::kNotNullNoInherit) ? " NO INHERIT" : "") + (not_valid ? " NOT VALID" : "");
}

std::string column_subcommand(const Fact& column, const char* what) {
  return "ALTER COLUMN " + quote_identifier(column.id.name) + ' ' + what;
}

Statement& validate(const ChangeSet& changes, const FactChange& change, const std::string& name, ActionList& actions) {
  Action& action = actions.alter(changes, change.before, change.after);
  action.tightens = true;
  action.expands = true;  // the constraint refuses rows already
  action.phase = Phase::Validate;
  Statement& statement = say(action, alter_parent(changes.new_fact(change).id) + " VALIDATE CONSTRAINT " + name);
  statement.after_commit = true;
  return statement;
}

// The columns of the table's primary key, for the remedy's batch step.
Names key_columns(const ChangeSet& changes, const FactId& column) {
  for (const Fact& fact : changes.before.facts()) {
    if (fact.id.kind == Kind::Constraint && fact.id.schema == column.schema && fact.id.parent == column.parent &&
        fact.get(attribute::kContype) == "p") {
      return list(fact.get(attribute::kColumns));
    }
  }
  return {};
}

// Rows with NULL make the revision fail half-way, so warn about them and suggest the step that fills them.
void warn_of_nulls(const ChangeSet& changes, const FactChange& change, Statement& statement) {
  const Fact& fact = changes.new_fact(change);
  const std::string name = quote_identifier(fact.id.name);
  const std::uint32_t value = find_default(changes.after, fact.id);
  const std::string filler = value == kNoFact ? "…" : std::string(changes.new_fact(value).get(attribute::kExpression));
  const Names key = key_columns(changes, fact.id);
  statement.planned.warnings = {"rows of " + parent_name(fact.id) + " with NULL in " + name +
                                " make this fail: fill them in an earlier step"};
  statement.planned.remedy = {
      "-- athanor:step batch table=" + parent_name(fact.id) + " key=" + (key.size() == 1 ? quote_identifier(key.front()) : "…"),
      "UPDATE " + parent_name(fact.id) + " SET " + name + " = " + filler + " WHERE " + name + " IS NULL AND {batch};"};
}

// SET NOT NULL scans the table under ACCESS EXCLUSIVE unless a valid CHECK constraint proves that there are no NULLs. VALIDATE
// CONSTRAINT scans under SHARE UPDATE EXCLUSIVE, which does not block writes.
void set_through_check(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  const std::string name = quote_identifier(with_suffix(fact.id.parent + '_' + fact.id.name, "_not_null"));
  Action& add = actions.alter(changes, change.before, change.after);
  add.tightens = true;
  say(add, alter_parent(fact.id) + " ADD CONSTRAINT " + name + " CHECK (" + quote_identifier(fact.id.name) +
               " IS NOT NULL) NOT VALID")
      .planned.expand = false;
  warn_of_nulls(changes, change, validate(changes, change, name, actions));
  Action& set = actions.alter(changes, change.before, change.after);
  set.tightens = true;
  set.phase = Phase::Cleanup;
  say(set, alter_parent(fact.id) + ' ' + column_subcommand(fact, "SET NOT NULL")).after_commit = true;
  say(set, alter_parent(fact.id) + " DROP CONSTRAINT " + name);
}

void add(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  const bool online = changes.style == Style::Online;
  if (changes.version < kNamedNotNull && online) {
    set_through_check(changes, change, actions);
    return;
  }
  const bool stays_not_valid = fact.has(attribute::kNotNullNotValid);
  const bool named = changes.version >= kNamedNotNull &&
                     (online || stays_not_valid || fact.has(attribute::kNotNullName) || fact.has(attribute::kNotNullNoInherit));
  Action& action = actions.alter(changes, change.before, change.after);
  action.tightens = true;
  Statement& statement =
      say_subcommand(action, alter_parent(fact.id),
                     named ? constraint_clause(fact, online || stays_not_valid) : column_subcommand(fact, "SET NOT NULL"),
                     named ? 0 : kChangeGroup);
  statement.planned.expand = false;
  if (named && online && !stays_not_valid) {
    warn_of_nulls(changes, change, validate(changes, change, quote_identifier(constraint_name(fact)), actions));
  } else if (!stays_not_valid) {
    warn_of_nulls(changes, change, statement);
  }
}

// Both sides are NOT NULL; from PostgreSQL 18 on their constraints may differ.
void change_constraint(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  const std::string head = alter_parent(fact.id);
  if (!old.has(attribute::kNotNullNotValid) && fact.has(attribute::kNotNullNotValid)) {
    Action& action = actions.alter(changes, change.before, change.after);
    say(action, head + " DROP CONSTRAINT " + quote_identifier(constraint_name(old)));
    say(action, head + ' ' + constraint_clause(fact, true));
    return;
  }
  if (constraint_name(old) != constraint_name(fact)) {
    say(actions.alter(changes, change.before, change.after), head + " RENAME CONSTRAINT " +
                                                                 quote_identifier(constraint_name(old)) + " TO " +
                                                                 quote_identifier(constraint_name(fact)));
  }
  if (old.has(attribute::kNotNullNoInherit) != fact.has(attribute::kNotNullNoInherit)) {
    say(actions.alter(changes, change.before, change.after),
        head + " ALTER CONSTRAINT " + quote_identifier(constraint_name(fact)) +
            (fact.has(attribute::kNotNullNoInherit) ? " NO INHERIT" : " INHERIT"));
  }
  if (old.has(attribute::kNotNullNotValid) && !fact.has(attribute::kNotNullNotValid)) {
    validate(changes, change, quote_identifier(constraint_name(fact)), actions);
  }
}

}  // namespace

bool not_null_of(const Fact& column) {
  return column.has(attribute::kNotNull);
}

std::string not_null_clause(const Fact& column) {
  if (!not_null_of(column) || column.has(attribute::kNotNullNotValid)) {
    return {};
  }
  std::string text;
  if (column.has(attribute::kNotNullName)) {
    text = " CONSTRAINT " + quote_identifier(column.get(attribute::kNotNullName));
  }
  return text + " NOT NULL" + (column.has(attribute::kNotNullNoInherit) ? " NO INHERIT" : "");
}

void add_not_null_constraint(Action& action, const Fact& column, int version) {
  if (version >= kNamedNotNull && column.has(attribute::kNotNullNotValid)) {
    say(action, alter_parent(column.id) + ' ' + constraint_clause(column, true));
  }
}

void rename_kept_not_null(Action& action, const Fact& parent, const Fact& column, int version) {
  if (version >= kNamedNotNull && not_null_of(parent) && not_null_of(column) &&
      constraint_name(parent) != constraint_name(column)) {
    say(action, alter_parent(column.id) + " RENAME CONSTRAINT " + quote_identifier(constraint_name(parent)) + " TO " +
                    quote_identifier(constraint_name(column)));
  }
}

void change_not_null(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const bool had = not_null_of(changes.old_fact(change));
  const bool has = not_null_of(changes.new_fact(change));
  if (!had && has) {
    add(changes, change, actions);
  } else if (had && !has) {
    const Fact& fact = changes.new_fact(change);
    say_subcommand(actions.alter(changes, change.before, change.after), alter_parent(fact.id),
                   column_subcommand(fact, "DROP NOT NULL"), kChangeGroup)
        .planned.expand = true;
  } else if (had && has && changes.version >= kNamedNotNull) {
    change_constraint(changes, change, actions);
  }
}

}  // namespace athanor::schema
