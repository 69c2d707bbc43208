#include "migrations/backup/catalogue.hpp"

#include <charconv>

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr int kAttempts = 3;

// Another session created the same object at the same moment. IF NOT EXISTS does not prevent this: 42P07, 42P06 and 42710 mean
// that it exists, 23505 that its row in the system catalog does.
bool raced(const Error& error) {
  return error.sqlstate == "42P07" || error.sqlstate == "42P06" || error.sqlstate == "23505" || error.sqlstate == "42710";
}

std::string array_text(const std::vector<std::string>& items) {
  std::string text = "{";
  for (const std::string& item : items) {
    text += text.size() > 1 ? ",\"" : "\"";
    for (const char c : item) {
      if (c == '"' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

Parameter time_or_null(const std::optional<WallTime>& time) {
  return time ? Parameter(format_iso8601(*time)) : Parameter();
}

}  // namespace

BackupCatalogue::BackupCatalogue(const std::string& schema)
    : schema_(quote_identifier(schema)), table_(qualified_name(schema, "backup")) {}

Result<bool> BackupCatalogue::exists(ReadSession& session) const {
  TRY_ASSIGN(const Rows rows, session.query("SELECT to_regclass($1) IS NOT NULL", {table_}));
  return rows.text(0, 0) == "t";
}

Result<void> BackupCatalogue::create(Session& session) const {
  const auto attempt = [&]() -> Result<void> {
    // CREATE SCHEMA IF NOT EXISTS requires CREATE on the database even when the schema exists, so check first.
    TRY_ASSIGN(const Rows schema, session.query("SELECT to_regnamespace($1) IS NOT NULL", {schema_}));
    if (schema.text(0, 0) != "t") {
      TRY(session.query("CREATE SCHEMA IF NOT EXISTS " + schema_));
    }
    TRY(session.query("CREATE TABLE IF NOT EXISTS " + table_ +
                      " (run_id text PRIMARY KEY, version_table text NOT NULL, revisions text[] NOT NULL, file text NOT NULL,"
                      " location text NOT NULL, checksum text NOT NULL, size_bytes bigint NOT NULL, lsn pg_lsn,"
                      " server_version integer NOT NULL, client_version text NOT NULL, started_at timestamptz NOT NULL,"
                      " duration_ms bigint NOT NULL, verified_at timestamptz, deleted_at timestamptz, actor text NOT NULL,"
                      " database_user text NOT NULL DEFAULT session_user, tool text NOT NULL)"));
    return {};
  };
  for (int i = 1;; ++i) {
    // A lost race leaves the object in place, so the next attempt finds it.
    auto made = attempt();
    if (made || i == kAttempts || !raced(made.error())) {
      return made;
    }
  }
}

Result<void> BackupCatalogue::record(Session& session, const BackupRecord& record) const {
  TRY_ASSIGN(const bool has_table, exists(session));
  if (!has_table) {
    TRY(create(session));
  }
  TRY(session.query("INSERT INTO " + table_ +
                        " (run_id, version_table, revisions, file, location, checksum, size_bytes, lsn, server_version,"
                        " client_version, started_at, duration_ms, verified_at, actor, tool)"
                        " VALUES ($1, $2, $3::text[], $4, $5, $6, $7::bigint, nullif($8, '')::pg_lsn, $9::int, $10,"
                        " $11::timestamptz, $12::bigint, $13::timestamptz, $14, $15) ON CONFLICT (run_id) DO NOTHING",
                    {record.id, record.version_table, array_text(record.revisions), record.file, record.location, record.sha256,
                     std::to_string(record.size), record.lsn, std::to_string(record.server_version), record.client_version,
                     format_iso8601(record.started), std::to_string(record.duration.count()), time_or_null(record.verified),
                     record.actor, record.tool}));
  return {};
}

Result<void> BackupCatalogue::mark_deleted(Session& session, const std::string& id) const {
  TRY_ASSIGN(const bool has_table, exists(session));
  if (has_table) {
    TRY(session.query("UPDATE " + table_ + " SET deleted_at = now() WHERE run_id = $1", {id}));
  }
  return {};
}

Result<std::vector<BackupCatalogue::Row>> BackupCatalogue::rows(ReadSession& session) const {
  std::vector<Row> list;
  TRY_ASSIGN(const bool has_table, exists(session));
  if (!has_table) {
    return list;
  }
  const auto time = [](const std::string& column) {
    return "coalesce(to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), '')";
  };
  TRY_ASSIGN(const Rows rows, session.query("SELECT run_id, version_table, file, location, checksum, " + time("started_at") +
                                            ", " + time("verified_at") + ", " + time("deleted_at") +
                                            ", array_to_string(revisions, ', '), size_bytes::text FROM " + table_ +
                                            " ORDER BY started_at DESC, run_id"));
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    Row row{rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4),
            rows.text(i, 5), rows.text(i, 6), rows.text(i, 7), rows.text(i, 8), 0};
    const std::string size = rows.text(i, 9);
    std::from_chars(size.data(), size.data() + size.size(), row.size);
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace athanor
