#include "migrations/execute/index_model.hpp"

#include <algorithm>
#include <array>

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// $1 are the indexes, $2 is the copy. Compares what pg_get_indexdef() prints after the names: "USING btree (a)".
// The prefix is first cut by its length, because a name may itself contain " USING ".
constexpr std::string_view kSame =
    "WITH named AS (SELECT i.indexrelid, i.indrelid, i.indisunique, pg_catalog.substr("
    "pg_catalog.pg_get_indexdef(i.indexrelid),"
    " pg_catalog.length(pg_catalog.format('CREATE INDEX %I ON %I ', c.relname, t.relname))) AS text"
    " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
    " JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) i.indrelid"
    " WHERE i.indexrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])"
    " OR i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2::pg_catalog.text)),"
    " printed AS (SELECT n.indexrelid, n.indrelid, n.indisunique,"
    " pg_catalog.substr(n.text, pg_catalog.strpos(n.text, ' USING ')) AS text FROM named n)"
    " SELECT p.indexrelid FROM printed p JOIN printed m"
    " ON m.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($2::pg_catalog.text)"
    " AND m.indexrelid OPERATOR(pg_catalog.<>) p.indexrelid AND m.indisunique OPERATOR(pg_catalog.=) p.indisunique"
    " AND m.text OPERATOR(pg_catalog.=) p.text";

Result<Rows> compare(ReadSession& session, const RecoveryProbe& what, const std::string& table, const std::string& candidates) {
  // The copy has the table's own name, because an expression may qualify columns with it.
  const std::string copy = "pg_temp." + quote_identifier(what.table);
  // LIKE copies columns and types, but no rows: building the index costs nothing.
  TRY(session.query("CREATE TEMPORARY TABLE " + copy + " (LIKE " + table + ")"));
  TRY(session.query(std::string(what.index.unique ? "CREATE UNIQUE INDEX ON " : "CREATE INDEX ON ") + copy + " " +
                    what.index.definition));
  return session.query(kSame, {candidates, copy});
}

// Errors that do not depend on the definition: lock timeout, deadlock, cancel, shutdown, lost connection.
bool is_passing(const Error& error) {
  static constexpr std::array<std::string_view, 4> kStates{"55P03", "40P01", "57014", "57P01"};
  return error.sqlstate.empty() || std::ranges::find(kStates, error.sqlstate) != kStates.end();
}

}  // namespace

Result<std::optional<std::vector<std::string>>> same_indexes(ReadSession& session, const RecoveryProbe& what,
                                                             const std::string& table, const std::string& candidates) {
  if (what.index.definition.empty()) {
    return std::nullopt;
  }
  // A savepoint, because a failure here must not abort the caller's transaction.
  TRY(session.query("SAVEPOINT athanor_index"));
  auto rows = compare(session, what, table, candidates);
  auto ended = session.query("ROLLBACK TO SAVEPOINT athanor_index");
  if (!rows) {
    if (is_passing(rows.error()) || !ended) {
      return fail(std::move(rows).error());
    }
    return std::nullopt;
  }
  if (!ended) {
    return fail(std::move(ended).error());
  }
  std::vector<std::string> same;
  for (std::size_t i = 0; i < rows->rows.size(); ++i) {
    same.push_back(rows->text(i, 0));
  }
  return same;
}

}  // namespace athanor
