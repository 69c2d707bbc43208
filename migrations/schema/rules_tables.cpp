// Tables: ordinary, partitioned, foreign, typed, inherited.
#include <algorithm>
#include <iterator>
#include <set>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/column_order.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/schema/rules_indexes.hpp"
#include "migrations/schema/rules_inheritance.hpp"
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
  std::ranges::copy(redeclared_elements(changes, table), std::back_inserter(action.elements));
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
    action.expands = true;
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
  // The rows of a partitioned table are those of its partitions, which are detached and attached again, or dropped themselves.
  const std::uint32_t again = changes.after_of(index);
  const bool partitioned = again != kNoFact && fact.has(attribute::kPartitionKey) &&
                           changes.new_fact(again).has(attribute::kPartitionKey) &&
                           !changes.new_fact(again).has(attribute::kServer);
  statement.planned.loss = foreign || partitioned ? DataLoss::None : DataLoss::Certain;
  if (partitioned) {
    statement.planned.note = "PostgreSQL cannot change how a table is partitioned: partitions that stay keep their rows";
  } else if (again != kNoFact) {
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

void change_options(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  if (fact.has(attribute::kServer)) {
    say(action, "ALTER FOREIGN TABLE " + object_name(fact.id) + ' ' +
                    changed_foreign_options(old.get(attribute::kOptions), fact.get(attribute::kOptions)));
    return;
  }
  action.expands = true;
  const OptionChange options = changed_options(old.get(attribute::kOptions), fact.get(attribute::kOptions));
  if (!options.reset.empty()) {
    say(action, alter_table(fact.id) + "RESET " + option_names(options.reset));
  }
  if (!options.set.empty()) {
    say(action, alter_table(fact.id) + "SET " + storage_options(options.set));
  }
}

bool becomes(const ChangeSet& changes, std::uint32_t old_table, bool unlogged) {
  return old_table != kNoFact && changes.changes(old_table, attribute::kPersistence) &&
         changes.new_fact(changes.after_of(old_table)).has(attribute::kPersistence) == unlogged;
}

// A foreign key that stays, and the other table that it references and that gets the same persistence.
struct Reference {
  std::uint32_t foreign_key = kNoFact;
  std::uint32_t table = kNoFact;
};

std::vector<Reference> references_of(const ChangeSet& changes, std::uint32_t table, bool unlogged) {
  std::vector<Reference> found;
  for (const std::uint32_t part : changes.old_dependencies.needed_by(table)) {
    const Fact& fact = changes.old_fact(part);
    const Names referenced = list(fact.get(attribute::kReferences));
    if (fact.id.kind != Kind::Constraint || referenced.size() != 2 || changes.old_dependencies.parent(part) != table ||
        changes.destroyed(part)) {
      continue;
    }
    const std::uint32_t other = find_fact(changes.before, Kind::Table, referenced[0], referenced[1]);
    if (other != table && becomes(changes, other, unlogged)) {
      found.push_back({part, other});
    }
  }
  return found;
}

bool reaches(const ChangeSet& changes, std::uint32_t from, std::uint32_t goal, bool unlogged, std::set<std::uint32_t>& seen) {
  return from == goal || (seen.insert(from).second &&
                          std::ranges::any_of(references_of(changes, from, unlogged), [&](const Reference& reference) {
                            return reaches(changes, reference.table, goal, unlogged, seen);
                          }));
}

// Foreign keys in a circle of tables that become unlogged, or logged: no order of the tables suits all of them.
std::vector<std::uint32_t> disturbs(const ChangeSet& changes, const FactChange& change) {
  std::vector<std::uint32_t> found;
  const bool unlogged = changes.new_fact(change).has(attribute::kPersistence);
  if (becomes(changes, change.before, unlogged)) {
    for (const Reference& reference : references_of(changes, change.before, unlogged)) {
      std::set<std::uint32_t> seen;
      if (reaches(changes, reference.table, change.before, unlogged, seen)) {
        found.push_back(reference.foreign_key);
      }
    }
  }
  return found;
}

// A logged table must not reference an unlogged one, so the referencing table becomes unlogged first, and logged last.
void order_persistence(const ChangeSet& changes, const FactChange& change, Action& action) {
  const auto key = [&](std::uint32_t table) { return "persistence " + object_name(changes.old_fact(table).id); };
  const bool unlogged = changes.new_fact(change).has(attribute::kPersistence);
  (unlogged ? action.takes : action.frees).push_back(key(change.before));
  for (const Reference& reference : references_of(changes, change.before, unlogged)) {
    (unlogged ? action.frees : action.takes).push_back(key(reference.table));
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
      Action& action = actions.alter(changes, change.before, change.after);
      if (attribute == attribute::kPersistence) {
        order_persistence(changes, change, action);
      }
      action.expands = true;
      Statement& statement = say(action, alter_table(fact.id) + text);
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
        "ALTER TABLE " + parent_of(old) + " DETACH PARTITION " + object_name(old.id) + " FINALIZE")
        .planned.expand = true;
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
     .disturbs = disturbs,
     .reacts = reacts,
     .loosen = loosen_table,
     .bind = bind_table},
};

}  // namespace

std::span<const Rule> table_rules() {
  return kRules;
}

}  // namespace athanor::schema
