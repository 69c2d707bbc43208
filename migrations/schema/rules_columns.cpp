// The rule for columns: adding, dropping and changing them, and their changes of type.
#include "migrations/schema/rules_columns.hpp"

#include <algorithm>
#include <array>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/column_order.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_inheritance.hpp"
#include "migrations/schema/rules_not_null.hpp"
#include "migrations/schema/table_place.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::uint8_t kChangeGroup = 1;
constexpr std::uint8_t kAddGroup = 2;
constexpr std::uint8_t kDropGroup = 3;

std::string alter_column(const Fact& column) {
  return "ALTER COLUMN " + quote_identifier(column.id.name) + ' ';
}

bool is_foreign(const Catalog& catalog, const FactId& child) {
  const std::uint32_t table = find_relation(catalog, child.schema, child.parent);
  return table != kNoFact && catalog.facts()[table].has(attribute::kServer);
}

// The default storage of the type, for versions before SET STORAGE DEFAULT existed.
std::string own_storage(std::string_view type, int version) {
  if (version >= 16) {
    return "DEFAULT";
  }
  return type.starts_with("numeric") || type.starts_with("inet") || type.starts_with("cidr") ? "MAIN" : "EXTENDED";
}

// Sets what a column has besides its type, from one state to another; an empty fact means the defaults.
void set_physical(Action& action, const Fact& old, const Fact& fact, int version, bool reset_by_type) {
  const auto differs = [&](std::string_view attribute) { return old.get(attribute) != fact.get(attribute); };
  // ALTER COLUMN … TYPE resets storage and compression to those of the new type.
  if (reset_by_type ? fact.has(attribute::kStorage) : differs(attribute::kStorage)) {
    const std::string storage = fact.has(attribute::kStorage) ? std::string(fact.get(attribute::kStorage))
                                                              : own_storage(fact.get(attribute::kType), version);
    change_column(action, fact, "SET STORAGE " + storage);
  }
  if (reset_by_type ? fact.has(attribute::kCompression) : differs(attribute::kCompression)) {
    change_column(
        action, fact,
        "SET COMPRESSION " + (fact.has(attribute::kCompression) ? std::string(fact.get(attribute::kCompression)) : "default"));
  }
  if (differs(attribute::kStatistics)) {
    change_column(
        action, fact,
        "SET STATISTICS " + (fact.has(attribute::kStatistics) ? std::string(fact.get(attribute::kStatistics)) : "-1"));
  }
  const OptionChange options = changed_options(old.get(attribute::kOptions), fact.get(attribute::kOptions));
  if (!options.reset.empty()) {
    change_column(action, fact, "RESET " + option_names(options.reset));
  }
  if (!options.set.empty()) {
    change_column(action, fact, "SET " + storage_options(options.set));
  }
  const std::string foreign =
      changed_foreign_options(old.get(attribute::kForeignOptions), fact.get(attribute::kForeignOptions));
  if (!foreign.empty()) {
    say_subcommand(action, alter_parent(fact.id), alter_column(fact) + foreign, kChangeGroup).planned.expand = false;
  }
}

Fact plain_counterpart(const Fact& fact) {
  Fact plain;
  plain.id = fact.id;
  return plain;
}

// The parent's column from which an inherited column has its attributes; kNoFact for columns of types and queries.
std::uint32_t column_above(const Catalog& catalog, const FactId& id);

// An inherited column with its inherited and its own attributes.
Fact whole_column(const Catalog& catalog, const Fact& own) {
  Fact whole = plain_counterpart(own);
  const std::uint32_t above = column_above(catalog, own.id);
  const Fact* parent = above == kNoFact ? nullptr : &catalog.facts()[above];
  if (parent != nullptr) {
    whole.attributes.push_back({attribute::kType, std::string(parent->get(attribute::kType))});
  }
  for (const std::string_view attribute : {attribute::kStorage, attribute::kCompression, attribute::kStatistics,
                                           attribute::kOptions, attribute::kForeignOptions}) {
    const std::string_view value = own.has(attribute) ? own.get(attribute) : parent != nullptr ? parent->get(attribute) : "";
    if (!value.empty() && value != "default" && value != "-1" && value != "[]") {
      whole.attributes.push_back({attribute, std::string(value)});
    }
  }
  std::ranges::sort(whole.attributes, {}, &Attribute::name);
  return whole;
}

void change_inherited(const ChangeSet& changes, const Fact& old, const Fact& fact, Action& action) {
  if (old.has(attribute::kNotNull) != fact.has(attribute::kNotNull)) {
    const bool refuses = fact.has(attribute::kNotNull);
    change_column(action, fact, refuses ? "SET NOT NULL" : "DROP NOT NULL").planned.expand = !refuses;
  }
  action.expands = true;
  set_physical(action, whole_column(changes.after, old), whole_column(changes.after, fact), changes.version, false);
}

void settle_new_column(Action& action, const Fact& fact, int version) {
  Fact plain = plain_counterpart(fact);
  for (const Attribute& entry : fact.attributes) {
    if (entry.name == attribute::kCompression || entry.name == attribute::kForeignOptions ||
        (entry.name == attribute::kStorage && version >= 16)) {
      plain.attributes.push_back(entry);  // part of the definition already
    }
  }
  std::ranges::sort(plain.attributes, {}, &Attribute::name);
  set_physical(action, plain, fact, version, false);
  add_not_null_constraint(action, fact, version);
}

bool new_column_rewrites(const ChangeSet& changes, std::uint32_t index, const Fact* column_default) {
  const Fact& column = changes.new_fact(index);
  // The constraints of a domain must be checked for each row.
  const bool domain = std::ranges::any_of(changes.new_dependencies.needs(index), [&](std::uint32_t needed) {
    return changes.new_fact(needed).id.kind == Kind::Domain;
  });
  return domain || column.get(attribute::kGenerated) == "stored" || column.has(attribute::kIdentity) ||
         (column_default != nullptr && default_rewrites(column_default->get(attribute::kExpression)));
}

// Whether the parent drops the column while this table keeps it.
bool stays_with_child(const ChangeSet& changes, std::uint32_t index) {
  const Fact& fact = changes.new_fact(index);
  const std::uint32_t table = changes.old_relation(fact.id);
  if (table == kNoFact || changes.before_of(index) != kNoFact) {
    return false;
  }
  const std::uint32_t above = column_above(changes.before, fact.id);
  return above != kNoFact && changes.destroyed(above) && changes.after_of(above) == kNoFact &&
         left_to_child(changes, above) != kNoFact;
}

void create(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  if (fact.has(attribute::kInherited)) {
    Action& action = actions.produce(changes, index);
    change_inherited(changes, plain_counterpart(fact), fact, action);
    return;
  }
  if (stays_with_child(changes, index)) {
    actions.produce(changes, index);
    return;
  }
  if (const std::uint32_t kept = kept_from_parent(changes, index); kept != kNoFact) {
    const Fact& parent = changes.old_fact(kept);
    Action& action = actions.produce(changes, index);
    if (parent.id.kind == Kind::Column && parent.get(attribute::kType) != fact.get(attribute::kType)) {
      change_column_type(action, fact, fact,
                         type_change(fact.id.name, parent.get(attribute::kType), fact.get(attribute::kType)))
          .planned.expand = false;
    }
    if (not_null_of(parent) != not_null_of(fact)) {
      change_column(action, fact, not_null_of(fact) ? "SET NOT NULL" : "DROP NOT NULL").planned.expand = !not_null_of(fact);
    }
    if (parent.id.kind == Kind::Column) {  // a typed table gets its columns from a type instead
      rename_kept_not_null(action, parent, fact, changes.version);
    }
    set_physical(action, parent, fact, changes.version, false);
    return;
  }
  const bool generated = fact.has(attribute::kGenerated);
  const bool on_new = changes.on_new_relation(index);
  const auto later = on_new ? columns_added_later(changes, changes.new_relation(fact.id)) : std::vector<std::uint32_t>();
  const auto place = std::ranges::find(later, index);
  if (on_new && place == later.end()) {
    return;  // part of CREATE TABLE
  }
  Action& action = actions.produce(changes, index);
  if (on_new && place != later.begin()) {
    action.awaits.push_back(*std::prev(place));
  }
  const std::uint32_t value = on_new ? kNoFact : find_default(changes.after, fact.id);
  std::string definition = column_definition(fact, changes.version);
  const Fact* column_default = value == kNoFact ? nullptr : &changes.new_fact(value);
  if (column_default != nullptr) {
    action.produces.push_back(value);
    definition += " DEFAULT " + std::string(column_default->get(attribute::kExpression));
  }
  Statement& statement = say_subcommand(action, alter_parent(fact.id), "ADD COLUMN " + definition, kAddGroup);
  statement.planned.rewrites = !on_new && new_column_rewrites(changes, index, column_default);
  if (!on_new && not_null_of(fact) && column_default == nullptr && !fact.has(attribute::kIdentity) && !generated) {
    statement.planned.warnings = {
        "adding " + quote_identifier(fact.id.name) + " to " + parent_name(fact.id) +
        " fails where the table has rows: give the column a default, or add it nullable and fill it first"};
    statement.planned.expand = false;
  }
  settle_new_column(action, fact, changes.version);
}

void drop(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  Action& action = actions.destroy(changes, index);
  if (fact.has(attribute::kInherited)) {
    change_inherited(changes, fact, plain_counterpart(fact), action);
    return;
  }
  if (given_to_parent(changes, index) != kNoFact) {
    return;
  }
  const bool only = left_to_child(changes, index) != kNoFact;
  Statement& statement =
      say_subcommand(action, alter_parent(fact.id, only), "DROP COLUMN " + quote_identifier(fact.id.name), kDropGroup);
  statement.planned.expand = false;
  // Generated values can be computed again, unless the column becomes a plain one.
  const std::uint32_t again = changes.after_of(index);
  const bool computed =
      fact.has(attribute::kGenerated) && (again == kNoFact || changes.new_fact(again).has(attribute::kGenerated));
  const DataLoss loss = computed ? DataLoss::None : DataLoss::Certain;
  statement.planned.loss = loss;
  for (const FactId& left : left_in_children(changes, fact.id, only)) {
    Statement& own = say_subcommand(action, alter_parent(left), "DROP COLUMN " + quote_identifier(left.name), kDropGroup);
    own.planned.expand = false;
    own.planned.loss = loss;
  }
}

bool changes_type(const ChangeSet& changes, const FactChange& change) {
  return changes.retyped(change.before) || changes.changes(change.before, attribute::kType) ||
         changes.changes(change.before, attribute::kCollation);
}

// For generated columns: a plain column cannot become generated, stored values cannot become virtual, and an expression can
// only be changed from PostgreSQL 17 on.
bool replaces(const ChangeSet& changes, const FactChange& change) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  if (old.has(attribute::kInherited) || fact.has(attribute::kInherited)) {
    return false;
  }
  const std::string_view was = old.get(attribute::kGenerated);
  const std::string_view is = fact.get(attribute::kGenerated);
  if (was != is) {
    return !(was == "stored" && is.empty());
  }
  return !is.empty() && old.get(attribute::kExpression) != fact.get(attribute::kExpression) && changes.version < 17;
}

bool compatible_keys(std::string_view from, std::string_view to) {
  constexpr std::array<std::string_view, 3> kWhole{"smallint", "integer", "bigint"};
  const auto whole = [&](std::string_view type) { return std::ranges::find(kWhole, type) != kWhole.end(); };
  const auto text = [](std::string_view type) { return type == "text" || type.starts_with("character varying"); };
  return from == to || (whole(from) && whole(to)) || (text(from) && text(to));
}

// Whether a generated column becomes a plain one that keeps its values.
bool becomes_plain(const ChangeSet& changes, std::uint32_t old_column) {
  return changes.changes().contains(old_column) && changes.old_fact(old_column).has(attribute::kGenerated) &&
         !changes.new_fact(changes.after_of(old_column)).has(attribute::kGenerated);
}

// Whether a dependent must be dropped while the type of the column changes. PostgreSQL rejects ALTER COLUMN … TYPE while views,
// rules, policies, generated columns or triggers use the column; it rebuilds indexes and constraints itself.
bool cannot_stand(const ChangeSet& changes, const FactChange& change, std::uint32_t dependent) {
  switch (changes.old_fact(dependent).id.kind) {
    case Kind::View:
    case Kind::MaterializedView:
    case Kind::Rule:
    case Kind::Policy:
    case Kind::ColumnDefault:
    case Kind::Trigger:
    case Kind::Routine:
    case Kind::Publication:  // lists the column, or uses it in a condition
      return true;
    case Kind::Column:  // generated from the column
      return !becomes_plain(changes, dependent);
    case Kind::Index:  // PostgreSQL rebuilds it, unless its expressions do not fit the new type
      return changes.changes().contains(dependent);
    case Kind::Constraint:
      return changes.old_fact(dependent).get(attribute::kContype) == "f" &&
             !compatible_keys(changes.old_fact(change).get(attribute::kType), changes.new_fact(change).get(attribute::kType));
    default:
      return false;
  }
}

void add_descendants(const ChangeSet& changes, std::uint32_t table, std::vector<std::uint32_t>& found) {
  for (const std::uint32_t child : changes.old_dependencies.needed_by(table)) {
    const Fact& fact = changes.old_fact(child);
    if (fact.id.kind == Kind::Table && (fact.has(attribute::kPartitionOf) || fact.has(attribute::kInherits))) {
      found.push_back(child);
      add_descendants(changes, child, found);
    }
  }
}

std::vector<std::uint32_t> disturbs(const ChangeSet& changes, const FactChange& change) {
  std::vector<std::uint32_t> found;
  const Fact& old = changes.old_fact(change);
  if (!changes_type(changes, change) || old.has(attribute::kInherited)) {
    return found;
  }
  for (const std::uint32_t dependent : changes.old_dependencies.needed_by(change.before)) {
    if (changes.after_of(dependent) != kNoFact && cannot_stand(changes, change, dependent)) {
      found.push_back(dependent);
    }
  }
  // The type also changes in partitions and children, whose inherited columns are not facts. Their dependents are edges to the
  // table.
  std::vector<std::uint32_t> tables;
  add_descendants(changes, changes.old_relation(old.id), tables);
  for (const std::uint32_t table : tables) {
    for (const std::uint32_t dependent : changes.old_dependencies.needed_by(table)) {
      const Kind kind = changes.old_fact(dependent).id.kind;
      if (changes.after_of(dependent) != kNoFact && kind != Kind::Column && kind != Kind::ColumnDefault &&
          kind != Kind::Routine && kind != Kind::Constraint && cannot_stand(changes, change, dependent)) {
        found.push_back(dependent);
      }
    }
  }
  return found;
}

// Adds the composite types inside a column's type, at any depth, that are recreated.
void add_swapped_composites(const ChangeSet& changes, std::uint32_t fact, std::vector<std::uint32_t>& found) {
  for (const std::uint32_t needed : changes.old_dependencies.needs(fact)) {
    const bool known = std::ranges::find(found, needed) != found.end();
    if (!known && changes.swapped(needed) && changes.old_fact(needed).id.kind == Kind::CompositeType) {
      found.push_back(needed);
      add_swapped_composites(changes, needed, found);
    }
  }
}

// Whether the attributes are in the same places, so that the text of a value fits the new type.
bool same_places(const Fact& old, const Fact& fact) {
  const auto first = [](const Names& parts) { return parts[0]; };
  return std::ranges::equal(rows(old.get(attribute::kAttributes)), rows(fact.get(attribute::kAttributes)), {}, first, first);
}

// "CASE WHEN a IS NOT DISTINCT FROM NULL THEN NULL ELSE ROW((a).street, (a).zip::text, NULL)::public.addr END": converts
// attribute by attribute, because the text of a row only fits a type with equally many attributes. IS NULL would also be true
// for a row of NULLs.
std::string composite_expression(const std::string& column, const Fact& old, const Fact& fact, const std::string& type) {
  const std::vector<Names> had = rows(old.get(attribute::kAttributes));
  Names values;
  for (const Names& entry : rows(fact.get(attribute::kAttributes))) {
    const auto kept = std::ranges::find(had, entry[0], [](const Names& parts) { return parts[0]; });
    const std::string value = '(' + column + ")." + quote_identifier(entry[0]);
    values.push_back(kept == had.end() ? "NULL" : *kept == entry ? value : value + "::text::" + entry[1]);
  }
  return "CASE WHEN " + column + " IS NOT DISTINCT FROM NULL THEN NULL ELSE ROW(" + join(values) + ")::" + type + " END";
}

// The conversion of a column to its recreated type: through text, because no cast exists between the old and the new type.
TypeChange to_new_type(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  const std::string name = quote_identifier(fact.id.name);
  const std::string type(fact.get(attribute::kType));
  const bool array = type.ends_with("[]") && old.get(attribute::kType).ends_with("[]");
  TypeChange effect;
  effect.using_expression = name + (array ? "::text[]::" : "::text::") + type;
  std::vector<std::uint32_t> composites;
  add_swapped_composites(changes, change.before, composites);
  for (const std::uint32_t index : composites) {
    const Fact& was = changes.old_fact(index);
    const Fact& is = changes.new_fact(changes.after_of(index));
    if (same_places(was, is)) {
      continue;
    }
    if (composites.size() > 1 || type != object_name(is.id) || old.get(attribute::kType) != type) {
      actions.refuse(Error(ErrorCode::SchemaChangeRefused,
                           "the " + describe(was.id) + " gets new attributes and a changed one, and the " + describe(fact.id) +
                               " uses it inside another type: its values cannot be converted")
                         .advise("create the new type under another name, add a new column, and fill it in a batch step"));
      return effect;
    }
    effect.using_expression = composite_expression(name, was, is, type);
    const std::vector<Names> has = rows(is.get(attribute::kAttributes));
    const bool goes = std::ranges::any_of(rows(was.get(attribute::kAttributes)), [&](const Names& entry) {
      return std::ranges::find(has, entry[0], [](const Names& parts) { return parts[0]; }) == has.end();
    });
    effect.loss = goes ? DataLoss::Certain : effect.loss;
  }
  return effect;
}

void change_type(const ChangeSet& changes, const FactChange& change, Action& action, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  const std::string type(fact.get(attribute::kType));
  TypeChange effect;
  if (changes.retyped(change.before)) {
    effect = to_new_type(changes, change, actions);
  } else if (old.get(attribute::kType) == type) {
    effect.loss = DataLoss::None;  // only the collation changes
    effect.rewrites = false;
  } else {
    effect = type_change(fact.id.name, old.get(attribute::kType), type);
  }
  if (is_foreign(changes.after, fact.id)) {
    effect = {.rewrites = false, .loss = DataLoss::None};  // the rows are on another server
  }
  change_column_type(action, fact, fact, effect).planned.expand = effect.loss == DataLoss::None;
}

void alter(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  if (old.has(attribute::kInherited) || fact.has(attribute::kInherited)) {
    change_inherited(changes, old, fact, actions.alter(changes, change.before, change.after));
    return;
  }
  const bool type = changes_type(changes, change);
  if (old.has(attribute::kGenerated) && !fact.has(attribute::kGenerated)) {
    // A separate statement: the type of a generated column cannot change with USING in the same ALTER TABLE.
    change_column(actions.alter(changes, change.before, change.after), fact, "DROP EXPRESSION").group = 0;
  }
  if (type) {
    Action& action = actions.alter(changes, change.before, change.after);
    for (const std::uint32_t dependent : changes.old_dependencies.needed_by(change.before)) {
      if (changes.old_fact(dependent).id.kind == Kind::Column && becomes_plain(changes, dependent)) {
        // A dependent that becomes plain with DROP EXPRESSION must do so first, because it blocks the change of type.
        action.awaits.push_back(changes.after_of(dependent));
      }
    }
    for (const std::uint32_t loosened : changes.loosened()) {
      if (changes.old_fact(loosened).id.kind == Kind::Publication) {
        action.takes.push_back(publication_key(changes.old_fact(loosened).id));
      }
    }
    change_type(changes, change, action, actions);
  }
  if (fact.has(attribute::kGenerated) && changes.changes(change.before, attribute::kExpression)) {
    Action& action = actions.alter(changes, change.before, change.after);
    change_column(action, fact, "SET EXPRESSION AS (" + std::string(fact.get(attribute::kExpression)) + ')').planned.rewrites =
        fact.get(attribute::kGenerated) == "stored";
  }
  if (old.has(attribute::kIdentity) && !fact.has(attribute::kIdentity)) {
    drop_identity(changes, change, actions);
  }
  // After the change of type, which resets these attributes.
  Action& physical = actions.alter(changes, change.before, change.after);
  physical.expands = true;
  set_physical(physical, old, fact, changes.version, type);
  change_not_null(changes, change, actions);
  alter_identity(changes, change, actions);
}

Reaction reacts(const ChangeSet& changes, std::uint32_t index, std::uint32_t destroyed) {
  switch (changes.old_fact(destroyed).id.kind) {
    case Kind::EnumType:
    case Kind::CompositeType:
    case Kind::RangeType:
    case Kind::Domain:
    case Kind::Collation:
      return changes.old_fact(index).has(attribute::kGenerated)   ? Reaction::Replace
             : changes.old_fact(index).has(attribute::kInherited) ? Reaction::Stay
                                                                  : Reaction::Retype;
    default:
      return Reaction::Replace;
  }
}

std::uint32_t column_above(const Catalog& catalog, const FactId& id) {
  FactId value = id;
  value.kind = Kind::Column;
  return fact_above(catalog, value);
}

constexpr Rule kColumnRules[] = {
    {.kind = Kind::Column,
     .create = create,
     .drop = drop,
     .replaces = replaces,
     .alter = alter,
     .disturbs = disturbs,
     .reacts = reacts},
};

}  // namespace

Statement& change_column(Action& action, const Fact& column, const std::string& what) {
  return say_subcommand(action, alter_parent(column.id), alter_column(column) + what, kChangeGroup);
}

Statement& change_column_type(Action& action, const Fact& column, const Fact& fact, const TypeChange& effect) {
  std::string text = "TYPE " + std::string(fact.get(attribute::kType));
  if (fact.has(attribute::kCollation)) {
    text += " COLLATE " + name_of_pair(fact.get(attribute::kCollation));
  }
  if (!effect.using_expression.empty() && !fact.has(attribute::kGenerated)) {
    text += " USING " + effect.using_expression;
  }
  Statement& statement = change_column(action, column, text);
  statement.planned.rewrites = effect.rewrites;
  statement.planned.loss = effect.loss;
  return statement;
}

std::string alter_parent(const FactId& child, bool only) {
  return (only ? "ALTER TABLE ONLY " : "ALTER TABLE ") + parent_name(child);
}

void settle_column(const ChangeSet& changes, std::uint32_t column, ActionList& actions) {
  Action& action = actions.alter(changes, kNoFact, column);
  action.settles = false;
  action.expands = true;  // the table is new
  settle_new_column(action, changes.new_fact(column), changes.version);
}

std::string column_definition(const Fact& column, int version) {
  std::string text = quote_identifier(column.id.name) + ' ' + std::string(column.get(attribute::kType));
  if (column.has(attribute::kForeignOptions)) {
    text += ' ' + foreign_options(column.get(attribute::kForeignOptions));
  }
  if (column.has(attribute::kStorage) && version >= 16) {
    text += " STORAGE " + std::string(column.get(attribute::kStorage));
  }
  if (column.has(attribute::kCompression)) {
    text += " COMPRESSION " + std::string(column.get(attribute::kCompression));
  }
  if (column.has(attribute::kCollation)) {
    text += " COLLATE " + name_of_pair(column.get(attribute::kCollation));
  }
  if (column.has(attribute::kGenerated)) {
    text += " GENERATED ALWAYS AS (" + std::string(column.get(attribute::kExpression)) + ')' +
            (column.get(attribute::kGenerated) == "stored" ? " STORED" : " VIRTUAL");
  }
  if (column.has(attribute::kIdentity)) {
    text += ' ' + identity_clause(column);
  }
  return text + not_null_clause(column);
}

std::span<const Rule> column_rules() {
  return kColumnRules;
}

}  // namespace athanor::schema
