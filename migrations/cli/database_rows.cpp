#include "migrations/cli/database_rows.hpp"

#include <algorithm>
#include <set>

#include "migrations/text/quoting.hpp"

namespace athanor::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{4} << 20U;  // limit for the rows of one baseline

// Tables, then materialized views. Partitions are read through their root table.
constexpr std::string_view kRelations =
    "SELECT c.oid::pg_catalog.text, n.nspname, c.relname, c.relkind::pg_catalog.text,"
    " coalesce(pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum), ''),"
    " coalesce(pg_catalog.string_agg('pg_catalog.quote_nullable(' || pg_catalog.quote_ident(a.attname) ||"
    " '::pg_catalog.text)', ' || '', '' || ' ORDER BY a.attnum), ''''''),"
    " coalesce(pg_catalog.bool_or(a.attidentity = 'a'), false)::pg_catalog.text"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated "
    "= ''"
    " WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't' AND (c.relkind <> 'm' OR "
    "c.relispopulated) AND n.nspname NOT IN ('pg_catalog', 'information_schema', $1) AND NOT (n.nspname = 'public' AND "
    "c.relname "
    "= $2) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass "
    "AND "
    "d.objid = c.oid AND d.deptype = 'e') GROUP BY c.oid, n.nspname, c.relname, c.relkind ORDER BY (c.relkind = 'm'), "
    "n.nspname, "
    "c.relname";

constexpr std::string_view kReferences =
    "SELECT DISTINCT conrelid::pg_catalog.text, confrelid::pg_catalog.text FROM pg_catalog.pg_constraint WHERE contype = 'f' "
    "AND "
    "conrelid <> confrelid AND conparentid = 0";

constexpr std::string_view kSequences =
    "SELECT schemaname, sequencename, last_value::pg_catalog.text FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL "
    "AND "
    "schemaname <> $1 ORDER BY 1, 2";

constexpr std::string_view kColumnOrders =
    "SELECT n.nspname, c.relname, pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)"
    " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND c.oid >= 16384"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid)"
    " GROUP BY n.nspname, c.relname";

struct Relation {
  std::string oid, schema, name, kind, columns, values;
  bool always_identity = false;
  [[nodiscard]] std::string qualified() const { return qualified_name(schema, name); }
};

class RowReading {
 public:
  RowReading(Session& session, const std::string& version_table, const std::string& ledger_schema)
      : session_(session), version_table_(version_table), ledger_schema_(ledger_schema) {}

  Result<DatabaseRows> run() {
    // With an empty search_path, the server prints regclass and similar values with their schema.
    TRY(session_.query("SELECT pg_catalog.set_config('search_path', '', false)"));
    TRY(read_relations());
    TRY(order_by_references());
    for (const Relation& relation : relations_) {
      TRY(read_rows(relation));
    }
    TRY(read_sequences());
    // Last, because materialized views read the tables.
    rows_.sql += refreshes_;
    return std::move(rows_);
  }

 private:
  Result<void> read_relations() {
    TRY_ASSIGN(const Rows found, session_.query(kRelations, {ledger_schema_, version_table_}));
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      relations_.push_back({found.text(i, 0), found.text(i, 1), found.text(i, 2), found.text(i, 3), found.text(i, 4),
                            found.text(i, 5), found.text(i, 6) == "true"});
    }
    return {};
  }

  // Repeatedly places tables whose references are all placed. Tables in a cycle keep their order; the proof shows whether that
  // works.
  Result<void> order_by_references() {
    TRY_ASSIGN(const Rows found, session_.query(kReferences));
    std::set<std::string> placed;
    std::vector<Relation> ordered;
    const auto waits = [&](const Relation& relation) {
      for (std::size_t i = 0; i < found.rows.size(); ++i) {
        if (found.text(i, 0) == relation.oid && !placed.contains(found.text(i, 1))) {
          return true;
        }
      }
      return false;
    };
    while (!relations_.empty()) {
      auto next = std::ranges::find_if_not(relations_, waits);
      if (next == relations_.end()) {
        next = relations_.begin();
      }
      placed.insert(next->oid);
      ordered.push_back(std::move(*next));
      relations_.erase(next);
    }
    relations_ = std::move(ordered);
    return {};
  }

  Result<void> read_rows(const Relation& relation) {
    // ONLY, because the rows of child tables are read from the child tables.
    const std::string from = (relation.kind == "r" ? "ONLY " : "") + relation.qualified();
    TRY_ASSIGN(const Rows found,
               session_.query("SELECT pg_catalog.string_agg('(' || x || ')', E',\\n    ' ORDER BY x COLLATE \"C\"), "
                              "pg_catalog.count(*)::pg_catalog.text FROM (SELECT " +
                              relation.values + " AS x FROM " + from + ") AS q"));
    const std::string rows = found.text(0, 0);
    if (found.text(0, 1) == "0") {
      return {};
    }
    const std::string name = relation.schema + "." + relation.name;
    rows_.contents.emplace((relation.kind == "m" ? "materialized view " : "table ") + name, rows);
    if (relation.kind == "m") {
      refreshes_ += "REFRESH MATERIALIZED VIEW " + relation.qualified() + ";\n";
      return {};
    }
    ++rows_.tables;
    // An identity column that is GENERATED ALWAYS rejects explicit values otherwise.
    const std::string overriding = relation.always_identity ? " OVERRIDING SYSTEM VALUE" : "";
    rows_.sql += relation.columns.empty() ? "INSERT INTO " + relation.qualified() + " DEFAULT VALUES;\n"
                                          : "INSERT INTO " + relation.qualified() + " (" + relation.columns + ")" + overriding +
                                                " VALUES\n    " + rows + ";\n";
    if (rows_.sql.size() > kMostBytes) {
      return fail(
          Error(
              ErrorCode::SchemaChangeRefused,
              "the revisions insert more than 4 MiB of rows, too many for one baseline; the limit was reached at table " + name)
              .advise("squash up to a revision before the one that inserts them: --to"));
    }
    return {};
  }

  Result<void> read_sequences() {
    TRY_ASSIGN(const Rows found, session_.query(kSequences, {ledger_schema_}));
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      const std::string sequence = qualified_name(found.text(i, 0), found.text(i, 1));
      rows_.contents.emplace("sequence " + found.text(i, 0) + "." + found.text(i, 1), found.text(i, 2));
      rows_.sql += "SELECT pg_catalog.setval(" + quote_literal(sequence) + ", " + found.text(i, 2) + ", true);\n";
    }
    return {};
  }

  Session& session_;
  const std::string& version_table_;
  const std::string& ledger_schema_;
  std::vector<Relation> relations_;
  std::string refreshes_;
  DatabaseRows rows_;
};

}  // namespace

Result<DatabaseRows> read_database_rows(Session& session, const std::string& version_table, const std::string& ledger_schema) {
  return RowReading(session, version_table, ledger_schema).run();
}

Result<std::map<std::string, std::string>> read_column_orders(Session& session) {
  TRY_ASSIGN(const Rows found, session.query(kColumnOrders));
  std::map<std::string, std::string> orders;
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    orders.emplace("table " + found.text(i, 0) + "." + found.text(i, 1), found.text(i, 2));
  }
  return orders;
}

std::vector<std::string> different_contents(const DatabaseRows& one, const DatabaseRows& other) {
  std::vector<std::string> names;
  for (const auto& [name, rows] : one.contents) {
    const auto found = other.contents.find(name);
    if (found == other.contents.end() || found->second != rows) {
      names.push_back(name);
    }
  }
  for (const auto& [name, rows] : other.contents) {
    if (!one.contents.contains(name)) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace athanor::cli
