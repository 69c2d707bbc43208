// Runs the statements of a schema on an empty scratch database, pipelined, and reports the file and line of a statement that
// fails.
//
// Function bodies are not checked while loading, because they may name tables that are created later. recheck_bodies() checks
// them afterwards.
//
// Threads: one thread. Ownership: borrows the session.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/schema_files.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

// Error: DesiredSchemaFailed with the statement's place and the server's message.
[[nodiscard]] Result<void> load_statements(Session& session, std::span<const SchemaStatement> statements);
// Checks the bodies of SQL and PL/pgSQL functions by creating them again, and returns the server's complaints: "function
// shop.total(integer): relation \"x\" does not exist".
[[nodiscard]] Result<std::vector<std::string>> recheck_bodies(Session& session);
// Runs `commands` in one transaction. On an error, sets `failed` (if given) to the index of the failed command.
[[nodiscard]] Result<void> run_in_transaction(Session& session, std::vector<Command> commands, std::size_t* failed = nullptr);

}  // namespace athanor::schema
