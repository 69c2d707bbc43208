#include "migrations/rehearse/containment.hpp"

#include <string>

#include "migrations/plan/plan_reach.hpp"

namespace athanor {
namespace {

Error too_far(const FarStatement& statement) {
  const bool outside = statement.reach.outside;
  const std::string what = outside ? "it reaches outside the server: a program, a file or another server"
                                   : "it changes the server and not only the database: roles, databases, tablespaces, "
                                     "settings, sessions";
  return Error(ErrorCode::PolicyRefused, statement.sql + " cannot be undone after a rehearsal: " + what)
      .at(statement.place)
      .advise(outside ? "do it outside of revisions, or run this plan without a rehearsal"
                      : "do it outside of revisions, as the server is set up, or run this plan without a rehearsal");
}

constexpr std::string_view kSameServer =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) $1)";
// What the role can become counts as what it is.
constexpr std::string_view kPowers =
    "SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_roles AS p WHERE (p.rolsuper OR p.rolcreaterole OR p.rolreplication) "
    "AND pg_catalog.pg_has_role(r.oid, p.oid, 'MEMBER')) THEN 'is a superuser, may create roles or replicate, or is a member "
    "of "
    "such a role' WHEN EXISTS (SELECT FROM pg_catalog.pg_roles AS p WHERE p.rolname OPERATOR(pg_catalog.=) "
    "ANY('{pg_execute_server_program,pg_read_server_files,pg_write_server_files,pg_signal_backend,pg_read_all_data,"
    "pg_write_all_data}'::pg_catalog.name[]) AND pg_catalog.pg_has_role(r.oid, p.oid, 'MEMBER')) THEN 'is a member of a "
    "predefined role for programs, files, sessions or all data' WHEN EXISTS (SELECT FROM pg_catalog.pg_database AS d WHERE "
    "d.datname OPERATOR(pg_catalog.!~) '^athanor_scratch_' AND pg_catalog.pg_has_role(r.oid, d.datdba, 'MEMBER')) THEN 'owns "
    "another database, or is a member of its owner' ELSE '' END FROM pg_catalog.pg_roles AS r WHERE r.rolname "
    "OPERATOR(pg_catalog.=) session_user";

}  // namespace

Result<void> check_containment(const Plan& plan, bool throwaway_server) {
  // A rehearsal goes back, too.
  const auto found = first_far_statement(plan, {.server = !throwaway_server, .downgrades = true});
  return found ? fail(too_far(*found)) : Result<void>();
}

Result<void> check_scratch_role(Session& live, const schema::ScratchDatabase& copy, ScratchRole allowed) {
  TRY_ASSIGN(const Rows found, live.query(kSameServer, {copy.name()}));
  const bool own = found.text(0, 0) == "t";
  if (!own && allowed == ScratchRole::AnyElsewhere) {
    return {};
  }
  TRY_ASSIGN(const auto session, copy.open());
  TRY_ASSIGN(const Rows power, session->query(kPowers));
  if (!power.rows.empty() && power.text(0, 0).empty()) {
    return {};
  }
  const std::string role = "the role of its URL " + (power.rows.empty() ? std::string("is unknown") : power.text(0, 0)) +
                           ": a rehearsal could change more than its scratch database";
  const std::string advice = "name a role that can only create databases (CREATE ROLE … LOGIN CREATEDB), or ";
  return fail(Error(ErrorCode::ScratchUnavailable, own ? "the scratch server is the database's own, and " + role
                                                       : "the scratch server must be protected: " + role)
                  .with_retry(RetryClass::Terminal)
                  .advise(advice + (own ? "another server"
                                        : "label the Secret of a server that is for scratch databases only: "
                                          "athanor.dev/scratch-server: \"true\"")));
}

}  // namespace athanor
