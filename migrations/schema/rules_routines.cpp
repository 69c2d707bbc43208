// The rules for functions, procedures and aggregates, and for what uses them: operators, casts, text search.
#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/routine_mentions.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

std::string definition_of(const Fact& fact) {
  return without_semicolon(fact.get(attribute::kDefinition));
}

void create_from_definition(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.produce(changes, index), definition_of(changes.new_fact(index)));
}

// Whether PostgreSQL would check the body when the routine is created. A body that is a string contains names as written, which
// the caller's search_path resolves, so the check could fail here.
bool checks_body(const Fact& fact) {
  const std::string_view language = fact.get(attribute::kLanguage);
  return (language == "sql" || language == "plpgsql") &&
         fact.get(attribute::kDefinition).find("\nAS $") != std::string_view::npos;
}

void create_routine(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  Action& action = actions.produce(changes, index);
  say(action, definition_of(changes.new_fact(index))).body_ahead = checks_body(changes.new_fact(index));
  action.mentions = facts_mentioned(changes, index);
}

void drop_routine(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  const bool procedure = fact.get(attribute::kRoutineKind) == "procedure";
  say(actions.destroy(changes, index), (procedure ? "DROP PROCEDURE " : "DROP FUNCTION ") + routine_name(fact.id))
      .planned.expand = false;
}

struct RoutineParameter {
  std::string declaration;  // mode, name and type of the parameter
  bool has_default = false;
};

std::vector<RoutineParameter> parameters_of(const Fact& fact) {
  std::vector<RoutineParameter> parameters;
  for (const std::string& part : split_top_level(fact.get(attribute::kSignature))) {
    const auto value = part.find(" DEFAULT ");
    parameters.push_back({part.substr(0, value), value != std::string::npos});
  }
  return parameters;
}

// CREATE OR REPLACE keeps the dependents of the routine, but rejects another result type, other parameter names, and removed
// defaults.
bool replaces_routine(const ChangeSet& changes, const FactChange& change) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  if (old.get(attribute::kResult) != fact.get(attribute::kResult) ||
      old.get(attribute::kRoutineKind) != fact.get(attribute::kRoutineKind)) {
    return true;
  }
  const auto had = parameters_of(old);
  const auto has = parameters_of(fact);
  return !std::ranges::equal(had, has, [](const RoutineParameter& before, const RoutineParameter& after) {
    return before.declaration == after.declaration && (!before.has_default || after.has_default);
  });
}

// The body, without cost and settings, which precede it.
std::string_view body_of(const Fact& fact) {
  const std::string_view definition = fact.get(attribute::kDefinition);
  for (const std::string_view word : {"\nAS ", "\nBEGIN ATOMIC", "\nRETURN "}) {
    if (const auto at = definition.find(word); at != std::string_view::npos) {
      return definition.substr(at);
    }
  }
  return definition;
}

// An index on the function still contains results of the old body, so queries through it would miss rows.
void rebuild_index(const ChangeSet& changes, std::uint32_t routine, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  // PostgreSQL rejects CONCURRENTLY for the index of an exclusion constraint.
  const bool online = changes.style == Style::Online && fact.get(attribute::kContype) != "x";
  const std::uint32_t table = changes.old_relation(fact.id);
  const bool partitioned = table != kNoFact && changes.old_fact(table).has(attribute::kPartitionKey);
  Action& action = actions.alter(changes, index, changes.after_of(index));
  action.settles = false;
  action.expands = true;
  action.phase = Phase::Online;
  action.awaits.push_back(routine);
  // REINDEX of a partitioned index commits after each partition, so it cannot run in a transaction block.
  Statement& statement = say(action, std::string("REINDEX INDEX ") + (online ? "CONCURRENTLY " : "") + object_name(fact.id));
  statement.autocommit = online || partitioned;
  statement.planned.note = "its entries were computed by the old body of " + describe(changes.new_fact(routine).id);
}

// The warning about rows that the old body computed or checked, which PostgreSQL does not compute or check again.
std::string stale_rows(const ChangeSet& changes, std::uint32_t dependent) {
  const Fact& fact = changes.old_fact(dependent);
  if (fact.id.kind == Kind::Column && fact.get(attribute::kGenerated) == "stored") {
    return "the stored values of " + parent_name(fact.id) + '.' + quote_identifier(fact.id.name) +
           " keep the values computed by the old body: update the columns that they are generated from, in a batch step";
  }
  if (fact.id.kind == Kind::MaterializedView) {
    return object_name(fact.id) + " keeps the results of the old body until it is refreshed";
  }
  if (fact.id.kind == Kind::Constraint && fact.get(attribute::kContype) == "c") {
    return "the rows of " + parent_name(fact.id) + " were checked by the old body for " + quote_identifier(fact.id.name) +
           " and are not checked again";
  }
  return {};
}

void follow_new_body(const ChangeSet& changes, const FactChange& change, ActionList& actions, Statement& statement) {
  for (const std::uint32_t dependent : changes.old_dependencies.needed_by(change.before)) {
    const Fact& fact = changes.old_fact(dependent);
    if (changes.after_of(dependent) == kNoFact || changes.destroyed(dependent)) {
      continue;
    }
    const std::string_view type = fact.get(attribute::kContype);
    const bool backed = fact.id.kind == Kind::Constraint && (type == "x" || type == "u" || type == "p");
    if (fact.id.kind == Kind::Index || backed) {
      rebuild_index(changes, change.after, dependent, actions);
    } else if (std::string warning = stale_rows(changes, dependent); !warning.empty()) {
      statement.planned.warnings.push_back(std::move(warning));
    }
  }
}

void alter_routine(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  if (old.get(attribute::kDefinition) == fact.get(attribute::kDefinition)) {
    return;
  }
  Action& action = actions.alter(changes, change.before, change.after);
  action.expands = true;  // CREATE OR REPLACE keeps the signature
  Statement& statement = say(action, definition_of(fact));
  statement.body_ahead = checks_body(fact);
  action.mentions = facts_mentioned(changes, change.after);
  if (body_of(old) != body_of(fact)) {
    follow_new_body(changes, change, actions, statement);
  }
}

void drop_aggregate(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP AGGREGATE " + routine_name(changes.old_fact(index).id)).planned.expand = false;
}

void drop_operator(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const FactId& id = changes.old_fact(index).id;
  say(actions.destroy(changes, index),
      "DROP OPERATOR " + quote_identifier(id.schema) + '.' + id.name + " (" + id.arguments + ')');
}

void create_family(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  say(action, definition_of(fact));
  const Names members = list(fact.get(attribute::kMembers));
  if (!members.empty()) {
    Action& add = actions.alter(changes, kNoFact, index);
    add.settles = false;
    say(add, "ALTER OPERATOR FAMILY " + object_name(fact.id) + " USING " + fact.id.arguments + " ADD " + join(members));
  }
}

void drop_with_method(const ChangeSet& changes, std::uint32_t index, ActionList& actions, const std::string& word) {
  const FactId& id = changes.old_fact(index).id;
  say(actions.destroy(changes, index), "DROP " + word + ' ' + object_name(id) + " USING " + quote_identifier(id.arguments));
}

void drop_family(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  drop_with_method(changes, index, actions, "OPERATOR FAMILY");
}

void drop_class(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  drop_with_method(changes, index, actions, "OPERATOR CLASS");
}

void drop_cast(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP CAST (" + changes.old_fact(index).id.arguments + ')');
}

void drop_dictionary(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP TEXT SEARCH DICTIONARY " + object_name(changes.old_fact(index).id));
}

void drop_parser(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP TEXT SEARCH PARSER " + object_name(changes.old_fact(index).id));
}

void drop_template(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP TEXT SEARCH TEMPLATE " + object_name(changes.old_fact(index).id));
}

void create_configuration(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  say(action, definition_of(fact));
  const auto mappings = nested_mappings(fact.get(attribute::kMappings));
  for (const auto& [token, dictionaries] : mappings) {
    say(action, "ALTER TEXT SEARCH CONFIGURATION " + object_name(fact.id) + " ADD MAPPING FOR " + quote_identifier(token) +
                    " WITH " + join(dictionaries));
  }
}

bool replaces_configuration(const ChangeSet& changes, const FactChange& change) {
  return changes.changes(change.before, attribute::kDefinition) ||
         changes.old_fact(change).get(attribute::kDefinition) != changes.new_fact(change).get(attribute::kDefinition);
}

// Indexes and generated columns need the configuration, so its mappings change in place.
void alter_configuration(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  const auto had = nested_mappings(changes.old_fact(change).get(attribute::kMappings));
  const auto has = nested_mappings(fact.get(attribute::kMappings));
  Action& action = actions.alter(changes, change.before, change.after);
  const std::string head = "ALTER TEXT SEARCH CONFIGURATION " + object_name(fact.id);
  const auto find = [](const auto& mappings, const std::string& token) {
    return std::ranges::find_if(mappings, [&](const auto& mapping) { return mapping.first == token; });
  };
  for (const auto& [token, dictionaries] : had) {
    if (find(has, token) == has.end()) {
      say(action, head + " DROP MAPPING FOR " + quote_identifier(token));
    }
  }
  for (const auto& [token, dictionaries] : has) {
    const auto old = find(had, token);
    if (old == had.end() || old->second != dictionaries) {
      say(action, head + (old == had.end() ? " ADD" : " ALTER") + " MAPPING FOR " + quote_identifier(token) + " WITH " +
                      join(dictionaries));
    }
  }
}

void drop_configuration(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP TEXT SEARCH CONFIGURATION " + object_name(changes.old_fact(index).id));
}

constexpr Rule kRules[] = {
    {.kind = Kind::Routine,
     .create = create_routine,
     .drop = drop_routine,
     .replaces = replaces_routine,
     .alter = alter_routine},
    {.kind = Kind::Aggregate, .create = create_from_definition, .drop = drop_aggregate},
    {.kind = Kind::Operator, .create = create_from_definition, .drop = drop_operator},
    {.kind = Kind::OperatorFamily, .create = create_family, .drop = drop_family},
    {.kind = Kind::OperatorClass, .create = create_from_definition, .drop = drop_class},
    {.kind = Kind::Cast, .create = create_from_definition, .drop = drop_cast},
    {.kind = Kind::TextSearchParser, .create = create_from_definition, .drop = drop_parser},
    {.kind = Kind::TextSearchTemplate, .create = create_from_definition, .drop = drop_template},
    {.kind = Kind::TextSearchDictionary, .create = create_from_definition, .drop = drop_dictionary},
    {.kind = Kind::TextSearchConfiguration,
     .create = create_configuration,
     .drop = drop_configuration,
     .replaces = replaces_configuration,
     .alter = alter_configuration},
};

}  // namespace

std::span<const Rule> routine_rules() {
  return kRules;
}

}  // namespace athanor::schema
