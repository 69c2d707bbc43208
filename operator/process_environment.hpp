// What both modes use of the process: environment, database connections, the environment of child processes.
//
// Threads: safe from any thread while no thread changes the environment.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "operator/backup/folder_backups.hpp"
#include "operator/options.hpp"
#include "operator/reconcile/allowed_hosts.hpp"
#include "operator/serve/listener.hpp"

namespace athanor::controller {

// Returns nullopt when the variable is not set.
[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);
// Removes the variables that libpq and PostgreSQL's programs use as defaults (PGPASSWORD, PGSERVICE, …) from the process's
// environment. Call it before there are threads.
void forget_database_environment();
// Returns a factory of sessions to this database; does not connect yet.
[[nodiscard]] Result<std::unique_ptr<SessionFactory>> connect_to_database(const std::string& url,
                                                                          const ExecutionSettings& settings,
                                                                          const StopToken& stop);
// Returns a maker of sessions as connect_to_database() opens them, which refuses hosts that `hosts` does not allow with
// PolicyRefused before it connects.
[[nodiscard]] SessionFactoryMaker connect_to_allowed(AllowedHosts hosts);
// Returns the environment for pg_dump and similar programs: the whole environment of this process.
[[nodiscard]] ProgramEnvironment program_environment();
// Opens the HTTP listener; null with --listen off. Errors: Io when the address cannot be used, Configuration when the
// certificate cannot. `review`: checks tokens for /metrics; empty: no token is required.
[[nodiscard]] Result<std::unique_ptr<Listener>> open_listener(const Options& options, ListenerHandlers handlers, Clock& clock,
                                                              const Log& log, ReviewToken review = {});

}  // namespace athanor::controller
