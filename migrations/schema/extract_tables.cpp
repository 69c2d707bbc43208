// Reads relations: tables of all kinds, the relation part of views, and inheritance.
#include <algorithm>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {

void add_column_families(std::vector<Family>& families, int version);    // extract_columns.cpp
void add_sequence_families(std::vector<Family>& families, int version);  // extract_sequences.cpp

namespace {

using catalog_oid::kClass;
using catalog_oid::kNamespace;

enum RelationColumn : std::size_t {
  RelOid,
  RelSchema,
  RelName,
  RelKind,
  RelPersistence,
  RelOptions,
  RelToastOptions,
  RelOwner,
  RelOfType,
  RelOfTypeName,
  RelRowSecurity,
  RelForceRowSecurity,
  RelReplicaIdentity,
  RelTablespace,
  RelAccessMethod,
  RelPartitionKey,
  RelBound
};

constexpr const char* kRelations = R"(SELECT c.oid, c.relnamespace, c.relname, c.relkind, NULLIF(c.relpersistence, 'p'),
 c.reloptions, t.reloptions, c.relowner, NULLIF(c.reloftype, 0),
 CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END, c.relrowsecurity, c.relforcerowsecurity,
 NULLIF(c.relreplident, 'd'), s.spcname, a.amname,
 CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
 CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END
FROM pg_catalog.pg_class c
 LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid AND t.reloptions IS NOT NULL
 LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
 LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam AND a.amname <> 'heap'
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND c.relpersistence <> 't')";

Kind kind_of_relation(char kind) {
  switch (kind) {
    case 'v':
      return Kind::View;
    case 'm':
      return Kind::MaterializedView;
    case 'S':
      return Kind::Sequence;
    case 'c':
      return Kind::CompositeType;
    default:
      return Kind::Table;
  }
}

// Options of the TOAST table are set through the table: toast.autovacuum_enabled.
std::string storage_options(const CatalogRow& row) {
  std::vector<std::string> options = array_in(row.text(RelOptions));
  for (const auto& option : array_in(row.text(RelToastOptions))) {
    options.push_back("toast." + option);
  }
  std::ranges::sort(options);
  return options.empty() ? std::string() : json_list(options);
}

Fact relation_fact(const Extraction& extraction, const CatalogRow& row) {
  Fact fact{.id = {.kind = kind_of_relation(row.letter(RelKind)),
                   .schema = extraction.schema_name(row.oid(RelSchema)),
                   .name = row.text(RelName)}};
  set(fact, attribute::kPersistence, row.letter(RelPersistence) == 'u' ? "unlogged" : "");
  set(fact, attribute::kOptions, storage_options(row));
  set(fact, attribute::kOfType, row.text(RelOfTypeName));
  set_flag(fact, attribute::kRowSecurity, row.flag(RelRowSecurity));
  set_flag(fact, attribute::kForceRowSecurity, row.flag(RelForceRowSecurity));
  const char identity = row.letter(RelReplicaIdentity);
  // Views and sequences always have "nothing"; an index as replica identity is added when indexes are read.
  if (fact.id.kind == Kind::Table || fact.id.kind == Kind::MaterializedView) {
    set(fact, attribute::kReplicaIdentity,
        identity == 'f'                                 ? "full"
        : identity == 'n' && row.letter(RelKind) != 'f' ? "nothing"
                                                        : "");
  }
  set(fact, attribute::kTablespace, row.text(RelTablespace));
  set(fact, attribute::kAccessMethod, row.text(RelAccessMethod));
  set(fact, attribute::kPartitionKey, row.text(RelPartitionKey));
  set(fact, attribute::kBound, row.text(RelBound));
  return fact;
}

void take_relations(const Rows& rows, Extraction& extraction) {
  extraction.relations.reserve(rows.rows.size());
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Oid oid = row.oid(RelOid);
    const Oid schema = row.oid(RelSchema);
    const std::string& name = row.text(RelName);
    const char kind = row.letter(RelKind);
    const Address address{kClass, oid, 0};
    if (!extraction.is_user_schema(schema) || extraction.is_member(address) || extraction.is_own_table(schema, name)) {
      continue;
    }
    Relation& relation = extraction.relations[oid];
    relation.schema = schema;
    relation.name = name;
    relation.kind = kind;
    relation.of_type = row.oid(RelOfType);
    const bool filtered =
        kind == 'S' || kind == 'c' ? extraction.is_hidden_schema(schema) : extraction.hides_relation(schema, name);
    if (filtered) {
      relation.hidden = true;
      extraction.hide(address,
                      std::string(kind_name(kind_of_relation(kind))) + " " + extraction.schema_name(schema) + "." + name);
    } else if (kind != 'S' && kind != 'c') {  // sequences are read from pg_sequence, composite types from pg_type
      relation.fact = extraction.add(address, relation_fact(extraction, row), row.oid(RelOwner));
      extraction.add_edge(relation.fact, Address{kNamespace, schema, 0});
    }
  }
}

void describe_parents(Extraction& extraction, Relation& relation, bool is_partition, bool detaching) {
  Fact& fact = extraction.fact(relation.fact);
  std::vector<std::string> names;
  for (const Oid parent : relation.parents) {
    names.push_back(extraction.relation_name(parent));
    extraction.add_edge(relation.fact, Address{kClass, parent, 0});
  }
  if (is_partition) {
    set(fact, attribute::kPartitionOf, names.front());
    set_flag(fact, attribute::kDetachPending, detaching);
  } else {
    set(fact, attribute::kInherits, json_values(names));
  }
}

void take_inheritance(const Rows& rows, Extraction& extraction) {
  for (std::size_t first = 0; first < rows.rows.size();) {
    const Oid child = CatalogRow(rows.rows[first]).oid(0);
    const auto found = extraction.relations.find(child);
    bool detaching = false;
    bool is_partition = false;
    for (; first < rows.rows.size() && CatalogRow(rows.rows[first]).oid(0) == child; ++first) {
      const CatalogRow row(rows.rows[first]);  // child, parent, is the detachment pending, is it a partition
      detaching = row.flag(2);
      is_partition = row.flag(3);
      if (found == extraction.relations.end()) {
        extraction.index_parents.emplace(child, row.oid(1));
      } else {
        found->second.parents.push_back(row.oid(1));
      }
    }
    if (found != extraction.relations.end() && !found->second.hidden) {
      describe_parents(extraction, found->second, is_partition, detaching);
    }
  }
}

}  // namespace

void add_table_families(std::vector<Family>& families, int version) {
  families.push_back({kRelations, take_relations});
  families.push_back({R"(SELECT i.inhrelid, i.inhparent, i.inhdetachpending, c.relispartition
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
WHERE i.inhrelid >= 16384 ORDER BY i.inhrelid, i.inhseqno)",
                      take_inheritance});
  add_column_families(families, version);
  add_sequence_families(families, version);
}

}  // namespace athanor::schema
