#include "migrations/execute/revision_guard.hpp"

#include <algorithm>

#include "migrations/execute/migration_lock.hpp"
#include "migrations/session/session_reset.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// Each fails with its SQLSTATE unless `condition` holds. No expression is constant, so none is evaluated while planning.
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

// Unlocking tells whether the session held the lock. The transaction's own lock keeps everybody else out meanwhile, so the
// session can let go of every lock it has and take ours again.
std::string renew_lock() {
  const std::string key = MigrationLock::key();
  return "CASE WHEN pg_catalog.pg_try_advisory_xact_lock(" + key + ") THEN CASE WHEN pg_catalog.pg_advisory_unlock(" + key +
         ") THEN CASE WHEN pg_catalog.pg_advisory_unlock_all() IS NOT NULL THEN pg_catalog.pg_advisory_lock(" + key +
         ") IS NOT NULL ELSE false END ELSE false END ELSE false END";
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
  return std::ranges::any_of(sql, [](char c) { return c == '\\' || static_cast<unsigned char>(c) >= 0x80U; });
}

// Two statements, because only one of them depends on the revision. What has no parameters is planned once for the session;
// PostgreSQL plans what has them anew for each of the first five executions, and this one costs a fresh backend a millisecond.
std::vector<Command> RevisionGuard::after(const std::vector<std::string>& heads, Scrutiny scrutiny) const {
  const auto oid = [](const std::string& number) { return quote_literal(number) + "::pg_catalog.oid"; };
  const std::string tables =
      "SELECT " +
      require_tables("(SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c WHERE (c.oid OPERATOR(pg_catalog.=) " +
                     oid(tables_.version) + " AND c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(" +
                     quote_literal(versions_->qualified()) + ") OR c.oid OPERATOR(pg_catalog.=) " + oid(tables_.history) +
                     " AND pg_catalog.pg_relation_filenode(c.oid) OPERATOR(pg_catalog.=) " + oid(tables_.history_file) +
                     " AND pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) OPERATOR(pg_catalog.=) 0"
                     " AND pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) OPERATOR(pg_catalog.=) 0) AND " +
                     table_problem(scrutiny) + " IS NULL) OPERATOR(pg_catalog.=) 2") +
      ", " + require_lock(renew_lock());
  return {{"SELECT " + require_rows(versions_->holds("$1")), {array_literal(heads)}, prepared_name("after_rows")},
          {tables, {}, prepared_name(scrutiny == Scrutiny::Full ? "after_tables_full" : "after_tables")}};
}

std::optional<Error> RevisionGuard::explain(const Error& error, const std::string& revision) const {
  const auto& state = error.sqlstate;
  const auto changed = [&](const std::string& what, std::string hint) {
    return Error(ErrorCode::BookkeepingChanged, "revision " + revision + " " + what)
        .with_sqlstate(state)
        .advise(std::move(hint));
  };
  constexpr std::string_view kLeaveAlone = "remove what it does to them: Athanor alone writes there";
  if (state == kRowsChanged) {
    return changed("changed the version table " + versions_->qualified(),
                   std::string(kLeaveAlone) + "; `athanor current` shows what it holds");
  }
  if (state == kTablesChanged) {
    return changed("changed the version table or the ledger", std::string(kLeaveAlone));
  }
  if (state == kLockLost) {
    return changed("released the migration lock",
                   "release locks one by one with pg_advisory_unlock(key); pg_advisory_unlock_all() releases ours too");
  }
  if (state == kTextMisread) {
    return Error(ErrorCode::UnsupportedStatement,
                 "revision " + revision +
                     " changed client_encoding or standard_conforming_strings, and the text that "
                     "follows would be read otherwise")
        .advise("leave both as they are: revision files are UTF-8");
  }
  // No such table, schema or column, or no right to it: it was there when the revision began.
  if (state.starts_with("42") || state.starts_with("3F") || state.starts_with("23")) {
    return changed("changed the version table or the ledger: " + error.message, std::string(kLeaveAlone)).with_sqlstate(state);
  }
  return std::nullopt;
}

}  // namespace athanor
