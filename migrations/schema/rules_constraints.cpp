// Constraints of tables: keys, checks, foreign keys, exclusions.
#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/schema/rules_indexes.hpp"
#include "migrations/schema/rules_inheritance.hpp"
#include "migrations/schema/settled_text.hpp"
#include "migrations/schema/table_place.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::uint8_t kAddGroup = 4;
constexpr std::uint8_t kDropGroup = 5;
constexpr int kEnforcement = 18;

std::string constraint_type(const Fact& fact) {
  return std::string(fact.get(attribute::kContype));
}

// Splits the definition where the options of its index belong: after the columns and INCLUDE, before deferrability.
std::pair<std::string, std::string> cut_definition(std::string_view definition) {
  std::size_t end = std::string_view::npos;
  for (const std::string_view word : {" DEFERRABLE", " INITIALLY DEFERRED", " NOT DEFERRABLE"}) {
    end = std::min(end, definition.find(word));
  }
  if (end == std::string_view::npos) {
    return {std::string(definition), std::string()};
  }
  return {std::string(definition.substr(0, end)), std::string(definition.substr(end))};
}

std::string definition_of(const Fact& fact) {
  std::string definition = as_written(without_semicolon(fact.get(attribute::kDefinition)));
  if (!fact.has(attribute::kIndexOptions)) {
    return definition;
  }
  const std::string options = " WITH " + storage_options(list(fact.get(attribute::kIndexOptions)));
  if (constraint_type(fact) == "x") {  // they must precede WHERE
    const auto where = definition.find(") WHERE ");
    if (where != std::string::npos) {
      return definition.substr(0, where + 1) + options + definition.substr(where + 1);
    }
  }
  const auto [body, rest] = cut_definition(definition);
  return body + options + rest;
}

std::string clause(const Fact& fact, bool not_valid) {
  std::string text = "CONSTRAINT " + quote_identifier(fact.id.name) + ' ' + definition_of(fact);
  if (fact.has(attribute::kNotEnforced)) {
    text += " NOT ENFORCED";
  } else if (not_valid) {
    text += " NOT VALID";
  }
  return text;
}

bool on_partitioned(const ChangeSet& changes, const Fact& fact) {
  const std::uint32_t table = changes.new_relation(fact.id);
  return table != kNoFact && changes.new_fact(table).has(attribute::kPartitionKey);
}

// Whether to add the constraint NOT VALID, which needs only a short lock, and validate it afterwards under SHARE UPDATE
// EXCLUSIVE, which does not block writes. Before PostgreSQL 18, foreign keys of partitioned tables cannot be NOT VALID.
bool validates_later(const ChangeSet& changes, std::uint32_t index) {
  const Fact& fact = changes.new_fact(index);
  const std::string type = constraint_type(fact);
  return changes.style == Style::Online && (type == "c" || type == "f") && !changes.on_new_relation(index) &&
         !fact.has(attribute::kNotValid) && !fact.has(attribute::kNotEnforced) &&
         !(type == "f" && on_partitioned(changes, fact) && changes.version < kEnforcement);
}

void validate(const ChangeSet& changes, std::uint32_t index, std::uint32_t before, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.alter(changes, before, index);
  action.settles = false;
  action.expands = true;  // the constraint refuses rows already
  action.phase = Phase::Validate;
  say(action, alter_parent(fact.id) + " VALIDATE CONSTRAINT " + quote_identifier(fact.id.name)).after_commit = true;
}

// Whether the index of the PRIMARY KEY or UNIQUE constraint can be built concurrently beforehand. ADD CONSTRAINT … USING INDEX
// does not accept partitioned tables and WITHOUT OVERLAPS.
bool builds_index_first(const ChangeSet& changes, std::uint32_t index) {
  const Fact& fact = changes.new_fact(index);
  const std::string type = constraint_type(fact);
  return changes.style == Style::Online && (type == "p" || type == "u") && !changes.on_new_relation(index) &&
         !on_partitioned(changes, fact) && fact.get(attribute::kDefinition).find("WITHOUT OVERLAPS") == std::string_view::npos;
}

std::string create_key_index(const Fact& fact, const std::string& name) {
  const std::string body = cut_definition(fact.get(attribute::kDefinition)).first;
  constexpr std::string_view kNullsNotDistinct = "NULLS NOT DISTINCT";
  std::string sql = "CREATE UNIQUE INDEX CONCURRENTLY " + quote_identifier(name) + " ON " + parent_name(fact.id) + ' ' +
                    body.substr(std::min(body.find('('), body.size()));
  if (body.find(kNullsNotDistinct) != std::string::npos) {
    sql += ' ' + std::string(kNullsNotDistinct);
  }
  if (fact.has(attribute::kIndexOptions)) {
    sql += " WITH " + storage_options(list(fact.get(attribute::kIndexOptions)));
  }
  return sql;
}

// Turns the index into a constraint. PostgreSQL renames it to the name of the constraint.
void add_with_index(const Fact& fact, const std::string& index, Action& action) {
  say(action, alter_parent(fact.id) + " ADD CONSTRAINT " + quote_identifier(fact.id.name) +
                  (constraint_type(fact) == "p" ? " PRIMARY KEY" : " UNIQUE") + " USING INDEX " + quote_identifier(index) +
                  cut_definition(fact.get(attribute::kDefinition)).second)
      .planned.expand = false;
}

void build_index_first(const Fact& fact, Action& action) {
  action.phase = Phase::Online;
  Statement& index = say(action, create_key_index(fact, fact.id.name));
  index.autocommit = true;
  index.planned.expand = false;  // it refuses duplicates before it is a constraint
  add_with_index(fact, fact.id.name, action);
}

// Whether the new index of a changed key can be built while the old key exists. It cannot if one of its columns changes,
// because that change waits for the end of the old key.
bool exists_meanwhile(const ChangeSet& changes, std::uint32_t old_index) {
  const std::uint32_t table = changes.old_relation(changes.old_fact(old_index).id);
  return std::ranges::all_of(changes.old_dependencies.needs(old_index), [&](std::uint32_t needed) {
    return !changes.destroyed(needed) && (needed == table || !changes.changes().contains(needed));
  });
}

// Keeps a changed key enforced all the time: the new index is built beside the old one, and one transaction replaces the
// constraint.
void exchange_key(const ChangeSet& changes, std::uint32_t index, ActionList& actions, Action& action) {
  const Fact& fact = changes.new_fact(index);
  const std::uint32_t table = changes.new_relation(fact.id);
  const std::string name = with_suffix(fact.id.name, "__new");
  Action& build = actions.alter(changes, kNoFact, table);
  build.subject = fact.id;
  build.settles = false;
  // The build is an action of the table, but waits only for what the new key needs, not for everything the table needs.
  build.waits = false;
  build.phase = Phase::Online;
  for (const std::uint32_t needed : changes.new_dependencies.needs(index)) {
    if (needed != table) {
      build.awaits.push_back(needed);
    }
  }
  build.precedes.push_back(changes.before_of(index));
  action.follows.push_back(actions.number_of(build));
  Statement& built = say(build, create_key_index(fact, name));
  built.autocommit = true;
  built.planned.expand = false;
  add_with_index(fact, name, action);
}

// A logged table cannot reference an unlogged one, so the referenced table changes first.
void wait_for_persistence(const ChangeSet& changes, const Fact& fact, Action& action) {
  const Names referenced = list(fact.get(attribute::kReferences));
  const std::uint32_t table =
      referenced.size() == 2 ? find_fact(changes.after, Kind::Table, referenced[0], referenced[1]) : kNoFact;
  const std::uint32_t before = table == kNoFact ? kNoFact : changes.before_of(table);
  if (before != kNoFact && changes.changes(before, attribute::kPersistence)) {
    action.awaits.push_back(table);
  }
}

void create(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  if (kept_from_parent(changes, index) != kNoFact || was_redeclared(changes, index)) {
    return;
  }
  wait_for_persistence(changes, fact, action);
  choose_index(changes, index, actions);
  const std::uint32_t old = changes.before_of(index);
  if (builds_index_first(changes, index)) {
    if (old == kNoFact) {
      build_index_first(fact, action);
      return;
    }
    if (exists_meanwhile(changes, old)) {
      exchange_key(changes, index, actions, action);
      return;
    }
  }
  const bool later = validates_later(changes, index);
  const std::string text = clause(fact, later || fact.has(attribute::kNotValid));
  Statement& statement = say_subcommand(action, alter_parent(fact.id), "ADD " + text, kAddGroup);
  statement.planned.expand = changes.on_new_relation(index);
  if (later) {
    validate(changes, index, kNoFact, actions);
  }
  if (changes.on_new_relation(index) && !fact.has(attribute::kNotValid)) {
    action.inline_into = changes.new_relation(fact.id);
    action.element = {{}, text, fact.position};
  }
}

void drop(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  Action& action = actions.destroy(changes, index);
  if (given_to_parent(changes, index) != kNoFact) {
    return;
  }
  // INSERT … ON CONFLICT needs a key.
  action.expands = constraint_type(fact) == "c" || constraint_type(fact) == "f";
  say_subcommand(action, alter_parent(fact.id), "DROP CONSTRAINT " + quote_identifier(fact.id.name), kDropGroup);
  if (constraint_type(fact) == "c") {
    for (const FactId& left : left_in_children(changes, fact.id, false)) {
      say_subcommand(action, alter_parent(left), "DROP CONSTRAINT " + quote_identifier(left.name), kDropGroup);
    }
  }
}

std::string without_deferral(const Fact& fact) {
  return cut_definition(fact.get(attribute::kDefinition)).first;
}

bool replaces(const ChangeSet& changes, const FactChange& change) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  const bool foreign_key = constraint_type(fact) == "f" && constraint_type(old) == "f";
  for (const std::string_view attribute : change.attributes) {
    const bool deferral = attribute == attribute::kDefinition && foreign_key && without_deferral(old) == without_deferral(fact);
    const bool validation = attribute == attribute::kNotValid && old.has(attribute::kNotValid);
    const bool enforcement = attribute == attribute::kNotEnforced && foreign_key && changes.version >= kEnforcement;
    const bool in_place = deferral || validation || enforcement || attribute == attribute::kIndexOptions ||
                          attribute == attribute::kColumns || attribute == attribute::kReferences;
    if (!in_place) {
      return true;
    }
  }
  return false;
}

bool same_but_name(const Fact& before, const Fact& after) {
  return before.attributes == after.attributes;
}

void alter(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  action.expands = true;
  const std::string name = quote_identifier(fact.id.name);
  if (old.id != fact.id) {
    action.frees = names_taken(old);
    action.takes = names_taken(fact);
    say(action, alter_parent(fact.id) + " RENAME CONSTRAINT " + quote_identifier(old.id.name) + " TO " + name);
  }
  if (changes.changes(change.before, attribute::kDefinition)) {
    const std::string rest = cut_definition(fact.get(attribute::kDefinition)).second;
    say(action, alter_parent(fact.id) + " ALTER CONSTRAINT " + name + (rest.empty() ? " NOT DEFERRABLE" : rest));
  }
  if (changes.changes(change.before, attribute::kIndexOptions)) {
    const OptionChange options = changed_options(old.get(attribute::kIndexOptions), fact.get(attribute::kIndexOptions));
    if (!options.reset.empty()) {
      say(action, "ALTER INDEX " + object_name(fact.id) + " RESET " + option_names(options.reset));
    }
    if (!options.set.empty()) {
      say(action, "ALTER INDEX " + object_name(fact.id) + " SET " + storage_options(options.set));
    }
  }
  if (changes.changes(change.before, attribute::kNotEnforced)) {
    say(action, alter_parent(fact.id) + " ALTER CONSTRAINT " + name +
                    (fact.has(attribute::kNotEnforced) ? " NOT ENFORCED" : " ENFORCED"))
        .planned.expand = fact.has(attribute::kNotEnforced);
  } else if (old.has(attribute::kNotValid) && !fact.has(attribute::kNotValid)) {
    validate(changes, change.after, change.before, actions);
  }
}

constexpr Rule kRules[] = {
    {.kind = Kind::Constraint,
     .create = create,
     .drop = drop,
     .replaces = replaces,
     .alter = alter,
     .same_but_name = same_but_name},
};

}  // namespace

std::span<const Rule> constraint_rules() {
  return kRules;
}

}  // namespace athanor::schema
