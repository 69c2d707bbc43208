#include "migrations/execute/step_table.hpp"

#include "migrations/execute/ledger_parameter.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// The value that keep_session() read in this transaction.
constexpr std::string_view kKept =
    "CASE WHEN pg_catalog.current_setting('athanor.session', true) OPERATOR(pg_catalog.=) '' THEN NULL ELSE"
    " pg_catalog.current_setting('athanor.session', true) END";

// The row of a batch step: $1 to $3 are its key, $4 the version table.
const std::string kBatchRow =
    "s.revision OPERATOR(pg_catalog.=) $1::pg_catalog.text AND s.direction OPERATOR(pg_catalog.=) $2::pg_catalog.text"
    " AND s.step OPERATOR(pg_catalog.=) $3::pg_catalog.int4 AND s.statement OPERATOR(pg_catalog.=) 0"
    " AND s.version_table OPERATOR(pg_catalog.=) $4::pg_catalog.text";

}  // namespace

StepTable::StepTable(const std::string& ledger_schema) : name_(qualified_name(ledger_schema, "step")) {}

void StepTable::set_version_table(const std::string& version_table) {
  version_table_ = version_table;
  ours_ = "version_table OPERATOR(pg_catalog.=) " + quote_literal(version_table);
}

std::string StepTable::create_statement() const {
  return "CREATE TABLE IF NOT EXISTS " + name_ +
         " (version_table pg_catalog.text NOT NULL, revision pg_catalog.text NOT NULL, direction pg_catalog.text NOT NULL, "
         "step integer NOT NULL,"
         " statement integer NOT NULL,"
         " state pg_catalog.text NOT NULL, before pg_catalog.text, cursor pg_catalog.text, bound pg_catalog.text, session "
         "pg_catalog.text, rows bigint "
         "NOT NULL DEFAULT 0, checksum pg_catalog.text NOT NULL,"
         " run_id pg_catalog.text NOT NULL, updated_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(),"
         " PRIMARY KEY (version_table, revision, direction, step, statement))";
}

Command StepTable::record_state(const StepKey& key, const StepState& state) const {
  return {"INSERT INTO " + name_ +
              " (version_table, revision, direction, step, statement, state, before, checksum, run_id, session)"
              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, " +
              std::string(kKept) +
              ") ON CONFLICT (version_table, revision, direction, step, statement) DO UPDATE SET state = excluded.state,"
              " before = coalesce(excluded.before, " +
              name_ + ".before), session = coalesce(excluded.session, " + name_ +
              ".session), checksum = excluded.checksum, run_id = excluded.run_id, updated_at = pg_catalog.now()",
          {text_parameter(version_table_), text_parameter(key.revision), text_parameter(key.direction),
           std::to_string(key.step), std::to_string(key.statement), text_parameter(state.state),
           nullable_parameter(state.before), text_parameter(state.checksum), text_parameter(state.run_id)},
          ""};
}

std::string StepTable::recognise_statement() const {
  return "SELECT version_table, revision, direction, step, statement, state, before, cursor, rows, checksum, run_id, updated_at"
         " FROM ONLY " +
         name_ + " LIMIT 0";
}

std::string StepTable::upgrade_statement() const {
  return "ALTER TABLE " + name_ +
         " ADD COLUMN IF NOT EXISTS bound pg_catalog.text, ADD COLUMN IF NOT EXISTS session pg_catalog.text";
}

Command StepTable::keep_session(const std::vector<std::string>& custom) {
  // The transaction_* settings belong to this transaction, and athanor.session is our own variable.
  return {
      "SELECT pg_catalog.set_config('athanor.session', (SELECT pg_catalog.json_object_agg(s.name, s.setting) FROM"
      " (SELECT p.name, p.setting FROM pg_catalog.pg_settings AS p WHERE p.source OPERATOR(pg_catalog.=) 'session'"
      " AND p.name OPERATOR(pg_catalog.<>) 'athanor.session' AND p.name OPERATOR(pg_catalog.<>) 'transaction_isolation'"
      " AND p.name OPERATOR(pg_catalog.<>) 'transaction_read_only'"
      " AND p.name OPERATOR(pg_catalog.<>) 'transaction_deferrable'"
      " UNION ALL SELECT o.name, pg_catalog.current_setting(o.name, true) FROM pg_catalog.unnest($1::pg_catalog.text[]) AS"
      " o(name) WHERE pg_catalog.current_setting(o.name, true) OPERATOR(pg_catalog.<>) ''"
      " UNION ALL SELECT 'role', pg_catalog.current_setting('role')"
      " UNION ALL SELECT 'session_authorization', session_user::pg_catalog.text) AS s)::pg_catalog.text, true)",
      {array_literal(custom)},
      ""};
}

Command StepTable::record_session(const StepKey& key) const {
  return {
      "UPDATE " + name_ + " SET session = " + std::string(kKept) + " WHERE " + ours_ +
          " AND revision OPERATOR(pg_catalog.=) $1 AND direction OPERATOR(pg_catalog.=) $2 AND step OPERATOR(pg_catalog.=) "
          "$3::int"
          " AND statement OPERATOR(pg_catalog.=) $4::int",
      {text_parameter(key.revision), text_parameter(key.direction), std::to_string(key.step), std::to_string(key.statement)},
      ""};
}

Command StepTable::restore_session(std::string_view revision, std::string_view direction) const {
  // Set the role last: switching to it may remove the right to set the other parameters. OFFSET 0 keeps the planner from
  // flattening the subquery, so that set_config() runs in that order.
  return {
      "SELECT pg_catalog.set_config(o.key, o.value, false) FROM (SELECT e.key, e.value FROM (SELECT session FROM " + name_ +
          " WHERE " + ours_ +
          " AND revision OPERATOR(pg_catalog.=) $1 AND direction OPERATOR(pg_catalog.=) $2 AND session IS NOT NULL"
          " ORDER BY step DESC, statement DESC LIMIT 1) AS kept, pg_catalog.json_each_text(kept.session::pg_catalog.json) AS e"
          " ORDER BY CASE WHEN e.key OPERATOR(pg_catalog.=) 'role' THEN 2 WHEN e.key OPERATOR(pg_catalog.=)"
          " 'session_authorization' THEN 1 ELSE 0 END OFFSET 0) AS o",
      {text_parameter(revision), text_parameter(direction)},
      ""};
}

Command StepTable::select_batch(const StepKey& key) const {
  return {
      "SELECT s.cursor, s.bound, s.rows, s.run_id, s.state FROM " + name_ + " s WHERE " + kBatchRow,
      {text_parameter(key.revision), text_parameter(key.direction), std::to_string(key.step), text_parameter(version_table_)},
      ""};
}

Command StepTable::begin_batches(const StepKey& key, const BatchProgress& progress, std::string_view checksum,
                                 std::string_view run_id) const {
  return {"INSERT INTO " + name_ +
              " (version_table, revision, direction, step, statement, state, bound, rows, checksum, run_id)"
              " VALUES ($1, $2, $3, $4, 0, 'running', $5, 0, $6, $7)",
          {text_parameter(version_table_), text_parameter(key.revision), text_parameter(key.direction),
           std::to_string(key.step), progress.bound, text_parameter(checksum), text_parameter(run_id)},
          ""};
}

std::string StepTable::guarded(const std::string& assignments) const {
  // A NULL cursor means that no batch is done; NULL = NULL is not true, so it needs its own comparison.
  return "WITH met AS (UPDATE " + name_ + " s SET " + assignments + ", updated_at = pg_catalog.now() WHERE " + kBatchRow +
         " AND (s.cursor OPERATOR(pg_catalog.=) $5::pg_catalog.text OR (s.cursor IS NULL AND $5::pg_catalog.text IS NULL))"
         " AND s.run_id OPERATOR(pg_catalog.=) $6::pg_catalog.text AND s.state OPERATOR(pg_catalog.=) 'running'"
         " RETURNING 1) SELECT 1 OPERATOR(pg_catalog./)"
         " (CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN 1 ELSE 0 END) FROM met";
}

Command StepTable::take_over_batches(const StepKey& key, const BatchProgress& seen, std::string_view seen_run,
                                     std::string_view run_id) const {
  return {guarded("run_id = $7::pg_catalog.text, bound = $8::pg_catalog.text"),
          {text_parameter(key.revision), text_parameter(key.direction), std::to_string(key.step),
           text_parameter(version_table_), seen.cursor, text_parameter(seen_run), text_parameter(run_id), seen.bound},
          ""};
}

Command StepTable::advance(const StepKey& key, const std::optional<std::string>& from, const std::string& to, std::int64_t rows,
                           std::string_view run_id) const {
  return {guarded("cursor = $7::pg_catalog.text, rows = $8::pg_catalog.int8"),
          {text_parameter(key.revision), text_parameter(key.direction), std::to_string(key.step),
           text_parameter(version_table_), from, text_parameter(run_id), to, std::to_string(rows)},
          ""};
}

Command StepTable::complete_batches(const StepKey& key, const std::optional<std::string>& from, std::string_view run_id) const {
  return {guarded("state = 'complete', cursor = NULL"),
          {text_parameter(key.revision), text_parameter(key.direction), std::to_string(key.step),
           text_parameter(version_table_), from, text_parameter(run_id)},
          ""};
}

Command StepTable::forget(const StepKey& key) const {
  return {
      "DELETE FROM " + name_ + " WHERE " + ours_ +
          " AND revision OPERATOR(pg_catalog.=) $1 AND direction OPERATOR(pg_catalog.=) $2 AND step OPERATOR(pg_catalog.=) "
          "$3::int"
          " AND statement OPERATOR(pg_catalog.=) $4::int",
      {text_parameter(key.revision), text_parameter(key.direction), std::to_string(key.step), std::to_string(key.statement)},
      ""};
}

Command StepTable::forget_revision(std::string_view revision) const {
  return {
      "DELETE FROM " + name_ + " WHERE " + ours_ + " AND revision OPERATOR(pg_catalog.=) $1", {text_parameter(revision)}, ""};
}

std::string StepTable::select_statement() const {
  return "SELECT revision, direction, step, statement, state, coalesce(before, ''), cursor, rows, checksum FROM " + name_ +
         " WHERE " + ours_ + " ORDER BY revision, direction, step, statement";
}

}  // namespace athanor
