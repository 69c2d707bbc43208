#include "migrations/backup/database_facts.hpp"

#include <algorithm>
#include <charconv>

namespace athanor {
namespace {

// to_jsonb reads columns that some server versions lack: a missing key yields NULL instead of an error.
constexpr std::string_view kProperties =
    "SELECT pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,"
    " coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),"
    " coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', ''),"
    " coalesce(shobj_description(d.oid, 'pg_database'), ''), d.datacl IS NOT NULL,"
    " coalesce(to_jsonb(d) ->> 'daticurules', ''), CASE t.spcname WHEN 'pg_default' THEN '' ELSE t.spcname END, "
    "d.datconnlimit::text"
    " FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = current_database()";
constexpr std::string_view kSettings =
    "SELECT coalesce(r.rolname, ''), unnest(s.setconfig) FROM pg_db_role_setting s"
    " LEFT JOIN pg_roles r ON r.oid = s.setrole"
    " WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1, 2";
constexpr std::string_view kGrants =
    "SELECT coalesce(r.rolname, ''), a.privilege_type, a.is_grantable FROM pg_database d, aclexplode(d.datacl) a"
    " LEFT JOIN pg_roles r ON r.oid = a.grantee"
    " WHERE d.datname = current_database() AND (a.grantee = 0 OR r.rolname IS NOT NULL) ORDER BY 1, 2";

}  // namespace

Result<DatabaseFacts> read_facts(ReadSession& session) {
  TRY_ASSIGN(const Rows rows, session.query("SELECT oid::text, datname, pg_is_in_recovery() FROM pg_database"
                                            " WHERE datname = current_database()"));
  DatabaseFacts facts;
  facts.identity.oid = rows.text(0, 0);
  facts.identity.name = rows.text(0, 1);
  facts.standby = rows.text(0, 2) == "t";
  // Some users may run neither query. Then the identity is the OID alone, and the space is not estimated.
  if (const auto system = session.query("SELECT system_identifier::text FROM pg_control_system()"); system) {
    facts.identity.system_identifier = system->text(0, 0);
  }
  if (const auto size = session.query("SELECT pg_database_size(current_database())::text"); size) {
    const std::string text = size->text(0, 0);
    std::from_chars(text.data(), text.data() + text.size(), facts.bytes);
  }
  return facts;
}

Result<DatabaseProperties> read_properties(ReadSession& session) {
  DatabaseProperties properties;
  TRY_ASSIGN(const Rows row, session.query(kProperties));
  properties.owner = row.text(0, 0);
  properties.encoding = row.text(0, 1);
  properties.collate = row.text(0, 2);
  properties.ctype = row.text(0, 3);
  properties.provider = row.text(0, 4);
  properties.locale = row.text(0, 5);
  properties.comment = row.text(0, 6);
  properties.has_grants = row.text(0, 7) == "t";
  properties.icu_rules = row.text(0, 8);
  properties.tablespace = row.text(0, 9);
  const std::string limit = row.text(0, 10);
  std::from_chars(limit.data(), limit.data() + limit.size(), properties.connection_limit);
  TRY_ASSIGN(const Rows settings, session.query(kSettings));
  for (std::size_t i = 0; i < settings.rows.size(); ++i) {
    properties.settings.push_back({settings.text(i, 0), settings.text(i, 1)});
  }
  TRY_ASSIGN(const Rows grants, session.query(kGrants));
  for (std::size_t i = 0; i < grants.rows.size(); ++i) {
    properties.grants.push_back({grants.text(i, 0), grants.text(i, 1), grants.text(i, 2) == "t"});
  }
  return properties;
}

Result<std::vector<std::string>> read_revisions(ReadSession& session, const std::string& version_table) {
  std::vector<std::string> revisions;
  if (version_table.empty()) {
    return revisions;
  }
  TRY_ASSIGN(const Rows rows, session.query("SELECT version_num::pg_catalog.text FROM " + version_table));
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    revisions.push_back(rows.text(i, 0));
  }
  std::ranges::sort(revisions);
  return revisions;
}

namespace {

// A table without this column is not the ledger's, so ignore it.
Result<std::optional<std::int64_t>> newest_row(Session& session, const std::string& history) {
  TRY_ASSIGN(const Rows rows,
             session.query("SELECT EXISTS (SELECT FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid WHERE"
                           " attrelid = to_regclass($1) AND relkind = 'r' AND attname = 'id' AND atttypid = 20)",
                           {history}));
  if (rows.text(0, 0) != "t") {
    return std::optional<std::int64_t>();
  }
  TRY_ASSIGN(const Rows newest, session.query("SELECT coalesce(max(id), 0) FROM " + history));
  const std::string text = newest.text(0, 0);
  std::int64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  return std::optional(id);
}

}  // namespace

Result<Snapshot> open_snapshot(Session& session, const std::string& version_table, const std::string& history) {
  // REPEATABLE READ: all queries of this transaction, and pg_dump with the exported snapshot, see the same moment.
  TRY(session.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  TRY_ASSIGN(const Rows rows, session.query("SELECT pg_export_snapshot(), CASE WHEN pg_is_in_recovery()"
                                            " THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text"));
  Snapshot snapshot;
  snapshot.id = rows.text(0, 0);
  snapshot.lsn = rows.text(0, 1);
  TRY_ASSIGN(snapshot.revisions, read_revisions(session, version_table));
  TRY_ASSIGN(snapshot.ledger_id, newest_row(session, history));
  return snapshot;
}

}  // namespace athanor
