#include "migrations/execute/history_table.hpp"

#include "migrations/execute/ledger_parameter.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session_reset.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
std::string_view tool_name() {
  return "athanor " ATHANOR_VERSION;
}

HistoryTable::HistoryTable(const std::string& ledger_schema) : name_(qualified_name(ledger_schema, "history")) {}

void HistoryTable::set_version_table(const std::string& version_table) {
  version_table_ = version_table;
  ours_ = "version_table OPERATOR(pg_catalog.=) " + quote_literal(version_table);
}

std::string HistoryTable::create_statement() const {
  return "CREATE TABLE IF NOT EXISTS " + name_ +
         " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, version_table pg_catalog.text NOT NULL,"
         " run_id pg_catalog.text NOT NULL, revision pg_catalog.text NOT NULL,"
         " direction pg_catalog.text NOT NULL, outcome pg_catalog.text NOT NULL, checksum pg_catalog.text, plan_hash "
         "pg_catalog.text,"
         " started_at pg_catalog.timestamptz NOT NULL, duration_ms bigint NOT NULL, actor pg_catalog.text NOT NULL,"
         " database_user pg_catalog.text NOT NULL DEFAULT session_user, tool pg_catalog.text NOT NULL, sqlstate "
         "pg_catalog.text, message pg_catalog.text, parents pg_catalog.text[], depends_on pg_catalog.text[],"
         " labels pg_catalog.text[], text pg_catalog.bytea)";
}

std::string HistoryTable::recognise_statement() const {
  return "SELECT id, version_table, run_id, revision, direction, outcome, checksum, plan_hash, started_at, duration_ms, actor,"
         " database_user, tool, sqlstate, message FROM ONLY " +
         name_ + " LIMIT 0";
}

std::string HistoryTable::upgrade_statement() const {
  return "ALTER TABLE " + name_ +
         " ADD COLUMN IF NOT EXISTS parents pg_catalog.text[], ADD COLUMN IF NOT EXISTS depends_on pg_catalog.text[],"
         " ADD COLUMN IF NOT EXISTS labels pg_catalog.text[], ADD COLUMN IF NOT EXISTS text pg_catalog.bytea";
}

Command HistoryTable::record(const Entry& entry) const {
  Command command;
  std::string columns = "version_table, run_id, revision, direction, outcome, checksum, plan_hash, actor, tool";
  std::string values = "$1, $2, $3, $4, $5, $6, $7, $8, $9";
  command.parameters = {text_parameter(version_table_),      text_parameter(entry.run_id),  text_parameter(entry.revision),
                        text_parameter(entry.direction),     text_parameter(entry.outcome), nullable_parameter(entry.checksum),
                        nullable_parameter(entry.plan_hash), text_parameter(entry.actor),   text_parameter(tool_name())};
  // Appends a parameter and returns its placeholder.
  const auto parameter = [&](Parameter value) {
    command.parameters.push_back(std::move(value));
    return "$" + std::to_string(command.parameters.size());
  };
  columns += ", started_at, duration_ms";
  // A measured duration ends when this transaction begins, so started_at is computed back from now(). Otherwise the transaction
  // itself is measured: from now(), its start, to this INSERT.
  if (entry.duration) {
    const std::string duration = parameter(std::to_string(entry.duration->count()));
    values += ", pg_catalog.now() OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => " + duration +
              "::pg_catalog.float8 OPERATOR(pg_catalog./) 1000), " + duration + "::bigint";
  } else {
    values +=
        ", pg_catalog.now(), (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) "
        "pg_catalog.now()) OPERATOR(pg_catalog.*) 1000)::bigint";
  }
  if (entry.failure != nullptr) {
    columns += ", sqlstate, message";
    values += ", " + parameter(nullable_parameter(entry.failure->sqlstate));
    values += ", " + parameter(text_parameter(entry.failure->message));
  }
  if (entry.failure == nullptr && !entry.note.empty()) {
    columns += ", message";
    values += ", " + parameter(text_parameter(entry.note));
  }
  if (entry.lineage) {
    columns += ", parents, depends_on, labels, text";
    for (const auto* ids : {entry.lineage->parents, entry.lineage->depends_on, entry.lineage->labels}) {
      values += ", " + parameter(array_literal(*ids));
    }
    values += ", " + parameter(entry.lineage->text.empty() ? Parameter() : bytea_literal(entry.lineage->text));
  }
  // Only the statement of an ordinary revision is worth preparing: the others run once.
  if (!entry.duration && entry.note.empty()) {
    command.prepared = prepared_name(entry.lineage ? "record_lineage" : "record");
  }
  command.sql = "INSERT INTO " + name_ + " (" + columns + ") VALUES (" + values +
                ") RETURNING pg_catalog.pg_current_xact_id()::pg_catalog.text";
  return command;
}

std::string HistoryTable::select_applied() const {
  return "SELECT revision, coalesce(checksum, ''), pg_catalog.to_char(pg_catalog.timezone('UTC', started_at),"
         " 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), actor, tool, direction" +
         latest_of_each();
}

std::string HistoryTable::select_checksums() const {
  return "SELECT revision, coalesce(checksum, ''), direction" + latest_of_each();
}

// Excludes failures, which change nothing; a repair counts, because it accepts a text. GROUP BY hashes the revisions, which is
// several times faster than DISTINCT ON, which would sort them by the database's collation.
std::string HistoryTable::latest_of_each() const {
  return " FROM " + name_ + " JOIN (SELECT pg_catalog.max(id) AS latest FROM " + name_ + " WHERE " + ours_ +
         " AND outcome OPERATOR(pg_catalog.<>) 'failed' GROUP BY revision) AS l ON l.latest OPERATOR(pg_catalog.=) id";
}

std::string HistoryTable::select_lineage() const {
  const auto lines = [](const std::string& column) { return "pg_catalog.array_to_string(" + column + ", pg_catalog.chr(10))"; };
  return "SELECT h.revision, " + lines("h.parents") + ", " + lines("h.depends_on") + ", " + lines("h.labels") +
         ", pg_catalog.encode(h.text, 'hex'), pg_catalog.to_char(pg_catalog.timezone('UTC', h.started_at),"
         " 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), h.actor, coalesce(h.checksum, '') FROM " +
         name_ + " AS h JOIN (SELECT pg_catalog.max(id) AS latest FROM " + name_ + " WHERE " + ours_ +
         " AND outcome OPERATOR(pg_catalog.=) 'applied' AND direction OPERATOR(pg_catalog.=) 'upgrade' GROUP BY revision) AS l"
         " ON l.latest OPERATOR(pg_catalog.=) h.id";
}

Command HistoryTable::select_run(std::string_view run_id) const {
  return {"SELECT revision FROM " + name_ + " WHERE " + ours_ +
              " AND run_id OPERATOR(pg_catalog.=) $1 AND outcome OPERATOR(pg_catalog.<>) 'failed' ORDER BY id",
          {text_parameter(run_id)},
          ""};
}

std::string HistoryTable::select_newest(std::size_t limit) const {
  return "SELECT id, run_id, revision, direction, outcome, coalesce(checksum, ''), coalesce(plan_hash, ''),"
         " pg_catalog.to_char(pg_catalog.timezone('UTC', started_at), 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), actor, "
         "coalesce(sqlstate, ''),"
         " coalesce(message, ''), duration_ms FROM " +
         name_ + " WHERE " + ours_ + " ORDER BY id DESC LIMIT " + std::to_string(limit);
}

std::string HistoryTable::select_last_change() const {
  return "SELECT direction, (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) started_at)"
         " OPERATOR(pg_catalog.*) 1000)::bigint OPERATOR(pg_catalog.-) COALESCE(duration_ms, 0) FROM " +
         name_ + " WHERE " + ours_ + " AND outcome OPERATOR(pg_catalog.=) 'applied' ORDER BY id DESC LIMIT 1";
}

std::string HistoryTable::select_last_applied() const {
  return "SELECT revision, direction FROM " + name_ + " WHERE " + ours_ +
         " AND outcome OPERATOR(pg_catalog.<>) 'failed' AND outcome OPERATOR(pg_catalog.<>) 'repaired' ORDER BY id DESC LIMIT "
         "1";
}

}  // namespace athanor
