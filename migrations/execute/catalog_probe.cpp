#include "migrations/execute/catalog_probe.hpp"

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

using Kind = RecoveryProbe::Kind;

// $1 name, $2 schema or '' for the search path.
constexpr std::string_view kSchemaMatches =
    "(n.nspname = $2 OR ($2 = '' AND n.nspname = ANY (current_schemas(false)::text[])))";

std::string index_query() {
  return "SELECT i.indisvalid, n.nspname, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
         " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1 AND " +
         std::string(kSchemaMatches);
}

Result<ProbeState> probe_index(ReadSession& session, const RecoveryProbe& what) {
  TRY_ASSIGN(const Rows rows, session.query(index_query(), {what.object, what.schema}));
  if (rows.empty()) {
    return ProbeState::Absent;
  }
  return rows.text(0, 0) == "t" ? ProbeState::Valid : ProbeState::Invalid;
}

Result<ProbeState> probe_exists(ReadSession& session, const std::string& sql, const Parameters& parameters) {
  TRY_ASSIGN(const Rows rows, session.query(sql, parameters));
  return rows.empty() ? ProbeState::Absent : ProbeState::Valid;
}

Result<ProbeState> probe_detach(ReadSession& session, const RecoveryProbe& what) {
  TRY_ASSIGN(const Rows rows,
             session.query("SELECT h.inhdetachpending FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid"
                           " JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace"
                           " WHERE p.relname = $1 AND c.relname = $3 AND " +
                               std::string(kSchemaMatches),
                           {what.object, what.schema, what.value}));
  if (rows.empty()) {
    return ProbeState::Absent;
  }
  return rows.text(0, 0) == "t" ? ProbeState::Invalid : ProbeState::Valid;
}

// A failed REINDEX CONCURRENTLY leaves INVALID copies named <index>_ccnew or _ccold; for a table, one per index.
constexpr std::string_view kReindexLeftovers =
    "SELECT n.nspname, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND (t.relname = $1 OR c.relname LIKE $3)"
    " AND (n.nspname = $2 OR ($2 = '' AND n.nspname = ANY (current_schemas(false)::text[])))";

Result<void> drop_indexes(Session& session, const Rows& names, std::size_t schema_column) {
  for (std::size_t i = 0; i < names.rows.size(); ++i) {
    TRY(session.execute_autocommit("DROP INDEX CONCURRENTLY IF EXISTS " +
                                   qualified_name(names.text(i, schema_column), names.text(i, schema_column + 1))));
  }
  return {};
}

}  // namespace

std::string probe_state_name(ProbeState state) {
  switch (state) {
    case ProbeState::Absent:
      return "absent";
    case ProbeState::Valid:
      return "valid";
    case ProbeState::Invalid:
      return "invalid";
    case ProbeState::Unknown:
      break;
  }
  return "unknown";
}

Result<ProbeState> probe(ReadSession& session, const RecoveryProbe& what) {
  switch (what.kind) {
    case Kind::CreateIndexConcurrently:
    case Kind::DropIndexConcurrently:
      if (what.object.empty()) {
        return ProbeState::Unknown;
      }
      return probe_index(session, what);
    case Kind::AddEnumValue:
      return probe_exists(session,
                          "SELECT 1 FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid ="
                          " t.typnamespace WHERE t.typname = $1 AND e.enumlabel = $3 AND " +
                              std::string(kSchemaMatches),
                          {what.object, what.schema, what.value});
    case Kind::DetachPartitionConcurrently:
      return probe_detach(session, what);
    case Kind::CreateDatabase:
    case Kind::DropDatabase:
      return probe_exists(session, "SELECT 1 FROM pg_database WHERE datname = $1", {what.object});
    case Kind::ReindexConcurrently:
    case Kind::Repeatable:
    case Kind::Unknown:
      break;
  }
  return ProbeState::Unknown;
}

Result<void> clear_half_built(Session& session, const RecoveryProbe& what) {
  switch (what.kind) {
    case Kind::CreateIndexConcurrently: {
      TRY_ASSIGN(const Rows found, session.query(index_query() + " AND NOT i.indisvalid", {what.object, what.schema}));
      return drop_indexes(session, found, 1);
    }
    case Kind::ReindexConcurrently: {
      TRY_ASSIGN(const Rows found, session.query(kReindexLeftovers, {what.object, what.schema, what.object + "\\_cc%"}));
      return drop_indexes(session, found, 0);
    }
    default:
      return {};
  }
}

Verdict judge(const RecoveryProbe& what, const std::string& state_before, ProbeState state_now) {
  switch (what.kind) {
    case Kind::Repeatable:
    case Kind::ReindexConcurrently:
      return Verdict::RunAgain;
    case Kind::CreateIndexConcurrently:
    case Kind::AddEnumValue:
    case Kind::CreateDatabase:
      if (state_now == ProbeState::Unknown) {
        return Verdict::AskHuman;
      }
      // It was there before we began: running again gives the server's own error instead of a wrong "done".
      return state_now == ProbeState::Valid && state_before != "valid" ? Verdict::Done : Verdict::RunAgain;
    case Kind::DropIndexConcurrently:
    case Kind::DetachPartitionConcurrently:
    case Kind::DropDatabase:
      if (state_now == ProbeState::Unknown) {
        return Verdict::AskHuman;
      }
      return state_now == ProbeState::Absent && state_before != "absent" ? Verdict::Done : Verdict::RunAgain;
    case Kind::Unknown:
      break;
  }
  return Verdict::AskHuman;
}

}  // namespace athanor
