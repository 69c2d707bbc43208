// The rule for defaults of columns. They are separate facts, because a partition or child may have another default than its
// parent, or none.
#include "migrations/schema/attributes.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/schema/table_place.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::uint8_t kChangeGroup = 1;  // the group of changes of columns

std::string alter_column(const Fact& column) {
  return "ALTER COLUMN " + quote_identifier(column.id.name) + ' ';
}

std::string default_clause(const Fact& fact) {
  const std::string_view expression = fact.get(attribute::kExpression);
  return expression == "NULL" ? "DROP DEFAULT" : "SET DEFAULT " + std::string(expression);
}

// SET DEFAULT and DROP DEFAULT on a parent also change all its children, so set those of children that have their own again.
void restore_children(const ChangeSet& changes, const FactId& id, Action& action) {
  const std::uint32_t table = find_relation(changes.after, id.schema, id.parent);
  if (table == kNoFact) {
    return;
  }
  for (const std::uint32_t child : changes.new_dependencies.needed_by(table)) {
    const Fact& relation = changes.new_fact(child);
    if (relation.id.kind != Kind::Table || changes.produced(child) ||
        !(relation.has(attribute::kPartitionOf) || relation.has(attribute::kInherits))) {
      continue;
    }
    FactId own = id;
    own.schema = relation.id.schema;
    own.parent = relation.id.name;
    const std::uint32_t value = changes.after.index_of(own).value_or(kNoFact);
    if (value != kNoFact && !changes.produced(value) && !changes.changes().contains(changes.before_of(value))) {
      const Fact& fact = changes.new_fact(value);
      say_subcommand(action, alter_parent(own), alter_column(fact) + default_clause(fact), kChangeGroup);
    }
    restore_children(changes, own, action);
  }
}

void create_default(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  const std::uint32_t column = find_column(changes.after, fact.id.schema, fact.id.parent, fact.id.name);
  const bool own_column = column != kNoFact && !changes.new_fact(column).has(attribute::kInherited);
  if (own_column && changes.produced(column) && !changes.on_new_relation(index) &&
      kept_from_parent(changes, column) == kNoFact) {
    return;  // part of ADD COLUMN
  }
  Action& action = actions.produce(changes, index);
  action.expands = fact.get(attribute::kExpression) != "NULL";
  say_subcommand(action, alter_parent(fact.id), alter_column(fact) + default_clause(fact), kChangeGroup);
  if (own_column && changes.on_new_relation(index)) {
    action.inline_into = changes.new_relation(fact.id);
    action.element = {fact.id.name, " DEFAULT " + std::string(fact.get(attribute::kExpression)), fact.position};
    return;
  }
  if (const std::uint32_t above = fact_above(changes.after, fact.id); above != kNoFact) {
    action.awaits.push_back(above);
  }
  restore_children(changes, fact.id, action);
}

void drop_default(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  Action& action = actions.destroy(changes, index);
  // Old application code leaves the column out of its INSERTs.
  say_subcommand(action, alter_parent(fact.id), alter_column(fact) + "DROP DEFAULT", kChangeGroup).planned.expand = false;
  restore_children(changes, fact.id, action);
  const std::uint32_t above = fact_above(changes.after, fact.id);
  if (changes.after_of(index) != kNoFact || above == kNoFact) {
    return;
  }
  // The child gets its parent's default.
  Action& inherit = actions.alter(changes, kNoFact, above);
  inherit.settles = false;
  inherit.expands = true;
  inherit.outlives.push_back(index);
  say_subcommand(inherit, alter_parent(fact.id), alter_column(fact) + default_clause(changes.new_fact(above)), kChangeGroup);
}

bool replaces_default(const ChangeSet& /*changes*/, const FactChange& /*change*/) {
  return false;
}

void alter_default(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  action.expands = fact.get(attribute::kExpression) != "NULL";
  if (const std::uint32_t above = fact_above(changes.after, fact.id); above != kNoFact) {
    action.awaits.push_back(above);
  }
  say_subcommand(action, alter_parent(fact.id), alter_column(fact) + default_clause(fact), kChangeGroup);
  restore_children(changes, fact.id, action);
}

constexpr Rule kRules[] = {
    {.kind = Kind::ColumnDefault,
     .create = create_default,
     .drop = drop_default,
     .replaces = replaces_default,
     .alter = alter_default},
};

}  // namespace

std::span<const Rule> default_rules() {
  return kRules;
}

}  // namespace athanor::schema
