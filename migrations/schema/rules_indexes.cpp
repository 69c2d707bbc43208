// The rules for indexes and extended statistics.
#include "migrations/schema/rules_indexes.hpp"
#include "migrations/schema/settled_text.hpp"
#include "migrations/schema/table_place.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/catalog_text.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/schema/rule.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::string_view kIdentityPrefix = "index:";

// The text after one identifier, quoted or not.
std::string_view skip_identifier(std::string_view text) {
  if (!text.starts_with('"')) {
    return text.substr(std::min(text.find_first_of(" ."), text.size()));
  }
  std::size_t end = 1;
  while (end < text.size() && (text[end] != '"' || text.substr(end, 2) == "\"\"")) {
    end += text[end] == '"' ? 2U : 1U;
  }
  return text.substr(std::min(end + 1, text.size()));
}

bool on_partitioned(const Catalog& catalog, const FactId& id) {
  const std::uint32_t table = find_relation(catalog, id.schema, id.parent);
  return table != kNoFact && catalog.facts()[table].has(attribute::kPartitionKey);
}

std::string create_statement(const Fact& fact, std::string_view name, bool concurrently, const FactId& table, bool only) {
  return std::string("CREATE ") + (fact.has(attribute::kUnique) ? "UNIQUE " : "") + "INDEX " +
         (concurrently ? "CONCURRENTLY " : "") + quote_identifier(name) + " ON " + (only ? "ONLY " : "") + object_name(table) +
         ' ' + as_written(index_body(fact.get(attribute::kDefinition)));
}

void set_statistics(const Fact& old, const Fact& fact, Action& action) {
  const auto parse = [](const Fact& side) {
    const std::string_view text = side.get(attribute::kStatistics);
    return nlohmann::json::parse(text.empty() ? "{}" : text, nullptr, false);
  };
  const auto had = parse(old);
  const auto has = parse(fact);
  const auto set = [&](const std::string& column, const std::string& value) {
    say(action, "ALTER INDEX " + object_name(fact.id) + " ALTER COLUMN " + column + " SET STATISTICS " + value);
  };
  for (const auto& [column, value] : had.items()) {
    if (!has.contains(column)) {
      set(column, "-1");
    }
  }
  for (const auto& [column, value] : has.items()) {
    if (!had.contains(column) || had[column] != value) {
      set(column, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
}

void finish(const Fact& old, const Fact& fact, Action& action) {
  set_statistics(old, fact, action);
  if (old.get(attribute::kTablespace) != fact.get(attribute::kTablespace)) {
    say(action, "ALTER INDEX " + object_name(fact.id) + " SET TABLESPACE " +
                    (fact.has(attribute::kTablespace) ? quote_identifier(fact.get(attribute::kTablespace)) : "pg_default"));
  }
}

// Creates the index of a partitioned table without blocking writes, because CREATE INDEX CONCURRENTLY does not accept
// partitioned tables: an index ON ONLY the parent, which is invalid at first, one built concurrently on every partition, and
// each attached to the parent's. Partitioned partitions get the same.
void build_partitioned(const ChangeSet& changes, const Fact& index, const std::string& name, std::uint32_t table,
                       Action& action) {
  say(action, create_statement(index, name, false, changes.new_fact(table).id, true));
  const std::string above = qualified_name(changes.new_fact(table).id.schema, name);
  for (const std::uint32_t child : changes.new_dependencies.needed_by(table)) {
    const Fact& partition = changes.new_fact(child);
    if (partition.id.kind != Kind::Table || !partition.has(attribute::kPartitionOf)) {
      continue;
    }
    action.awaits.push_back(child);
    // The name that PostgreSQL would choose.
    Names columns;
    for (const Attribute& column : index.uncompared) {
      columns.push_back(column.value);
    }
    const std::string own = chosen_name(partition.id.name, join(columns, "_"), "idx");
    if (partition.has(attribute::kPartitionKey)) {
      build_partitioned(changes, index, own, child, action);
    } else {
      const bool concurrently = !changes.produced(child);
      say(action, create_statement(index, own, concurrently, partition.id, false)).autocommit = concurrently;
    }
    say(action, "ALTER INDEX " + above + " ATTACH PARTITION " + qualified_name(partition.id.schema, own));
  }
}

bool has_old_partitions(const ChangeSet& changes, std::uint32_t table) {
  return std::ranges::any_of(changes.new_dependencies.needed_by(table), [&](std::uint32_t child) {
    return changes.new_fact(child).has(attribute::kPartitionOf) && !changes.produced(child);
  });
}

void create(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  const bool partitioned = on_partitioned(changes.after, fact.id);
  const bool online = changes.style == Style::Online && !changes.on_new_relation(index);
  const std::uint32_t table = changes.new_relation(fact.id);
  Action& action = actions.produce(changes, index);
  if (kept_from_parent(changes, index) != kNoFact) {
    return;
  }
  if (partitioned && fact.has(attribute::kInvalid)) {
    // Made with ON ONLY, and not attached to an index of each partition.
    FactId relation = fact.id;
    relation.name = fact.id.parent;
    say(action, create_statement(fact, fact.id.name, false, relation, true));
  } else if (online && partitioned && has_old_partitions(changes, table)) {
    build_partitioned(changes, fact, fact.id.name, table, action);
    action.phase = Phase::Online;
  } else {
    const bool concurrently = online && !partitioned;
    FactId relation = fact.id;
    relation.name = fact.id.parent;
    say(action, create_statement(fact, fact.id.name, concurrently, relation, false)).autocommit = concurrently;
    action.phase = concurrently ? Phase::Online : action.phase;
  }
  action.statements.front().planned.expand = !fact.has(attribute::kUnique);
  Fact plain;
  plain.id = fact.id;
  finish(plain, fact, action);
  choose_index(changes, index, actions);
}

void drop(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.old_fact(index);
  Action& action = actions.destroy(changes, index);
  if (given_to_parent(changes, index) != kNoFact) {
    return;
  }
  const std::uint32_t table = changes.old_relation(fact.id);
  const bool concurrently = changes.style == Style::Online && changes.after_of(index) == kNoFact && table != kNoFact &&
                            !changes.destroyed(table) && !on_partitioned(changes.before, fact.id);
  action.expands = !fact.has(attribute::kUnique);  // INSERT … ON CONFLICT needs a unique index
  say(action, std::string("DROP INDEX ") + (concurrently ? "CONCURRENTLY " : "") + object_name(fact.id)).autocommit =
      concurrently;
  if (concurrently) {
    action.phase = Phase::Online;
  }
}

bool same_body(const Fact& before, const Fact& after) {
  return before.has(attribute::kUnique) == after.has(attribute::kUnique) &&
         index_body(before.get(attribute::kDefinition)) == index_body(after.get(attribute::kDefinition));
}

bool same_but_name(const Fact& before, const Fact& after) {
  return same_body(before, after) && before.get(attribute::kTablespace) == after.get(attribute::kTablespace) &&
         before.get(attribute::kStatistics) == after.get(attribute::kStatistics) && !before.has(attribute::kInvalid) &&
         !after.has(attribute::kInvalid);
}

bool replaces(const ChangeSet& changes, const FactChange& change) {
  if (same_body(changes.old_fact(change), changes.new_fact(change))) {
    return false;
  }
  return changes.style == Style::Plain || on_partitioned(changes.after, changes.new_fact(change).id);
}

// A swap drops the old index, and with it its comment and the foreign keys on a unique index.
std::vector<std::uint32_t> disturbs(const ChangeSet& changes, const FactChange& change) {
  std::vector<std::uint32_t> found;
  if (!same_body(changes.old_fact(change), changes.new_fact(change))) {
    const auto dependents = changes.old_dependencies.needed_by(change.before);
    found.assign(dependents.begin(), dependents.end());
    std::erase_if(found, [&](std::uint32_t dependent) { return changes.after_of(dependent) == kNoFact; });
  }
  return found;
}

// Builds the new index beside the old one, so that queries always have one of them.
void swap(const ChangeSet& changes, const FactChange& change, Action& action) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  const std::string name = with_suffix(fact.id.name, "__new");
  action.phase = Phase::Online;
  FactId relation = fact.id;
  relation.name = fact.id.parent;
  say(action, create_statement(fact, name, true, relation, false)).autocommit = true;
  say(action, "DROP INDEX CONCURRENTLY " + object_name(old.id)).autocommit = true;
  say(action, "ALTER INDEX " + qualified_name(fact.id.schema, name) + " RENAME TO " + quote_identifier(fact.id.name));
  Fact plain;
  plain.id = fact.id;
  finish(plain, fact, action);
}

void alter(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& old = changes.old_fact(change);
  const Fact& fact = changes.new_fact(change);
  Action& action = actions.alter(changes, change.before, change.after);
  // A unique index may refuse other rows than before.
  action.expands = same_body(old, fact) || (!old.has(attribute::kUnique) && !fact.has(attribute::kUnique));
  if (!same_body(old, fact)) {
    swap(changes, change, action);
    choose_index(changes, change.after, actions);
    return;
  }
  if (old.id != fact.id) {
    action.frees = names_taken(old);
    action.takes = names_taken(fact);
    say(action, "ALTER INDEX " + object_name(old.id) + " RENAME TO " + quote_identifier(fact.id.name));
  }
  finish(old, fact, action);
  if (old.has(attribute::kInvalid) && !fact.has(attribute::kInvalid) && !on_partitioned(changes.after, fact.id)) {
    const bool online = changes.style == Style::Online;
    say(action, std::string("REINDEX INDEX ") + (online ? "CONCURRENTLY " : "") + object_name(fact.id)).autocommit = online;
  }
}

std::string statistics_target(const Fact& fact) {
  return fact.has(attribute::kStatistics) ? std::string(fact.get(attribute::kStatistics)) : "-1";
}

void create_statistics(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  Action& action = actions.produce(changes, index);
  say(action, without_semicolon(fact.get(attribute::kDefinition)));
  if (fact.has(attribute::kStatistics)) {
    say(action, "ALTER STATISTICS " + object_name(fact.id) + " SET STATISTICS " + statistics_target(fact));
  }
}

void drop_statistics(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  say(actions.destroy(changes, index), "DROP STATISTICS " + object_name(changes.old_fact(index).id)).planned.expand = true;
}

bool replaces_statistics(const ChangeSet& changes, const FactChange& change) {
  return changes.old_fact(change).get(attribute::kDefinition) != changes.new_fact(change).get(attribute::kDefinition);
}

void alter_statistics(const ChangeSet& changes, const FactChange& change, ActionList& actions) {
  const Fact& fact = changes.new_fact(change);
  say(actions.alter(changes, change.before, change.after),
      "ALTER STATISTICS " + object_name(fact.id) + " SET STATISTICS " + statistics_target(fact))
      .planned.expand = true;
}

constexpr Rule kRules[] = {
    {.kind = Kind::Index,
     .create = create,
     .drop = drop,
     .replaces = replaces,
     .alter = alter,
     .disturbs = disturbs,
     .same_but_name = same_but_name},
    {.kind = Kind::Statistics,
     .create = create_statistics,
     .drop = drop_statistics,
     .replaces = replaces_statistics,
     .alter = alter_statistics},
};

}  // namespace

std::string index_body(std::string_view definition) {
  for (const std::string_view word : {"CREATE ", "UNIQUE ", "INDEX "}) {
    if (definition.starts_with(word)) {
      definition.remove_prefix(word.size());
    }
  }
  if (definition.starts_with("USING ")) {
    return without_semicolon(definition);
  }
  definition = skip_identifier(definition);
  for (const std::string_view word : {" ON ", "ONLY "}) {
    if (definition.starts_with(word)) {
      definition.remove_prefix(word.size());
    }
  }
  definition = skip_identifier(definition);
  if (definition.starts_with('.')) {
    definition = skip_identifier(definition.substr(1));
  }
  return without_semicolon(definition.starts_with(' ') ? definition.substr(1) : definition);
}

std::string_view replica_identity_index(const Fact& table) {
  const std::string_view identity = table.get(attribute::kReplicaIdentity);
  return identity.starts_with(kIdentityPrefix) ? identity.substr(kIdentityPrefix.size()) : std::string_view();
}

bool is_index_made(const ChangeSet& changes, const FactId& table, std::string_view index) {
  FactId id;
  id.schema = table.schema;
  id.parent = table.name;
  id.name = index;
  for (const Kind kind : {Kind::Index, Kind::Constraint}) {
    id.kind = kind;
    const std::uint32_t found = changes.after.index_of(id).value_or(kNoFact);
    if (found != kNoFact) {
      const std::uint32_t old = changes.before_of(found);
      return changes.produced(found) || (kind == Kind::Index && old != kNoFact && changes.changes().contains(old) &&
                                         !same_body(changes.old_fact(old), changes.new_fact(found)));
    }
  }
  return false;
}

void choose_index(const ChangeSet& changes, std::uint32_t index, ActionList& actions) {
  const Fact& fact = changes.new_fact(index);
  const std::uint32_t table = changes.new_relation(fact.id);
  if (table == kNoFact) {
    return;
  }
  const Fact& relation = changes.new_fact(table);
  const auto choose = [&](const std::string& text) {
    Action& action = actions.alter(changes, kNoFact, table);
    action.settles = false;
    action.expands = true;
    action.awaits.push_back(index);
    say(action, "ALTER TABLE " + object_name(relation.id) + text);
  };
  if (relation.get(attribute::kClusterOn) == fact.id.name) {
    choose(" CLUSTER ON " + quote_identifier(fact.id.name));
  }
  if (replica_identity_index(relation) == fact.id.name) {
    choose(" REPLICA IDENTITY USING INDEX " + quote_identifier(fact.id.name));
  }
}

std::span<const Rule> index_rules() {
  return kRules;
}

}  // namespace athanor::schema
