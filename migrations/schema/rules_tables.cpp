// Tables: ordinary, partitioned, foreign, typed, inherited.
#include <algorithm>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/column_order.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/schema/rules_indexes.hpp"
#include "migrations/schema/rules_not_null.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

std::string alter_table(const FactId& id) {
  return "ALTER TABLE " + object_name(id) + ' ';
}

bool is_child(const Fact& fact) {
  return fact.has(attribute::kPartitionOf) || fact.has(attribute::kInherits);
}

std::string parent_of(const Fact& fact) {
  return name_of_pair(fact.get(attribute::kPartitionOf));
}

std::string attach_statement(const Fact& fact) {
  return "ALTER TABLE " + parent_of(fact) + " ATTACH PARTITION " + object_name(fact.id) + ' ' +
         std::string(fact.get(attribute::kBound));
}

bool has_from_parent(const Catalog& catalog, const Fact& table, const std::string& column) {
  std::vector<Names> parents = rows(table.get(attribute::kInherits));
  if (const Names parent = list(table.get(attribute::kPartitionOf)); parent.size() == 2) {
    parents.push_back(parent);
  }
  return std::ranges::any_of(parents, [&](const Names& parent) {
    const std::uint32_t above = find_fact(catalog, Kind::Table, parent[0], parent[1]);
    return find_column(catalog, parent[0], parent[1], column) != kNoFact ||
           (above != kNoFact && has_from_parent(catalog, catalog.facts()[above], column));
  });
}

std::string create_tail(const Fact& fact) {
  std::string tail;
  if (fact.has(attribute::kPartitionKey)) {
    tail += " PARTITION BY " + std::string(fact.get(attribute::kPartitionKey));
  }
  if (fact.has(attribute::kAccessMethod)) {
    tail += " USING " + quote_identifier(fact.get(attribute::kAccessMethod));
  }
  if (fact.has(attribute::kServer)) {
    tail += " SERVER " + quote_identifier(fact.get(attribute::kServer));
    const std::string options = foreign_options(fact.get(attribute::kOptions));
    return options.empty() ? tail : tail + ' ' + options;
  }
  if (fact.has(attribute::kOptions)) {
    tail += " WITH " + storage_options(list(fact.get(attribute::kOptions)));
  }
  if (fact.has(attribute::kTablespace)) {
    tail += " TABLESPACE " + quote_identifier(fact.get(attribute::kTablespace));
  }
  return tail;
}

void add_columns(const ChangeSet& changes, std::uint32_t table, Action& action, ActionList& actions) {
  const std::vector<std::uint32_t> later_columns = columns_added_later(changes, table);
  for (const std::uint32_t index : own_columns(changes, table)) {
    const Fact& column = changes.new_fact(index);
    if (std::ranges::find(later_columns, index) != later_columns.end()) {
      continue;
    }
    action.produces.push_back(index);
    action.elements.push_back({column.id.name, column_definition(column, changes.version), column.position});
    const bool later = (column.has(attribute::kStorage) && changes.version < 16) || column.has(attribute::kStatistics) ||
                       column.has(attribute::kOptions) || column.has(attribute::kNotNullNotValid);
    if (later) {
      settle_column(changes, index, actions);
    }
  }
}

void set_flags(const ChangeSet& changes, const Fact& old, const Fact& fact, std::uint32_t before, std::uint32_t after,
               ActionList& actions) {
  struct Flag {
    std::string sql;
    bool expand;
  };
  std::vector<Flag> flags;
  if (old.has(attribute::kRowSecurity) != fact.has(attribute::kRowSecurity)) {
    const bool on = fact.has(attribute::kRowSecurity);
    flags.push_back({(on ? "ENABLE" : "DISABLE") + std::string(" ROW LEVEL SECURITY"), !on});
  }
  if (old.has(attribute::kForceRowSecurity) != fact.has(attribute::kForceRowSecurity)) {
    const bool on = fact.has(attribute::kForceRowSecurity);
    flags.push_back({(on ? "FORCE" : "NO FORCE") + std::string(" ROW LEVEL SECURITY"), !on});
  }
  for (const Flag& flag : flags) {
    Action& action = actions.alter(changes, before, after);
    action.settles = before != kNoFact;
    // Row security hides rows from old application code, or refuses them. A new table has none of its rows.
    say(action, alter_table(fact.id) + flag.sql).planned.expand = flag.expand || before == kNoFact;
  }
}

// Sets CLUSTER ON and REPLICA IDENTITY. If they name an index that this plan creates, choose_index() sets them after its
// creation.
void set_index_choice(const ChangeSet& changes, const Fact& old, const Fact& fact, std::uint32_t before, std::uint32_t after,
                      ActionList& actions) {
  const auto set = [&](std::string_view attribute, std::string_view index, const std::string& text) {
    if (old.get(attribute) == fact.get(attribute) || (!index.empty() && is_index_made(changes, fact.id, index))) {
      return;
    }
    Action& action = actions.alter(changes, before, after);
    action.settles = false;
    say(action, alter_table(fact.id) + text);
  };
  const std::string_view cluster = fact.get(attribute::kClusterOn);
  set(attribute::kClusterOn, cluster, cluster.empty() ? "SET WITHOUT CLUSTER" : "CLUSTER ON " + quote_identifier(cluster));
  const std::string_view identity = fact.get(attribute::kReplicaIdentity);
  const std::string_view index = replica_identity_index(fact);
  set(attribute::kReplicaIdentity, index,
      "REPLICA IDENTITY " + (!index.empty()          ? "USING INDEX " + quote_identifier(index)
                             : identity == "full"    ? std::string("FULL")
                             : identity == "nothing" ? std::string("NOTHING")
                                                     : std::string("DEFAULT")));
}

void create(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  const bool foreign = fact.has(attribute::kServer);
  const std::string persistence = fact.get(attribute::kPersistence) == "unlogged" ? "UNLOGGED " : "";
  action.create_head = "CREATE " + persistence + (foreign ? "FOREIGN TABLE " : "TABLE ") + object_name(fact.id);
  if (fact.has(attribute::kPartitionOf)) {
    action.create_head += " PARTITION OF " + parent_of(fact);
    action.create_tail = ' ' + std::string(fact.get(attribute::kBound));
  } else if (fact.has(attribute::kOfType)) {
    action.create_head += " OF " + std::string(fact.get(attribute::kOfType));
  }
  add_columns(changes, index, action, actions);
  if (fact.has(attribute::kInherits)) {
    Names parents;
    for (const Names& parent : rows(fact.get(attribute::kInherits))) {
      parents.push_back(qualified_name(parent[0], parent[1]));
    }
    action.create_tail += " INHERITS (" + join(parents) + ')';
  }
  action.create_tail += create_tail(fact);
  Fact plain;
  plain.id = fact.id;
  set_flags(changes, plain, fact, kNoFact, index, actions);
  set_index_choice(changes, plain, fact, kNoFact, index, actions);
}

void drop(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  Action& action = actions.destroy(changes, index);
  const bool foreign = fact.has(attribute::kServer);
  Statement& statement = say(action, (foreign ? "DROP FOREIGN TABLE " : "DROP TABLE ") + object_name(fact.id));
  statement.planned.expand = false;
  statement.planned.loss = foreign ? DataLoss::None : DataLoss::Certain;
  if (changes.after_of(index) != kNoFact) {
    statement.planned.note = "PostgreSQL cannot convert one kind of table into the other: the rows are not kept";
  }
}

bool replaces(const ChangeSet& changes, const FactChange& change) {
  return changes.changes(change.before, attribute::kServer) ||
         changes.old_fact(change).get(attribute::kServer) != changes.new_fact(change).get(attribute::kServer) ||
         changes.old_fact(change).get(attribute::kPartitionKey) != changes.new_fact(change).get(attribute::kPartitionKey) ||
         (changes.old_fact(change).get(attribute::kAccessMethod) != changes.new_fact(change).get(attribute::kAccessMethod) &&
          changes.version < 15);
}

// DETACH … CONCURRENTLY leaves a CHECK constraint for the old bounds on the table, under a name that PostgreSQL chooses.
void drop_bounds_check(const ChangeSet& changes, const Fact& old, Action& action) {
  const Names parent = list(old.get(attribute::kPartitionOf));
  const std::uint32_t table = find_fact(changes.before, Kind::Table, parent[0], parent[1]);
  const std::string_view key = table == kNoFact ? std::string_view() : changes.old_fact(table).get(attribute::kPartitionKey);
  const auto open = key.find('(');
  if (open == std::string_view::npos || key.starts_with("HASH")) {
    return;
  }
  const Names columns = split_top_level(key.substr(open + 1, key.rfind(')') - open - 1));
  const bool plain = columns.size() == 1 && columns[0].find_first_of(" (") == std::string::npos;
  const std::string name = with_suffix(old.id.name + (plain ? '_' + identifier_name(columns[0]) : std::string()), "_check");
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
    say(action, attach_statement(fact));
  }
  for (const Names& parent : rows(fact.get(attribute::kInherits))) {
    say(action, alter_table(fact.id) + "INHERIT " + qualified_name(parent[0], parent[1]));
  }
  if (fact.has(attribute::kOfType)) {
    say(action, alter_table(fact.id) + "OF " + std::string(fact.get(attribute::kOfType)));
  }
}

void loosen(const ChangeSet& changes, std::uint32_t before, ActionList& actions) {
  Action& action = actions.alter(changes, before, changes.after_of(before));
  action.settles = false;
  action.waits = false;
  let_go(changes, changes.old_fact(before), changes.new_fact(changes.after_of(before)).has(attribute::kPartitionOf), action);
}

void bind(const ChangeSet& changes, std::uint32_t before, ActionList& actions) {
  Action& action = actions.alter(changes, before, changes.after_of(before));
  action.releases = false;
  hold_again(changes.new_fact(changes.after_of(before)), action);
}

// Adds the columns that new parents require: INHERIT and ATTACH PARTITION reject a table without them.
void add_parents_columns(const ChangeSet& changes, const FactChange& change, Action& action) {
  const Fact& fact = changes.new_fact(change);
  std::vector<Names> parents = rows(fact.get(attribute::kInherits));
  if (const Names parent = list(fact.get(attribute::kPartitionOf)); parent.size() == 2) {
    parents.push_back(parent);
  }
  for (const Names& parent : parents) {
    const std::uint32_t table = find_fact(changes.after, Kind::Table, parent[0], parent[1]);
    for (const std::uint32_t index : table == kNoFact ? std::vector<std::uint32_t>() : own_columns(changes, table)) {
      Fact column = changes.new_fact(index);
      column.id.schema = fact.id.schema;
      column.id.parent = fact.id.name;
      const bool there = changes.before.index_of(column.id).has_value() ||
                         has_from_parent(changes.before, changes.old_fact(change), column.id.name);
      if (!there) {
        say(action, alter_table(fact.id) + "ADD COLUMN " + column_definition(column, changes.version));
      }
    }
  }
}

void change_place(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const auto differs = [&](std::string_view attribute) { return changes.changes(change.before, attribute); };
  if (!differs(attribute::kPartitionOf) && !differs(attribute::kBound) && !differs(attribute::kInherits) &&
      !differs(attribute::kOfType)) {
    return;
  }
  const auto only = [&](const Fact& fact) {
    Fact part;
    part.id = fact.id;
    for (const Attribute& entry : fact.attributes) {
      const bool partition = entry.name == attribute::kPartitionOf || entry.name == attribute::kBound;
      if (partition ? differs(attribute::kPartitionOf) || differs(attribute::kBound) : differs(entry.name)) {
        part.attributes.push_back(entry);
      }
    }
    return part;
  };
  const Fact old = only(changes.old_fact(change));
  const Fact fact = only(changes.new_fact(change));
  Action& action = actions.alter(changes, change.before, change.after);
  action.waits = false;
  let_go(changes, old, fact.has(attribute::kPartitionOf), action);
  Action& again = actions.alter(changes, change.before, change.after);
  again.releases = false;
  add_parents_columns(changes, change, again);
  hold_again(fact, again);
}

void change_options(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  if (fact.has(attribute::kServer)) {
    say(action, "ALTER FOREIGN TABLE " + object_name(fact.id) + ' ' +
                    changed_foreign_options(old.get(attribute::kOptions), fact.get(attribute::kOptions)));
    return;
  }
  const OptionChange options = changed_options(old.get(attribute::kOptions), fact.get(attribute::kOptions));
  if (!options.reset.empty()) {
    say(action, alter_table(fact.id) + "RESET " + option_names(options.reset));
  }
  if (!options.set.empty()) {
    say(action, alter_table(fact.id) + "SET " + storage_options(options.set));
  }
}

void alter(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  change_place(changes, change, actions);
  if (changes.changes(change.before, attribute::kOptions)) {
    change_options(changes, change, actions);
  }
  const auto rewrite = [&](std::string_view attribute, const std::string& text) {
    if (changes.changes(change.before, attribute)) {
      Statement& statement = say(actions.alter(changes, change.before, change.after), alter_table(fact.id) + text);
      statement.planned.rewrites = !fact.has(attribute::kPartitionKey);
    }
  };
  rewrite(attribute::kPersistence, fact.has(attribute::kPersistence) ? "SET UNLOGGED" : "SET LOGGED");
  rewrite(attribute::kAccessMethod,
          "SET ACCESS METHOD " +
              (fact.has(attribute::kAccessMethod) ? quote_identifier(fact.get(attribute::kAccessMethod)) : "heap"));
  rewrite(attribute::kTablespace,
          "SET TABLESPACE " +
              (fact.has(attribute::kTablespace) ? quote_identifier(fact.get(attribute::kTablespace)) : "pg_default"));
  if (changes.changes(change.before, attribute::kDetachPending)) {
    say(actions.alter(changes, change.before, change.after),
        "ALTER TABLE " + parent_of(old) + " DETACH PARTITION " + object_name(old.id) + " FINALIZE");
  }
  set_flags(changes, old, fact, change.before, change.after, actions);
  set_index_choice(changes, old, fact, change.before, change.after, actions);
}

Reaction reacts(const ChangeSet& changes, std::uint32_t index, std::uint32_t destroyed) {
  switch (changes.old_fact(destroyed).id.kind) {
    case Kind::Table:
      return is_child(changes.old_fact(index)) ? Reaction::Loosen : Reaction::Replace;
    case Kind::CompositeType:
      return Reaction::Loosen;
    case Kind::Index:
    case Kind::Constraint:
      return Reaction::Stay;
    default:
      return Reaction::Replace;
  }
}

constexpr Rule kRules[] = {
    {.kind = Kind::Table,
     .create = create,
     .drop = drop,
     .replaces = replaces,
     .alter = alter,
     .reacts = reacts,
     .loosen = loosen,
     .bind = bind},
};

}  // namespace

std::span<const Rule> table_rules() {
  return kRules;
}

}  // namespace athanor::schema
