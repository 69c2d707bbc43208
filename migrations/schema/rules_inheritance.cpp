#include "migrations/schema/rules_inheritance.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/catalog_text.hpp"
#include "migrations/schema/column_order.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/schema/rules_not_null.hpp"
#include "migrations/schema/table_place.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor::schema {
namespace {

std::string alter_table(const FactId& id) {
  return "ALTER TABLE " + object_name(id) + ' ';
}

std::string parent_of(const Fact& fact) {
  return name_of_pair(fact.get(attribute::kPartitionOf));
}

bool contains(const std::vector<Names>& parents, const Names& parent) {
  return std::ranges::find(parents, parent) != parents.end();
}

Fact part_of_table(const Fact& part, const FactId& table) {
  Fact own = part;
  own.id.schema = table.schema;
  own.id.parent = table.name;
  return own;
}

// The columns that tables declare, from the parent up.
std::vector<const Fact*> columns_of_parent(const Catalog& catalog, const Dependencies& dependencies, const Names& parent) {
  std::vector<const Fact*> columns;
  const std::uint32_t table = find_fact(catalog, Kind::Table, parent[0], parent[1]);
  if (table == kNoFact) {
    return columns;
  }
  for (const std::uint32_t part : dependencies.needed_by(table)) {
    const Fact& fact = catalog.facts()[part];
    if (fact.id.kind == Kind::Column && dependencies.parent(part) == table && !fact.has(attribute::kInherited)) {
      columns.push_back(&fact);
    }
  }
  std::ranges::stable_sort(columns, {}, &Fact::position);
  for (const Names& above : parents_of(catalog.facts()[table])) {
    std::ranges::copy(columns_of_parent(catalog, dependencies, above), std::back_inserter(columns));
  }
  return columns;
}

// The columns that an expression uses.
std::set<std::string> columns_in(std::string_view expression, const std::vector<const Fact*>& columns) {
  std::set<std::string> found;
  SqlLexer lexer(expression);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next_code()) {
    if (token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier) {
      const std::string name = identifier_name(lexer.text(token));
      if (std::ranges::any_of(columns, [&](const Fact* column) { return column->id.name == name; })) {
        found.insert(name);
      }
    }
  }
  return found;
}

// DETACH … CONCURRENTLY leaves a CHECK constraint for the old bounds on the table. PostgreSQL names it after the table, and
// after the column if the key uses only one.
void drop_bounds_check(const ChangeSet& changes, const Fact& old, Action& action) {
  const Names parent = list(old.get(attribute::kPartitionOf));
  const std::uint32_t table = find_fact(changes.before, Kind::Table, parent[0], parent[1]);
  const std::string_view key = table == kNoFact ? std::string_view() : changes.old_fact(table).get(attribute::kPartitionKey);
  const auto open = key.find('(');
  if (open == std::string_view::npos || key.starts_with("HASH")) {
    return;
  }
  const std::set<std::string> columns =
      columns_in(key.substr(open + 1), columns_of_parent(changes.before, changes.old_dependencies, parent));
  const std::string name = chosen_name(old.id.name, columns.size() == 1 ? *columns.begin() : std::string(), "check");
  FactId own = old.id;
  own.kind = Kind::Constraint;
  own.parent = old.id.name;
  own.name = name;
  if (!changes.after.index_of(own)) {
    say(action, alter_table(old.id) + "DROP CONSTRAINT IF EXISTS " + quote_identifier(name));
  }
}

bool has_default_partition(const ChangeSet& changes, const Fact& child) {
  const Names parent = list(child.get(attribute::kPartitionOf));
  return std::ranges::any_of(changes.before.facts(), [&](const Fact& fact) {
    return fact.id.kind == Kind::Table && fact.get(attribute::kBound) == "DEFAULT" &&
           list(fact.get(attribute::kPartitionOf)) == parent;
  });
}

// Detaches a partition or child from its parents. `returns`: this plan attaches it again. Both must then run in one
// transaction, so that readers of the parent never miss the rows; CONCURRENTLY would not allow that.
void let_go(const ChangeSet& changes, const Fact& old, bool returns, Action& action) {
  action.phase = Phase::Teardown;
  if (old.has(attribute::kPartitionOf)) {
    // PostgreSQL rejects CONCURRENTLY if there is a default partition.
    const bool concurrently = changes.style == Style::Online && !returns && !has_default_partition(changes, old);
    Statement& statement = say(action, "ALTER TABLE " + parent_of(old) + " DETACH PARTITION " + object_name(old.id) +
                                           (concurrently ? " CONCURRENTLY" : ""));
    statement.autocommit = concurrently;
    statement.planned.expand = false;
    if (concurrently) {
      drop_bounds_check(changes, old, action);
    }
  }
  for (const Names& parent : rows(old.get(attribute::kInherits))) {
    say(action, alter_table(old.id) + "NO INHERIT " + qualified_name(parent[0], parent[1]));
  }
  if (old.has(attribute::kOfType)) {
    say(action, alter_table(old.id) + "NOT OF");
  }
}

void hold_again(const Fact& fact, Action& action) {
  if (fact.has(attribute::kPartitionOf)) {
    say(action, "ALTER TABLE " + parent_of(fact) + " ATTACH PARTITION " + object_name(fact.id) + ' ' +
                    std::string(fact.get(attribute::kBound)));
  }
  for (const Names& parent : rows(fact.get(attribute::kInherits))) {
    say(action, alter_table(fact.id) + "INHERIT " + qualified_name(parent[0], parent[1]));
  }
  if (fact.has(attribute::kOfType)) {
    say(action, alter_table(fact.id) + "OF " + std::string(fact.get(attribute::kOfType)));
  }
}

std::string_view default_above(const Catalog& catalog, const Fact& table, std::string_view column) {
  FactId value{.kind = Kind::ColumnDefault, .schema = table.id.schema, .parent = table.id.name, .name = std::string(column)};
  const std::uint32_t above = fact_above(catalog, value);
  return above == kNoFact ? std::string_view() : catalog.facts()[above].get(attribute::kExpression);
}

// Gives a table's column the type of the parent's.
void change_type(const Fact& was, const Fact& is, const Fact& column, Action& action) {
  if (was.get(attribute::kType) == is.get(attribute::kType) &&
      was.get(attribute::kCollation) == is.get(attribute::kCollation)) {
    return;
  }
  change_column_type(action, column, is, type_change(is.id.name, was.get(attribute::kType), is.get(attribute::kType)))
      .planned.expand = false;
}

// INHERIT and ATTACH PARTITION reject a table without the parent's checks.
void add_checks_of(const ChangeSet& changes, const FactChange& change, const Names& parent, Action& action) {
  const Fact& fact = changes.new_fact(change);
  const std::uint32_t table = find_fact(changes.after, Kind::Table, parent[0], parent[1]);
  if (table == kNoFact) {
    return;
  }
  for (const std::uint32_t part : changes.new_dependencies.needed_by(table)) {
    const Fact& check = changes.new_fact(part);
    const Fact own = part_of_table(check, fact.id);
    const bool inherited = check.id.kind == Kind::Constraint && check.get(attribute::kContype) == "c" &&
                           changes.new_dependencies.parent(part) == table &&
                           check.get(attribute::kDefinition).find(" NO INHERIT") == std::string_view::npos;
    if (inherited && !changes.before.index_of(own.id) && fact_above(changes.before, own.id) == kNoFact) {
      say(action, alter_table(fact.id) + "ADD CONSTRAINT " + quote_identifier(own.id.name) + ' ' +
                      std::string(check.get(attribute::kDefinition)))
          .planned.expand = false;
    }
  }
  for (const Names& above : parents_of(changes.new_fact(table))) {
    add_checks_of(changes, change, above, action);
  }
}

// Adds the columns that new parents require: INHERIT and ATTACH PARTITION reject a table without them.
void add_columns_of(const ChangeSet& changes, const FactChange& change, const Names& parent, Action& action) {
  const Fact& fact = changes.new_fact(change);
  for (const Fact* required : columns_of_parent(changes.after, changes.new_dependencies, parent)) {
    const Fact column = part_of_table(*required, fact.id);
    const bool there = changes.before.index_of(column.id).has_value() ||
                       has_from_type(changes.before, changes.old_dependencies, column.id) ||
                       has_from_parent(changes.before, changes.old_fact(change), column.id.name);
    const std::string_view value = default_above(changes.after, fact, column.id.name);
    FactId own = column.id;
    own.kind = Kind::ColumnDefault;
    if (!there) {
      say(action, alter_table(fact.id) + "ADD COLUMN " + column_definition(column, changes.version) +
                      (value.empty() ? std::string() : " DEFAULT " + std::string(value)));
      continue;
    }
    const Fact* had = changes.before.find(column.id);
    if (had == nullptr || had->has(attribute::kInherited)) {
      continue;
    }
    change_type(*had, *required, column, action);
    if (!not_null_of(*had) && not_null_of(*required) && !changes.after.index_of(column.id)) {
      change_column(action, column, "SET NOT NULL").planned.expand = false;
    }
    if (!value.empty() && !changes.before.index_of(own) && !changes.after.index_of(own)) {
      change_column(action, column, "SET DEFAULT " + std::string(value));  // INHERIT does not bring it
    }
  }
}

// Drops the columns that the table only had from a parent that it leaves: NO INHERIT and DETACH leave them to it.
void drop_columns_of(const ChangeSet& changes, const FactChange& change, const Names& parent, Action& action) {
  const Fact& fact = changes.new_fact(change);
  for (const Fact* had : columns_of_parent(changes.before, changes.old_dependencies, parent)) {
    const FactId own = part_of_table(*had, fact.id).id;
    const std::uint32_t before = changes.before.index_of(own).value_or(kNoFact);
    const bool own_fact = before != kNoFact && !changes.old_fact(before).has(attribute::kInherited);
    if (own_fact || changes.after.index_of(own).has_value() || has_from_type(changes.after, changes.new_dependencies, own) ||
        has_from_parent(changes.after, fact, own.name)) {
      continue;
    }
    Statement& statement = say(action, alter_table(fact.id) + "DROP COLUMN " + quote_identifier(own.name));
    statement.planned.loss = DataLoss::Certain;
    statement.planned.expand = false;
  }
}

// NO INHERIT and DETACH leave the parent's default to the table. It goes at once, because it may need a sequence that is
// dropped with the parent; the default of the new parents comes with them.
void change_inherited_defaults(const ChangeSet& changes, const FactChange& change, const Names& parent, Action& leave,
                               Action& join) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  for (const Fact* had : columns_of_parent(changes.before, changes.old_dependencies, parent)) {
    const Fact column = part_of_table(*had, fact.id);
    FactId value = column.id;
    value.kind = Kind::ColumnDefault;
    const bool stays = changes.after.index_of(column.id).has_value() || has_from_parent(changes.after, fact, column.id.name);
    if (!stays || had->has(attribute::kGenerated) || changes.before.index_of(value)) {
      continue;
    }
    const std::string_view was = default_above(changes.before, old, column.id.name);
    const Fact* own = changes.after.find(value);
    const std::string_view is =
        own != nullptr ? own->get(attribute::kExpression) : default_above(changes.after, fact, column.id.name);
    if (was == is) {
      continue;
    }
    if (!was.empty()) {
      change_column(leave, column, "DROP DEFAULT");
    }
    if (own == nullptr && !is.empty()) {
      change_column(join, column, "SET DEFAULT " + std::string(is));
    }
  }
}

// The parent's columns and defaults are dropped only afterwards, or the table would lose them as well.
void leave_before_drops(const ChangeSet& changes, const Names& parent, Action& leave) {
  const std::uint32_t table = find_fact(changes.before, Kind::Table, parent[0], parent[1]);
  if (table == kNoFact) {
    return;
  }
  for (const std::uint32_t part : changes.old_dependencies.needed_by(table)) {
    const Kind kind = changes.old_fact(part).id.kind;
    if ((kind == Kind::Column || kind == Kind::ColumnDefault) && changes.destroyed(part)) {
      leave.precedes.push_back(part);
    }
  }
  for (const Names& above : parents_of(changes.old_fact(table))) {
    leave_before_drops(changes, above, leave);
  }
}

// A table whose parent is recreated keeps the columns of the old one. Makes them those of the new one.
void follow_recreated_parent(const ChangeSet& changes, const FactChange& change, const Names& parent, Action& action) {
  drop_columns_of(changes, change, parent, action);
  add_columns_of(changes, change, parent, action);
  const std::vector<const Fact*> had = columns_of_parent(changes.before, changes.old_dependencies, parent);
  for (const Fact* is : columns_of_parent(changes.after, changes.new_dependencies, parent)) {
    const auto was = std::ranges::find(had, is->id.name, [](const Fact* fact) { return fact->id.name; });
    if (was == had.end()) {
      continue;
    }
    const Fact column = part_of_table(*is, changes.new_fact(change).id);
    change_type(**was, *is, column, action);
    if (not_null_of(**was) != not_null_of(*is) && !changes.after.index_of(column.id) && !changes.before.index_of(column.id)) {
      change_column(action, column, not_null_of(*is) ? "SET NOT NULL" : "DROP NOT NULL").planned.expand = false;
    }
  }
}

// Orders the action after all changes of the columns and checks of a parent: while the table is detached, they would not reach
// it, and ATTACH would reject it.
void wait_for_parent(const ChangeSet& changes, const Names& parent, Action& action) {
  const std::uint32_t before = find_fact(changes.before, Kind::Table, parent[0], parent[1]);
  const std::uint32_t after = find_fact(changes.after, Kind::Table, parent[0], parent[1]);
  if (before == kNoFact || after == kNoFact || changes.destroyed(before)) {
    return;
  }
  const auto matters = [](const Fact& fact) {
    return fact.id.kind == Kind::Column || (fact.id.kind == Kind::Constraint && fact.get(attribute::kContype) == "c");
  };
  for (const std::uint32_t part : changes.new_dependencies.needed_by(after)) {
    if (changes.new_dependencies.parent(part) == after && matters(changes.new_fact(part))) {
      action.awaits.push_back(part);
    }
  }
  for (const std::uint32_t part : changes.old_dependencies.needed_by(before)) {
    if (changes.old_dependencies.parent(part) == before && matters(changes.old_fact(part)) && changes.destroyed(part) &&
        changes.after_of(part) == kNoFact) {
      action.outlives.push_back(part);
    }
  }
  for (const Names& above : parents_of(changes.new_fact(after))) {
    wait_for_parent(changes, above, action);
  }
}

// Held by all partitions that leave the parent, so that the bounds that others get are free.
std::string bounds_key(const Names& parent) {
  return "bounds " + qualified_name(parent[0], parent[1]);
}

// The attributes of the table's place that change, so that only these are taken away and set. Parents that stay are left alone
// if the others leave or follow them.
struct Place {
  Fact old, fact;
};

void set_parents(Fact& fact, const std::vector<Names>& parents) {
  if (parents.empty()) {
    return;
  }
  std::vector<std::string> names;
  for (const Names& parent : parents) {
    names.push_back(json_name(parent[0], parent[1]));
  }
  fact.attributes.push_back({attribute::kInherits, json_values(names)});
}

Place changed_place(const ChangeSet& changes, const FactChange& change) {
  const auto differs = [&](std::string_view attribute) { return changes.changes(change.before, attribute); };
  const bool partition = differs(attribute::kPartitionOf) || differs(attribute::kBound);
  const auto only = [&](const Fact& fact) {
    Fact part;
    part.id = fact.id;
    for (const std::string_view name : {attribute::kPartitionOf, attribute::kBound, attribute::kOfType}) {
      if (fact.has(name) && (name == attribute::kOfType ? differs(name) : partition)) {
        part.attributes.push_back({name, std::string(fact.get(name))});
      }
    }
    return part;
  };
  Place place{only(changes.old_fact(change)), only(changes.new_fact(change))};
  if (differs(attribute::kInherits)) {
    std::vector<Names> had = rows(changes.old_fact(change).get(attribute::kInherits));
    std::vector<Names> has = rows(changes.new_fact(change).get(attribute::kInherits));
    std::vector<Names> stay = had;
    std::erase_if(stay, [&](const Names& parent) { return !contains(has, parent); });
    if (std::equal(stay.begin(), stay.end(), has.begin(), has.begin() + static_cast<std::ptrdiff_t>(stay.size()))) {
      std::erase_if(had, [&](const Names& parent) { return contains(stay, parent); });
      std::erase_if(has, [&](const Names& parent) { return contains(stay, parent); });
    }
    set_parents(place.old, had);
    set_parents(place.fact, has);
  }
  std::ranges::sort(place.old.attributes, {}, &Attribute::name);
  std::ranges::sort(place.fact.attributes, {}, &Attribute::name);
  return place;
}

// Whether the table has the column or check from a parent other than this one.
bool has_from_another(const Catalog& catalog, const Fact& table, const FactId& part) {
  return std::ranges::any_of(parents_of(table), [&](const Names& parent) {
    FactId above = part;
    above.schema = parent[0];
    above.parent = parent[1];
    return above != part && (catalog.index_of(above).has_value() || fact_above(catalog, above) != kNoFact);
  });
}

void collect_left(const ChangeSet& changes, const FactId& part, bool only, std::vector<FactId>& found) {
  const std::uint32_t table = changes.old_relation(part);
  const std::string_view what = part.kind == Kind::Column ? attribute::kColumn : attribute::kCheckConstraint;
  for (const std::uint32_t child :
       table == kNoFact ? std::span<const std::uint32_t>() : changes.old_dependencies.needed_by(table)) {
    const Fact& relation = changes.old_fact(child);
    const std::uint32_t now = changes.after_of(child);
    const Names parent{part.schema, part.parent};
    const bool stays = relation.id.kind == Kind::Table && now != kNoFact && !changes.destroyed(child) &&
                       contains(parents_of(relation), parent) && contains(parents_of(changes.new_fact(now)), parent);
    if (!stays || has_from_another(changes.before, relation, part)) {
      continue;
    }
    FactId own = part;
    own.schema = relation.id.schema;
    own.parent = relation.id.name;
    const auto declared = [](const Fact* fact) { return fact != nullptr && !fact->has(attribute::kInherited); };
    if (declared(changes.before.find(own)) || declared(changes.after.find(own))) {
      continue;  // it drops or keeps its own
    }
    if (only || relation.redeclares(what, part.name)) {
      found.push_back(own);
    }
    collect_left(changes, own, false, found);
  }
}

}  // namespace

void loosen_table(const ChangeSet& changes, std::uint32_t before, ActionList& actions) {
  Action& action = actions.alter(changes, before, changes.after_of(before));
  action.settles = false;
  action.waits = false;
  let_go(changes, changes.old_fact(before), changes.new_fact(changes.after_of(before)).has(attribute::kPartitionOf), action);
}

void bind_table(const ChangeSet& changes, std::uint32_t before, ActionList& actions) {
  Action& action = actions.alter(changes, before, changes.after_of(before));
  action.releases = false;
  const FactChange change{before, changes.after_of(before), {}};
  for (const Names& parent : parents_of(changes.new_fact(change))) {
    const std::uint32_t table = find_fact(changes.before, Kind::Table, parent[0], parent[1]);
    if (table != kNoFact && changes.destroyed(table)) {
      follow_recreated_parent(changes, change, parent, action);
    }
  }
  hold_again(changes.new_fact(change), action);
}

void change_place(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const bool differs =
      std::ranges::any_of(std::initializer_list<std::string_view>{attribute::kPartitionOf, attribute::kBound,
                                                                  attribute::kInherits, attribute::kOfType},
                          [&](std::string_view attribute) { return changes.changes(change.before, attribute); });
  if (!differs || changes.loosened().contains(change.before)) {
    return;  // a loosened table is bound to its new place
  }
  const Place place = changed_place(changes, change);
  const std::vector<Names> leaves = parents_of(place.old);
  const std::vector<Names> joins = parents_of(place.fact);
  Action& action = actions.alter(changes, change.before, change.after);
  action.waits = false;
  let_go(changes, place.old, place.fact.has(attribute::kPartitionOf), action);
  Action& again = actions.alter(changes, change.before, change.after);
  again.releases = false;
  again.expands = true;
  for (const Names& parent : leaves) {
    if (contains(joins, parent)) {
      wait_for_parent(changes, parent, action);
    } else {
      leave_before_drops(changes, parent, action);
      drop_columns_of(changes, change, parent, again);
    }
  }
  for (const Names& parent : joins) {
    if (!contains(leaves, parent)) {
      wait_for_parent(changes, parent, again);
      add_columns_of(changes, change, parent, again);
      add_checks_of(changes, change, parent, again);
    }
  }
  if (!leaves.empty()) {
    action.frees.push_back(bounds_key(leaves.front()));
  }
  if (!joins.empty()) {
    again.takes.push_back(bounds_key(joins.front()));
  }
  for (const Names& parent : leaves) {
    if (!contains(joins, parent)) {
      change_inherited_defaults(changes, change, parent, action, again);
    }
  }
  hold_again(place.fact, again);
}

std::vector<Element> redeclared_elements(const ChangeSet& changes, std::uint32_t table) {
  const Fact& fact = changes.new_fact(table);
  std::vector<Element> elements;
  for (const Attribute& part : fact.uncompared) {
    const bool column = part.name == attribute::kColumn;
    const FactId own{
        .kind = column ? Kind::Column : Kind::Constraint, .schema = fact.id.schema, .parent = fact.id.name, .name = part.value};
    const std::uint32_t above = fact_above(changes.after, own);
    if (above == kNoFact) {
      continue;
    }
    const Fact& inherited = changes.new_fact(above);
    if (column) {
      const std::string collation = inherited.has(attribute::kCollation)
                                        ? " COLLATE " + name_of_pair(inherited.get(attribute::kCollation))
                                        : std::string();
      elements.push_back(
          {part.value, quote_identifier(part.value) + ' ' + std::string(inherited.get(attribute::kType)) + collation, 0});
    } else {
      elements.push_back({{},
                          "CONSTRAINT " + quote_identifier(part.value) + ' ' +
                              std::string(inherited.get(attribute::kDefinition)) +
                              (inherited.has(attribute::kNotEnforced) ? " NOT ENFORCED" : ""),
                          0});
    }
  }
  return elements;
}

std::vector<FactId> left_in_children(const ChangeSet& changes, const FactId& part, bool only) {
  std::vector<FactId> found;
  collect_left(changes, part, only, found);
  return found;
}

bool was_redeclared(const ChangeSet& changes, std::uint32_t new_check) {
  const Fact& fact = changes.new_fact(new_check);
  const std::uint32_t table = changes.old_relation(fact.id);
  if (table == kNoFact || changes.destroyed(table) || changes.before_of(new_check) != kNoFact ||
      !changes.old_fact(table).redeclares(attribute::kCheckConstraint, fact.id.name)) {
    return false;
  }
  const std::uint32_t above = fact_above(changes.before, fact.id);
  return above != kNoFact && changes.old_fact(above).get(attribute::kDefinition) == fact.get(attribute::kDefinition);
}

}  // namespace athanor::schema
