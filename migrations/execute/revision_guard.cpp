#include "migrations/execute/revision_guard.hpp"

#include "migrations/execute/migration_lock.hpp"
#include "migrations/plan/byte_settings.hpp"
#include "migrations/session/session_reset.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// Each expression fails with its own SQLSTATE unless `condition` is true. None is constant: the planner would evaluate a
// constant expression, and fail, before any condition is checked.
std::string require_clean(const std::string& condition) {
  return "pg_catalog.substr('x', 1, CASE WHEN " + condition + " THEN 1 ELSE -1 END)";
}
std::string require_text(const std::string& condition) {
  return "pg_catalog.make_date(CASE WHEN " + condition + " THEN 2000 ELSE 0 END, 1, 1)";
}
std::string require_rows(const std::string& condition) {
  return "pg_catalog.sqrt((CASE WHEN " + condition + " THEN 1 ELSE -1 END)::pg_catalog.float8)";
}
std::string require_tables(const std::string& condition) {
  return "pg_catalog.ln((CASE WHEN " + condition + " THEN 1 ELSE 0 END)::pg_catalog.float8)";
}
std::string require_lock(const std::string& condition) {
  return "pg_catalog.width_bucket(1::pg_catalog.float8, 0::pg_catalog.float8, 2::pg_catalog.float8, CASE WHEN " + condition +
         " THEN 1 ELSE 0 END)";
}

// pg_advisory_unlock() reports whether the session held the lock. Our transaction-level lock excludes everyone else meanwhile,
// so the session can release all its locks (those the revision left, too) and take ours again.
std::string renew_lock() {
  const std::string key = MigrationLock::key();
  return "CASE WHEN pg_catalog.pg_try_advisory_xact_lock(" + key + ") THEN CASE WHEN pg_catalog.pg_advisory_unlock(" + key +
         ") THEN CASE WHEN pg_catalog.pg_advisory_unlock_all() IS NOT NULL THEN pg_catalog.pg_advisory_lock(" + key +
         ") IS NOT NULL ELSE false END ELSE false END ELSE false END";
}

// Lock modes of a table that is written to, gets a trigger or foreign key, or is altered. A transaction keeps its locks until
// it ends, and no setting hides them.
constexpr std::string_view kWriteLocks = "'{RowExclusiveLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}'";
// Lock modes that change a table's definition, including CREATE INDEX. RowExclusiveLock is missing: our own version rows take
// it.
constexpr std::string_view kShapeLocks = "'{ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}'";

std::string oid(const std::string& number) {
  return quote_literal(number) + "::pg_catalog.oid";
}

// Whether constraints, indexes or columns of the version table could refuse one of our rows.
std::string version_table_refuses_rows(const std::string& table) {
  return "(EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE (k.conrelid OPERATOR(pg_catalog.=) " + table +
         " OR k.confrelid OPERATOR(pg_catalog.=) " + table +
         ") AND k.contype::pg_catalog.text OPERATOR(pg_catalog.<>) ALL ('{p,u,n}'::pg_catalog.text[])) OR EXISTS (SELECT FROM"
         " pg_catalog.pg_index AS i WHERE i.indrelid OPERATOR(pg_catalog.=) " +
         table +
         " AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL OR i.indisexclusion OR i.indisunique AND (i.indnkeyatts"
         " OPERATOR(pg_catalog.<>) 1 OR NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid"
         " OPERATOR(pg_catalog.=) " +
         table +
         " AND a.attnum OPERATOR(pg_catalog.=) i.indkey[0] AND a.attname OPERATOR(pg_catalog.=) 'version_num')))) OR EXISTS"
         " (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) " +
         table +
         " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped AND CASE WHEN a.attname OPERATOR(pg_catalog.=)"
         " 'version_num' THEN a.atttypid OPERATOR(pg_catalog.<>) ALL ('{25,1042,1043}'::pg_catalog.oid[]) ELSE a.attnotnull"
         " AND NOT a.atthasdef AND a.attidentity OPERATOR(pg_catalog.=) '' END))";
}

std::string ledger_oids(const OwnTables& tables) {
  std::string oids = "{" + tables.history;
  for (const std::string* table : {&tables.step, &tables.catalog}) {
    oids += table->empty() ? "" : "," + *table;
  }
  return oids + "}";
}

// Whether this transaction wrote to the ledger, or added a constraint to the version table; with DoubtOnly, whether it changed
// that table's definition at all.
std::string has_touched(const OwnTables& tables, Scrutiny scrutiny) {
  const std::string version = oid(tables.version);
  return "EXISTS (SELECT FROM pg_catalog.pg_lock_status() AS l WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
         " AND l.locktype OPERATOR(pg_catalog.=) 'relation' AND (l.relation OPERATOR(pg_catalog.=) ANY (" +
         quote_literal(ledger_oids(tables)) + "::pg_catalog.oid[]) AND l.mode OPERATOR(pg_catalog.=) ANY (" +
         std::string(kWriteLocks) + "::pg_catalog.text[]) OR l.relation OPERATOR(pg_catalog.=) " + version +
         " AND l.mode OPERATOR(pg_catalog.=) ANY (" + std::string(kShapeLocks) + "::pg_catalog.text[])" +
         (scrutiny == Scrutiny::Full ? " AND " + version_table_refuses_rows(version) : "") + "))";
}

}  // namespace

Command RevisionGuard::before() const {
  static const std::string sql =
      "SELECT " +
      require_clean(
          "NOT EXISTS (SELECT FROM pg_catalog.pg_prepared_statement() AS p WHERE NOT pg_catalog.starts_with(p.name, " +
          quote_literal(prepared_name_prefix()) + "))") +
      ", " + require_lock("pg_catalog.pg_try_advisory_xact_lock(" + MigrationLock::key() + ")");
  return {sql, {}, prepared_name("before")};
}

Command RevisionGuard::lock() {
  return {"SELECT " + require_lock("pg_catalog.pg_try_advisory_xact_lock(" + MigrationLock::key() + ")"), {}, ""};
}

Command RevisionGuard::read_write() {
  return {"SET TRANSACTION READ WRITE", {}, ""};
}

Command RevisionGuard::before_text() {
  static const std::string sql =
      "SELECT " + require_text(
                      "pg_catalog.current_setting('client_encoding') OPERATOR(pg_catalog.=) 'UTF8' AND "
                      "pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.=) 'on'");
  return {sql, {}, ""};
}

bool RevisionGuard::needs_text_guard(std::string_view sql) {
  return depends_on_byte_settings(sql);
}

// Two statements, because only the first depends on the revision. A statement without parameters is planned once per session.
// PostgreSQL plans one with parameters anew for each of its first five executions, and the second one would cost a fresh
// backend a millisecond each time.
std::vector<Command> RevisionGuard::after(const std::vector<std::string>& heads, Scrutiny scrutiny) const {
  // Two rows must be counted: the version table, if its name still leads to it, and the history table, if its file is the same,
  // which TRUNCATE replaces.
  const std::string tables =
      "SELECT " +
      require_tables("(SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c WHERE (c.oid OPERATOR(pg_catalog.=) " +
                     oid(tables_.version) + " AND c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(" +
                     quote_literal(versions_->qualified()) + ") OR c.oid OPERATOR(pg_catalog.=) " + oid(tables_.history) +
                     " AND pg_catalog.pg_relation_filenode(c.oid) OPERATOR(pg_catalog.=) " + oid(tables_.history_file) +
                     ") AND " + table_problem(scrutiny) + " IS NULL) OPERATOR(pg_catalog.=) 2 AND NOT " +
                     has_touched(tables_, scrutiny)) +
      ", " + require_lock(renew_lock());
  return {{"SELECT " + require_rows(versions_->holds("$1")), {array_literal(heads)}, prepared_name("after_rows")},
          {tables, {}, prepared_name(scrutiny == Scrutiny::Full ? "after_tables_full" : "after_tables")}};
}

namespace {

// A fingerprint of the rows: their count and the sum of their xmin. Every insert, update or delete changes at least one of the
// two.
std::string rows_of(const std::string& table) {
  return "(SELECT pg_catalog.concat_ws(',', pg_catalog.count(*), pg_catalog.sum(r.xmin::pg_catalog.text::pg_catalog.int8)) FROM"
         " ONLY " +
         table + " AS r)";
}

// $1 are the OIDs of the tables.
// Also covers the constraints and the restricting indexes of all our tables, which could make a later row fail.
std::string print_of(const Ledger& ledger, const OwnTables& tables) {
  return "pg_catalog.concat_ws('|', " + rows_of(ledger.history().name()) + ", " + rows_of(ledger.steps().name()) +
         (tables.catalog.empty() ? "" : ", " + rows_of(ledger.catalog())) +
         ", (SELECT pg_catalog.concat_ws(',', pg_catalog.count(*), pg_catalog.sum(k.oid::pg_catalog.int8)) FROM"
         " pg_catalog.pg_constraint AS k WHERE k.conrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) OR k.confrelid"
         " OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])), (SELECT pg_catalog.concat_ws(',', pg_catalog.count(*),"
         " pg_catalog.sum(i.indexrelid::pg_catalog.int8)) FROM pg_catalog.pg_index AS i WHERE i.indrelid"
         " OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND (i.indisunique OR i.indexprs IS NOT NULL OR i.indpred IS NOT"
         " NULL)))";
}

}  // namespace

std::string RevisionGuard::all_oids() const {
  return "{" + tables_.version + "," + tables_.history + "," + tables_.step +
         (tables_.catalog.empty() ? "" : "," + tables_.catalog) + "}";
}

Command RevisionGuard::print() const {
  return {"SELECT " + print_of(*ledger_, tables_), {all_oids()}, ""};
}

Command RevisionGuard::require_print(const std::string& print) const {
  return {"SELECT " + require_tables(print_of(*ledger_, tables_) + " OPERATOR(pg_catalog.=) $2"), {all_oids(), print}, ""};
}

std::optional<Error> RevisionGuard::explain(const Error& error, const std::string& revision) const {
  const auto& state = error.sqlstate;
  const auto changed = [&](const std::string& what, std::string hint) {
    return Error(ErrorCode::BookkeepingChanged, "revision " + revision + " " + what)
        .with_sqlstate(state)
        .advise(std::move(hint));
  };
  constexpr std::string_view kLeaveAlone = "remove the statements that change them: only Athanor may write there";
  if (state == kRowsChanged) {
    return changed("changed the version table " + versions_->qualified(),
                   std::string(kLeaveAlone) + "; `athanor current` shows its rows");
  }
  if (state == kTablesChanged) {
    return changed("changed the version table or the ledger", std::string(kLeaveAlone));
  }
  if (state == kLockLost) {
    return changed(
        "released the migration lock",
        "release locks one by one with pg_advisory_unlock(key); pg_advisory_unlock_all() releases the migration lock too");
  }
  if (state == kTextMisread) {
    return Error(ErrorCode::UnsupportedStatement, "revision " + revision +
                                                      " changed client_encoding or standard_conforming_strings, which changes "
                                                      "how the server reads the text that follows")
        .advise("leave both as they are: revision files are UTF-8");
  }
  // 25006 is read_only_sql_transaction.
  if (state == "25006") {
    return Error(ErrorCode::UnsupportedStatement,
                 "revision " + revision + " made its transaction read-only, so its row in the version table cannot be written")
        .with_sqlstate(state)
        .advise("remove SET TRANSACTION READ ONLY, or undo it with SET TRANSACTION READ WRITE");
  }
  if (auto refused = row_refused(error)) {
    return refused;
  }
  // The table or schema is missing, or the right to it: both were present when the revision began.
  if (state.starts_with("42") || state.starts_with("3F")) {
    return changed("changed the version table or the ledger: " + error.message, std::string(kLeaveAlone)).with_sqlstate(state);
  }
  return std::nullopt;
}

std::optional<Error> RevisionGuard::row_refused(const Error& error) const {
  const auto& state = error.sqlstate;
  const std::string tables = "the version table " + versions_->qualified() + " or the ledger";
  if (state.starts_with("23")) {
    return Error(ErrorCode::UntrustedTable,
                 "a constraint that Athanor did not create rejected a row of " + tables + ": " + error.message)
        .with_sqlstate(state)
        .advise("drop the constraint, index or column in the server's message");
  }
  if (state == "42703") {
    return without_column(tables, error);
  }
  return std::nullopt;
}

}  // namespace athanor
