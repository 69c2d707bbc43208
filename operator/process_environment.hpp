// What both houses take from the process: environment, database connections, what started programs inherit.
//
// Threads: safe from any thread, as long as nobody changes the environment.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "operator/backup/folder_backups.hpp"
#include "operator/options.hpp"
#include "operator/serve/listener.hpp"

namespace athanor::controller {

[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);
// Takes out of the process's environment what libpq and the programs of PostgreSQL would fill in where a URL says nothing
// (PGPASSWORD, PGSERVICE, …). Before there are threads.
void forget_database_environment();
[[nodiscard]] Result<std::unique_ptr<SessionFactory>> connect_to_database(const std::string& url,
                                                                          const ExecutionSettings& settings);
[[nodiscard]] ProgramEnvironment program_environment();
// Null when the operator was told not to listen.
[[nodiscard]] Result<std::unique_ptr<Listener>> open_listener(const Options& options, ListenerHandlers handlers);

}  // namespace athanor::controller
