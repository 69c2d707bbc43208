// Reads indexes (those of constraints become part of the constraint) and extended statistics.
#include <algorithm>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kClass;
using catalog_oid::kNamespace;

enum IndexColumn : std::size_t {
  IdxOid,
  IdxTable,
  IdxName,
  IdxUnique,
  IdxValid,
  IdxClustered,
  IdxReplicaIdentity,
  IdxOptions,
  IdxTablespace,
  IdxColumns,
  IdxConstraint,
  IdxDefinition,
  IdxColumnNames
};

// The definition is NULL for an index of a constraint, and for a partition's index that belongs to one of the partitioned
// table. 99 is the oid of pg_toast.
constexpr const char* kIndexes = R"(SELECT i.indexrelid, i.indrelid, c.relname, i.indisunique, i.indisvalid, i.indisclustered,
 i.indisreplident, c.reloptions, s.spcname, i.indkey, con.oid,
 CASE WHEN con.oid IS NULL AND NOT c.relispartition THEN pg_get_indexdef(i.indexrelid) END,
 CASE WHEN c.relkind = 'I' AND con.oid IS NULL AND NOT c.relispartition THEN
  (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid) END
FROM pg_catalog.pg_index i
 JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
 LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid
  AND con.contype IN ('p', 'u', 'x')
WHERE i.indexrelid >= 16384 AND c.relnamespace <> 99 AND c.relpersistence <> 't')";

void describe_table(const CatalogRow& row, Extraction& extraction, const Relation& table) {
  Fact& fact = extraction.fact(table.fact);
  if (row.flag(IdxClustered)) {
    set(fact, attribute::kClusterOn, row.text(IdxName));
  }
  if (row.flag(IdxReplicaIdentity)) {
    set(fact, attribute::kReplicaIdentity, "index:" + row.text(IdxName));
  }
}

std::string statistics_targets(const Extraction& extraction, Oid index) {
  const auto targets = extraction.index_statistics.find(index);
  if (targets == extraction.index_statistics.end()) {
    return "";
  }
  const std::string members = json_values(targets->second);
  return "{" + members.substr(1, members.size() - 2) + "}";
}

void describe_constraint(const CatalogRow& row, Extraction& extraction) {
  const auto index = extraction.find({catalog_oid::kConstraint, row.oid(IdxConstraint), 0});
  if (!index) {
    return;
  }
  Fact& fact = extraction.fact(*index);
  set(fact, attribute::kIndexOptions, row.list(IdxOptions));
  set(fact, attribute::kTablespace, row.text(IdxTablespace));
  set_flag(fact, attribute::kInvalid, !row.flag(IdxValid));
  set(fact, attribute::kStatistics, statistics_targets(extraction, row.oid(IdxOid)));
}

void take_index(const CatalogRow& row, Extraction& extraction, const Relation& table) {
  const Oid oid = row.oid(IdxOid);
  Fact fact{.id = {.kind = Kind::Index,
                   .schema = extraction.schema_name(table.schema),
                   .parent = table.name,
                   .name = row.text(IdxName)}};
  set(fact, attribute::kDefinition, row.text(IdxDefinition));
  set_flag(fact, attribute::kUnique, row.flag(IdxUnique));
  set_flag(fact, attribute::kInvalid, !row.flag(IdxValid));
  set(fact, attribute::kTablespace, row.text(IdxTablespace));
  const std::vector<int> numbers = numbers_in(row.text(IdxColumns));
  if (const auto columns = Extraction::column_names(table, numbers); !columns.empty()) {
    set(fact, attribute::kColumns, json_list(columns));
  }
  for (const std::string& name : array_in(row.text(IdxColumnNames))) {
    fact.uncompared.push_back({attribute::kIndexColumn, name});
  }
  set(fact, attribute::kStatistics, statistics_targets(extraction, oid));
  const auto index = extraction.add({kClass, oid, 0}, std::move(fact));
  extraction.add_edge(index, table.fact);
  for (const int number : numbers) {
    if (number > 0) {
      extraction.add_edge(index, Address{kClass, row.oid(IdxTable), number});
    }
  }
}

void take_indexes(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Oid oid = row.oid(IdxOid);
    const Address address{kClass, oid, 0};
    const Relation* table = extraction.relation(row.oid(IdxTable));
    if (table == nullptr) {
      continue;
    }
    if (table->hidden) {
      extraction.carry(address, {kClass, row.oid(IdxTable), 0});
      continue;
    }
    extraction.add_subject(address, {.kind = Kind::Index,
                                     .schema = extraction.schema_name(table->schema),
                                     .parent = table->name,
                                     .name = row.text(IdxName)});
    describe_table(row, extraction, *table);
    if (row.has(IdxConstraint)) {
      describe_constraint(row, extraction);
    } else if (row.has(IdxDefinition)) {
      take_index(row, extraction, *table);
      // What depends on the partition's index depends on the parent's.
    } else if (const auto parent = extraction.index_parents.find(oid); parent != extraction.index_parents.end()) {
      extraction.carry(address, {kClass, parent->second, 0});
    }
  }
}

void take_statistics(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, schema, name, table, owner, target, definition
    const Address address{catalog_oid::kStatistics, row.oid(0), 0};
    const Relation* table = extraction.relation(row.oid(3));
    if (table != nullptr && table->hidden) {
      extraction.hide(address, "statistics object " + extraction.schema_name(row.oid(1)) + "." + row.text(2));
      continue;
    }
    if (table == nullptr || !extraction.takes(address, row.oid(1), "statistics object", row.text(2))) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::Statistics, .schema = extraction.schema_name(row.oid(1)), .name = row.text(2)}};
    set(fact, attribute::kStatistics, row.text(5));
    set(fact, attribute::kDefinition, row.text(6));
    const auto index = extraction.add(address, std::move(fact), row.oid(4));
    extraction.add_edge(index, Address{kNamespace, row.oid(1), 0});
    extraction.add_edge(index, table->fact);
  }
}

}  // namespace

void add_index_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({.sql = kIndexes, .take = take_indexes, .large = true});
  families.push_back({R"(SELECT s.oid, s.stxnamespace, s.stxname, s.stxrelid, s.stxowner, NULLIF(s.stxstattarget, -1),
 pg_get_statisticsobjdef(s.oid) FROM pg_catalog.pg_statistic_ext s WHERE s.oid >= 16384)",
                      take_statistics});
}

}  // namespace athanor::schema
