#include "migrations/execute/step_table.hpp"

#include "migrations/execute/ledger_parameter.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {

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
         " state pg_catalog.text NOT NULL, before pg_catalog.text, cursor pg_catalog.text, rows bigint NOT NULL DEFAULT 0, "
         "checksum pg_catalog.text NOT NULL,"
         " run_id pg_catalog.text NOT NULL, updated_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(),"
         " PRIMARY KEY (version_table, revision, direction, step, statement))";
}

Command StepTable::record_state(const StepKey& key, const StepState& state) const {
  return {"INSERT INTO " + name_ +
              " (version_table, revision, direction, step, statement, state, before, checksum, run_id)"
              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
              " ON CONFLICT (version_table, revision, direction, step, statement) DO UPDATE SET state = excluded.state,"
              " before = coalesce(excluded.before, " +
              name_ + ".before), checksum = excluded.checksum, run_id = excluded.run_id, updated_at = pg_catalog.now()",
          {text_parameter(version_table_), text_parameter(key.revision), text_parameter(key.direction),
           std::to_string(key.step), std::to_string(key.statement), text_parameter(state.state),
           nullable_parameter(state.before), text_parameter(state.checksum), text_parameter(state.run_id)},
          ""};
}

Command StepTable::record_cursor(const StepKey& key, const BatchCursor& batch) const {
  return {
      "INSERT INTO " + name_ +
          " (version_table, revision, direction, step, statement, state, cursor, rows, checksum, run_id)"
          " VALUES ($1, $2, $3, $4, 0, 'running', $5, $6, $7, $8)"
          " ON CONFLICT (version_table, revision, direction, step, statement) DO UPDATE SET cursor = excluded.cursor,"
          " rows = excluded.rows, run_id = excluded.run_id, updated_at = pg_catalog.now()",
      {text_parameter(version_table_), text_parameter(key.revision), text_parameter(key.direction), std::to_string(key.step),
       text_parameter(batch.cursor), std::to_string(batch.rows), text_parameter(batch.checksum), text_parameter(batch.run_id)},
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
