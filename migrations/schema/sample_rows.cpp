#include "migrations/schema/sample_rows.hpp"

#include <set>
#include <vector>

#include "migrations/schema/attributes.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr int kPasses = 4;  // a table may reference one that comes later

// One INSERT per table, with a value for every column that the server does not fill itself. A column whose type has no simple
// value gets NULL.
constexpr std::string_view kInserts =
    "SELECT n.nspname, c.relname, 'INSERT INTO ' || pg_catalog.quote_ident(n.nspname) || '.' || "
    "pg_catalog.quote_ident(c.relname) || "
    "coalesce(' (' || pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) || ') VALUES (' || "
    "pg_catalog.string_agg(v.value, ', ' ORDER BY a.attnum) || ')', ' DEFAULT VALUES') "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN LATERAL (SELECT a.attname, a.attnum, a.atttypid, a.atttypmod FROM pg_catalog.pg_attribute a WHERE a.attrelid = "
    "c.oid AND "
    "a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = '' AND NOT a.atthasdef) a ON true "
    "LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "LEFT JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
    "LEFT JOIN LATERAL (SELECT CASE "
    "WHEN b.typtype = 'e' THEN coalesce((SELECT pg_catalog.quote_literal(e.enumlabel) FROM pg_catalog.pg_enum e WHERE "
    "e.enumtypid = b.oid "
    "ORDER BY e.enumsortorder LIMIT 1), 'NULL') "
    "WHEN b.typcategory = 'N' THEN '1' WHEN b.typcategory = 'B' THEN 'true' WHEN b.typcategory = 'S' THEN '''a''' "
    "WHEN b.typcategory = 'D' THEN '''2026-01-01 00:00:00''' WHEN b.typcategory = 'T' THEN '''1 day''' "
    "WHEN b.typcategory = 'A' THEN '''{}''' WHEN b.typname = 'uuid' THEN '''00000000-0000-0000-0000-000000000001''' "
    "WHEN b.typname IN ('json', 'jsonb') THEN '''{}''' WHEN b.typname = 'bytea' THEN '''a''' "
    "WHEN b.typname IN ('inet', 'cidr') THEN '''127.0.0.1''' WHEN b.typname = 'tsvector' THEN '''a''' ELSE 'NULL' END AS "
    "value) v "
    "ON a.attname IS NOT NULL "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition GROUP BY n.nspname, c.relname, c.oid ORDER BY 1, 2";

std::string count_of(const TableName& table) {
  // ONLY, because a table whose child or partition leaves it loses no row of its own.
  return "SELECT pg_catalog.count(*) FROM ONLY " + qualified_name(table.first, table.second);
}

std::set<TableName> tables_of(const Catalog& catalog) {
  std::set<TableName> tables;
  for (const Fact& fact : catalog.facts()) {
    if (fact.id.kind == Kind::Table && !fact.has(attribute::kServer)) {
      tables.emplace(fact.id.schema, fact.id.name);
    }
  }
  return tables;
}

}  // namespace

Result<std::map<TableName, std::int64_t>> add_sample_rows(Session& session, const Catalog& catalog) {
  const std::set<TableName> tables = tables_of(catalog);
  TRY_ASSIGN(const Rows inserts, session.query(kInserts));
  std::vector<Command> left;
  for (std::size_t row = 0; row < inserts.rows.size(); ++row) {
    if (tables.contains({inserts.text(row, 0), inserts.text(row, 1)})) {
      left.push_back({inserts.text(row, 2), {}, {}, true});
    }
  }
  for (int pass = 0; pass < kPasses && !left.empty(); ++pass) {
    TRY_ASSIGN(const auto answers, session.query_each(left));
    std::vector<Command> refused;
    for (std::size_t index = 0; index < answers.size(); ++index) {
      if (!answers[index]) {
        refused.push_back(left[index]);
      }
    }
    // Another pass would fail in the same way.
    if (refused.size() == left.size()) {
      break;
    }
    left = std::move(refused);
  }
  std::map<TableName, std::int64_t> all;
  for (const TableName& table : tables) {
    all.emplace(table, 0);
  }
  TRY_ASSIGN(auto counted, count_rows(session, all));
  std::erase_if(counted, [](const auto& entry) { return entry.second == 0; });
  return counted;
}

Result<std::map<TableName, std::int64_t>> count_rows(Session& session, const std::map<TableName, std::int64_t>& tables) {
  std::map<TableName, std::int64_t> counted;
  if (tables.empty()) {
    return counted;
  }
  std::vector<Command> commands;
  commands.reserve(tables.size());
  for (const auto& [table, before] : tables) {
    commands.push_back({count_of(table), {}, {}});
  }
  TRY_ASSIGN(const auto answers, session.query_each(commands));
  std::size_t index = 0;
  for (const auto& [table, before] : tables) {
    if (const auto& answer = answers[index++]; answer) {
      counted.emplace(table, std::stoll(answer->text(0, 0)));
    }
  }
  return counted;
}

}  // namespace athanor::schema
