// What both modes take from the process: environment, database connections, what child processes inherit.
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

// Empty when it is not set.
[[nodiscard]] std::optional<std::string> environment_variable(const std::string& name);
// Removes from the process's environment what libpq and PostgreSQL's programs use where a URL says nothing (PGPASSWORD,
// PGSERVICE, …). Call before there are threads.
void forget_database_environment();
[[nodiscard]] Result<std::unique_ptr<SessionFactory>> connect_to_database(const std::string& url,
                                                                          const ExecutionSettings& settings,
                                                                          const StopToken& stop);
// For pg_dump and the like: the whole environment of this process.
[[nodiscard]] ProgramEnvironment program_environment();
// Null with --listen off. Io when the address cannot be used, Configuration when the certificate cannot. `review`: of tokens
// for /metrics; empty: none is asked for.
[[nodiscard]] Result<std::unique_ptr<Listener>> open_listener(const Options& options, ListenerHandlers handlers, Clock& clock,
                                                              const Log& log, ReviewToken review = {});

}  // namespace athanor::controller
