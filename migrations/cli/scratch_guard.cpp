#include "migrations/cli/scratch_guard.hpp"

#include <string>
#include <utility>

#include "migrations/plan/plan_reach.hpp"
#include "migrations/plan/statement.hpp"

namespace athanor::cli {
namespace {

// Empty if the role may not call the function.
Result<std::string> system_identifier(CommandContext& context, const std::string& url, const ExecutionSettings& settings) {
  TRY_ASSIGN(const auto factory, context.outside().connect(url, settings));
  TRY_ASSIGN(const auto session, factory->open());
  const auto rows = session->query("SELECT (pg_catalog.pg_control_system()).system_identifier::pg_catalog.text");
  if (!rows) {
    return rows.error().sqlstate == "42501" ? Result<std::string>(std::string()) : fail(rows.error());
  }
  return rows->text(0, 0);
}

}  // namespace

Result<ScratchGuard::Server> ScratchGuard::compare() const {
  const std::string& scratch = configuration_.schema.scratch_url;
  if (scratch.empty()) {
    return configuration_.schema.scratch_on_target ? Server::Own : Server::Separate;
  }
  if (configuration_.database_url.empty()) {
    return Server::Separate;
  }
  ExecutionSettings settings = configuration_.execution;
  settings.application_name = "athanor scratch";
  TRY_ASSIGN(const std::string target, system_identifier(context_, configuration_.database_url, settings));
  settings.role.clear();  // may not exist there
  TRY_ASSIGN(const std::string other, system_identifier(context_, scratch, settings));
  if (target.empty() || other.empty()) {
    return Server::Unknown;
  }
  return target == other ? Server::Own : Server::Separate;
}

Result<ScratchGuard::Server> ScratchGuard::server() {
  if (!server_) {
    TRY_ASSIGN(server_, compare());
  }
  return *server_;
}

bool ScratchGuard::concerns() const {
  return !configuration_.schema.scratch_url.empty() || configuration_.schema.scratch_on_target;
}

Result<void> ScratchGuard::check(const Plan& plan) {
  const auto found = concerns() ? first_far_statement(plan, {}) : std::nullopt;
  return found ? refuse(*found) : Result<void>();
}

Result<void> ScratchGuard::check(std::span<const schema::SchemaStatement> statements) {
  constexpr std::size_t kShown = 80;
  if (!concerns()) {
    return {};
  }
  for (const schema::SchemaStatement& statement : statements) {
    const StatementReach reach = reach_of(statement.sql);
    if (reach.server || reach.outside) {
      return refuse({statement.place, sanitise_sql(statement.sql, kShown), reach});
    }
  }
  return {};
}

Result<void> ScratchGuard::refuse(const FarStatement& found) {
  TRY_ASSIGN(const Server where, server());
  if (where == Server::Separate) {
    return {};
  }
  const std::string reason = found.reach.server ? " is about the server (roles, databases, tablespaces, settings, sessions)"
                                                : " reaches outside the server (a program, a file, another server)";
  const std::string server = where == Server::Own ? ", and the scratch databases are on the target's own server"
                                                  : ", and whether scratch_url is the target's own server cannot be seen: "
                                                    "pg_control_system() may not be called";
  return fail(Error(ErrorCode::ScratchUnavailable, found.sql + reason + server + ": nothing was run")
                  .with_retry(RetryClass::Terminal)
                  .at(found.place)
                  .advise("remove scratch_on_target and scratch_url, so that a temporary server is used, or name another "
                          "server in scratch_url"));
}

}  // namespace athanor::cli
