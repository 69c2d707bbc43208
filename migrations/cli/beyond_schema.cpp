#include "migrations/cli/beyond_schema.hpp"

#include "migrations/plan/server_statement.hpp"

namespace athanor::cli {
namespace {

Error lost(const std::string& what) {
  return Error(ErrorCode::SchemaChangeRefused, what).advise("nothing was written; write the baseline by hand");
}

}  // namespace

Result<void> refuse_server_objects(const Plan& plan) {
  for (const PlannedRevision& revision : plan.revisions) {
    for (const ScriptStep& step : revision.steps()) {
      for (const SqlStatement& statement : step.statements) {
        if (is_about_server(statement.sql)) {
          return fail(lost("the statement concerns roles, a whole database or the server, and a baseline would lose it")
                          .at(revision.path + ":" + std::to_string(statement.line))
                          .advise("nothing was written; run the statement outside of revisions when the server is set up, or "
                                  "squash up to a revision before it: --to"));
        }
      }
    }
  }
  return {};
}

Result<void> refuse_database_settings(ReadSession& session) {
  TRY_ASSIGN(
      const Rows rows,
      session.query("SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata),"
                    " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_database AS d"
                    " ON d.oid OPERATOR(pg_catalog.=) s.setdatabase"
                    " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"));
  if (rows.text(0, 0) != "0") {
    return fail(lost("the revisions create large objects, and a baseline would lose them"));
  }
  if (rows.text(0, 1) != "0") {
    return fail(lost("the revisions change settings of the database (ALTER DATABASE … SET), and a baseline would lose them"));
  }
  return {};
}

}  // namespace athanor::cli
