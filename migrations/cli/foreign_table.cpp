#include "migrations/cli/foreign_table.hpp"

#include <algorithm>
#include <set>

#include "migrations/text/quoting.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor::cli {
namespace {

// Quotes "ops.goose_db_version" for SQL.
std::string quoted_name(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == std::string::npos ? quote_identifier(name) : qualified_name(name.substr(0, dot), name.substr(dot + 1));
}

Error not_theirs(const ForeignFormat& format, const std::string& table, const std::string& why) {
  return Error(ErrorCode::UntrustedTable, table + " is not " + std::string(format.title) + "'s table: " + why)
      .advise("name the right table with --history-table [SCHEMA.]TABLE");
}

Result<std::string> locate(ReadSession& session, const ForeignFormat& format, const std::string& wanted) {
  TRY_ASSIGN(const Rows found,
             session.query("SELECT n.nspname, c.relname, c.relkind::pg_catalog.text, c.relrowsecurity::pg_catalog.text"
                           " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
                           " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                           " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)",
                           {quoted_name(wanted)}));
  if (found.empty()) {
    return fail(Error(ErrorCode::UnknownDatabaseRevision,
                      "the database has no table " + wanted + ": " + std::string(format.title) + " never ran here")
                    .advise("name the table with --history-table [SCHEMA.]TABLE; for a new database, run this without "
                            "DATABASE_URL, then `athanor upgrade heads`"));
  }
  const std::string name = qualified_name(found.text(0, 0), found.text(0, 1));
  if (found.text(0, 2) != "r") {
    return fail(not_theirs(format, name, "it is not an ordinary table"));
  }
  if (found.text(0, 3) == "true") {
    return fail(not_theirs(format, name, "row-level security may hide some of its rows"));
  }
  return name;
}

Result<void> check_columns(ReadSession& session, const ForeignFormat& format, const std::string& name) {
  TRY_ASSIGN(const Rows found,
             session.query("SELECT a.attname, n.nspname FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t"
                           " ON t.oid OPERATOR(pg_catalog.=) a.atttypid JOIN pg_catalog.pg_namespace AS n"
                           " ON n.oid OPERATOR(pg_catalog.=) t.typnamespace"
                           " WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass"
                           " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped",
                           {name}));
  std::set<std::string> columns;
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    // A user-defined type may have a user-defined output function, which reading the column would run.
    if (found.text(i, 1) == "pg_catalog") {
      columns.insert(found.text(i, 0));
    }
  }
  std::vector<std::string_view> needed(format.columns.begin(), format.columns.end());
  for (std::size_t begin = 0; begin < format.order.size();) {  // "orderexecuted, id"
    const std::size_t end = std::min(format.order.find(',', begin), format.order.size());
    needed.push_back(trim(format.order.substr(begin, end - begin)));
    begin = end + 1;
  }
  for (const std::string_view column : needed) {
    if (!columns.contains(std::string(column))) {
      return fail(not_theirs(format, name, "it has no column " + std::string(column)));
    }
  }
  return {};
}

std::string select_rows(const ForeignFormat& format, const std::string& name) {
  std::string columns;
  for (const std::string_view column : format.columns) {
    columns += (columns.empty() ? "" : ", ") + quote_identifier(column) + "::pg_catalog.text";
  }
  return "SELECT " + columns + " FROM " + name + " ORDER BY " + std::string(format.order);
}

}  // namespace

Result<ForeignTable> read_foreign_table(ReadSession& session, const ForeignFormat& format, const std::string& wanted) {
  ForeignTable table;
  TRY_ASSIGN(table.name, locate(session, format, wanted.empty() ? std::string(format.table) : wanted));
  TRY(check_columns(session, format, table.name));
  const std::string rows = select_rows(format, table.name);
  const std::string digest =
      "(SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg(q::pg_catalog.text,"
      " pg_catalog.chr(10)), ''), 'UTF8')), 'hex') FROM (" +
      rows + ") AS q)";
  // Read the digest first: a row that is added between the two queries then fails the check when stamping.
  TRY_ASSIGN(const Rows before, session.query("SELECT " + digest));
  TRY_ASSIGN(Rows found, session.query(rows));
  table.rows = std::move(found.rows);
  table.takeover.note = "adopted from " + std::string(format.title);
  // SHARE blocks writers until the stamp commits. ln(0) raises an error, which aborts the transaction if the digest has
  // changed.
  table.takeover.conditions.push_back({"LOCK TABLE " + table.name + " IN SHARE MODE", {}, ""});
  table.takeover.conditions.push_back(
      {"SELECT pg_catalog.ln((CASE WHEN " + digest + " OPERATOR(pg_catalog.=) $1 THEN 1 ELSE 0 END)::pg_catalog.float8)",
       {before.text(0, 0)},
       ""});
  return table;
}

}  // namespace athanor::cli
