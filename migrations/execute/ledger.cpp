#include "migrations/execute/ledger.hpp"

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

Parameter text(std::string_view value) {
  return std::string(value);
}
Parameter text_or_null(std::string_view value) {
  return value.empty() ? Parameter{} : Parameter{std::string(value)};
}

}  // namespace

std::string_view tool_name() {
  return "athanor " ATHANOR_VERSION;
}

Ledger::Ledger(const std::string& schema)
    : schema_(quote_identifier(schema)),
      history_(qualified_name(schema, "history")),
      step_(qualified_name(schema, "step")),
      ours_("true") {}

void Ledger::belong_to(const std::string& version_table) {
  version_table_ = version_table;
  ours_ = "version_table = " + quote_literal(version_table);
}

std::string Ledger::create_schema() const {
  return "CREATE SCHEMA IF NOT EXISTS " + schema_;
}

std::string Ledger::create_history() const {
  return "CREATE TABLE IF NOT EXISTS " + history_ +
         " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, version_table text NOT NULL,"
         " run_id text NOT NULL, revision text NOT NULL,"
         " direction text NOT NULL, outcome text NOT NULL, checksum text, plan_hash text,"
         " started_at timestamptz NOT NULL, duration_ms bigint NOT NULL, actor text NOT NULL,"
         " database_user text NOT NULL DEFAULT session_user, tool text NOT NULL, sqlstate text, message text)";
}

std::string Ledger::create_step() const {
  return "CREATE TABLE IF NOT EXISTS " + step_ +
         " (version_table text NOT NULL, revision text NOT NULL, direction text NOT NULL, step integer NOT NULL,"
         " statement integer NOT NULL,"
         " state text NOT NULL, before text, cursor text, rows bigint NOT NULL DEFAULT 0, checksum text NOT NULL,"
         " run_id text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),"
         " PRIMARY KEY (version_table, revision, direction, step, statement))";
}

Command Ledger::record(const Entry& entry) const {
  Command command{"INSERT INTO " + history_ +
                      " (version_table, run_id, revision, direction, outcome, checksum, plan_hash, actor, tool, started_at,"
                      " duration_ms",
                  {text(version_table_), text(entry.run_id), text(entry.revision), text(entry.direction), text(entry.outcome),
                   text_or_null(entry.checksum), text_or_null(entry.plan_hash), text(entry.actor), text(tool_name())},
                  ""};
  if (!entry.duration) {
    command.prepared = "athanor_record";
    command.sql +=
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(),"
        " (extract(epoch FROM clock_timestamp() - now()) * 1000)::bigint)";
  } else {
    command.sql +=
        ", sqlstate, message) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() - $10::bigint * interval '1 millisecond',"
        " $10::bigint, $11, $12)";
    command.parameters.emplace_back(std::to_string(entry.duration->count()));
    command.parameters.push_back(entry.failure != nullptr ? text_or_null(entry.failure->sqlstate) : Parameter{});
    command.parameters.push_back(entry.failure != nullptr ? text(entry.failure->message) : Parameter{});
  }
  command.sql += " RETURNING pg_current_xact_id()::text";
  return command;
}

Command Ledger::step_state(std::string_view revision, std::string_view direction, std::size_t step, std::size_t statement,
                           std::string_view state, std::string_view before, std::string_view checksum,
                           std::string_view run_id) const {
  return {"INSERT INTO " + step_ +
              " (version_table, revision, direction, step, statement, state, before, checksum, run_id)"
              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
              " ON CONFLICT (version_table, revision, direction, step, statement) DO UPDATE SET state = excluded.state,"
              " before = coalesce(excluded.before, " +
              step_ + ".before), checksum = excluded.checksum, run_id = excluded.run_id, updated_at = now()",
          {text(version_table_), text(revision), text(direction), std::to_string(step), std::to_string(statement), text(state),
           text_or_null(before), text(checksum), text(run_id)},
          ""};
}

Command Ledger::step_cursor(std::string_view revision, std::string_view direction, std::size_t step, std::string_view cursor,
                            std::int64_t rows, std::string_view checksum, std::string_view run_id) const {
  return {"INSERT INTO " + step_ +
              " (version_table, revision, direction, step, statement, state, cursor, rows, checksum, run_id)"
              " VALUES ($1, $2, $3, $4, 0, 'running', $5, $6, $7, $8)"
              " ON CONFLICT (version_table, revision, direction, step, statement) DO UPDATE SET cursor = excluded.cursor,"
              " rows = excluded.rows, run_id = excluded.run_id, updated_at = now()",
          {text(version_table_), text(revision), text(direction), std::to_string(step), text(cursor), std::to_string(rows),
           text(checksum), text(run_id)},
          "athanor_cursor"};
}

Command Ledger::forget_step(std::string_view revision, std::string_view direction, std::size_t step,
                            std::size_t statement) const {
  return {"DELETE FROM " + step_ + " WHERE " + ours_ +
              " AND revision = $1 AND direction = $2 AND step = $3::int AND statement = $4::int",
          {text(revision), text(direction), std::to_string(step), std::to_string(statement)},
          ""};
}

Command Ledger::forget_steps(std::string_view revision) const {
  return {"DELETE FROM " + step_ + " WHERE " + ours_ + " AND revision = $1", {text(revision)}, ""};
}

std::string Ledger::select_steps() const {
  return "SELECT revision, direction, step, statement, state, coalesce(before, ''), cursor, rows, checksum FROM " + step_ +
         " WHERE " + ours_ + " ORDER BY revision, direction, step, statement";
}

std::string Ledger::select_applied() const {
  return "SELECT revision, coalesce(checksum, ''), to_char(started_at AT TIME ZONE 'UTC',"
         " 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), actor, tool, direction" +
         last_words();
}

std::string Ledger::select_checksums() const {
  return "SELECT revision, coalesce(checksum, ''), direction" + last_words();
}

// The last word on each revision. Failures change nothing, and a repair counts as the text now accepted. (Hashing beats sorting
// texts by a locale's rules several times over.)
std::string Ledger::last_words() const {
  return " FROM " + history_ + " WHERE id IN (SELECT max(id) FROM " + history_ + " WHERE " + ours_ +
         " AND outcome <> 'failed' GROUP BY revision)";
}

Command Ledger::select_run(std::string_view run_id) const {
  return {"SELECT revision FROM " + history_ + " WHERE " + ours_ + " AND run_id = $1 AND outcome <> 'failed' ORDER BY id",
          {text(run_id)},
          ""};
}

std::string Ledger::select_history(std::size_t limit) const {
  return "SELECT id, run_id, revision, direction, outcome, coalesce(checksum, ''), coalesce(plan_hash, ''),"
         " to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), actor, coalesce(sqlstate, ''),"
         " coalesce(message, ''), duration_ms FROM " +
         history_ + " WHERE " + ours_ + " ORDER BY id DESC LIMIT " + std::to_string(limit);
}

}  // namespace athanor
