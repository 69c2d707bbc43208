#include "migrations/execute/history_table.hpp"

#include "migrations/execute/ledger_parameter.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {

std::string_view tool_name() {
  return "athanor " ATHANOR_VERSION;
}

HistoryTable::HistoryTable(const std::string& ledger_schema) : name_(qualified_name(ledger_schema, "history")) {}

void HistoryTable::set_version_table(const std::string& version_table) {
  version_table_ = version_table;
  ours_ = "version_table = " + quote_literal(version_table);
}

std::string HistoryTable::create_statement() const {
  return "CREATE TABLE IF NOT EXISTS " + name_ +
         " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, version_table text NOT NULL,"
         " run_id text NOT NULL, revision text NOT NULL,"
         " direction text NOT NULL, outcome text NOT NULL, checksum text, plan_hash text,"
         " started_at timestamptz NOT NULL, duration_ms bigint NOT NULL, actor text NOT NULL,"
         " database_user text NOT NULL DEFAULT session_user, tool text NOT NULL, sqlstate text, message text)";
}

Command HistoryTable::record(const Entry& entry) const {
  Command command{"INSERT INTO " + name_ +
                      " (version_table, run_id, revision, direction, outcome, checksum, plan_hash, actor, tool, started_at,"
                      " duration_ms",
                  {text_parameter(version_table_), text_parameter(entry.run_id), text_parameter(entry.revision),
                   text_parameter(entry.direction), text_parameter(entry.outcome), nullable_parameter(entry.checksum),
                   nullable_parameter(entry.plan_hash), text_parameter(entry.actor), text_parameter(tool_name())},
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
    command.parameters.push_back(entry.failure != nullptr ? nullable_parameter(entry.failure->sqlstate) : Parameter{});
    command.parameters.push_back(entry.failure != nullptr ? text_parameter(entry.failure->message) : Parameter{});
  }
  command.sql += " RETURNING pg_current_xact_id()::text";
  return command;
}

std::string HistoryTable::select_applied() const {
  return "SELECT revision, coalesce(checksum, ''), to_char(started_at AT TIME ZONE 'UTC',"
         " 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), actor, tool, direction" +
         latest_of_each();
}

std::string HistoryTable::select_checksums() const {
  return "SELECT revision, coalesce(checksum, ''), direction" + latest_of_each();
}

// Failures change nothing, and a repair counts as the text that is accepted now. Hashing revisions for GROUP BY is several
// times cheaper than sorting them by a locale's rules, which DISTINCT ON would do.
std::string HistoryTable::latest_of_each() const {
  return " FROM " + name_ + " WHERE id IN (SELECT max(id) FROM " + name_ + " WHERE " + ours_ +
         " AND outcome <> 'failed' GROUP BY revision)";
}

Command HistoryTable::select_run(std::string_view run_id) const {
  return {"SELECT revision FROM " + name_ + " WHERE " + ours_ + " AND run_id = $1 AND outcome <> 'failed' ORDER BY id",
          {text_parameter(run_id)},
          ""};
}

std::string HistoryTable::select_newest(std::size_t limit) const {
  return "SELECT id, run_id, revision, direction, outcome, coalesce(checksum, ''), coalesce(plan_hash, ''),"
         " to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), actor, coalesce(sqlstate, ''),"
         " coalesce(message, ''), duration_ms FROM " +
         name_ + " WHERE " + ours_ + " ORDER BY id DESC LIMIT " + std::to_string(limit);
}

}  // namespace athanor
