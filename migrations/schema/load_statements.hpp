// Runs the statements of a schema on an empty scratch database, pipelined, and says of the one that fails in which file and
// line it stands.
//
// Bodies of functions are not checked while they are loaded, because they may name tables that come later; recheck_bodies()
// does it afterwards.
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

// DesiredSchemaFailed with the statement's place and the server's words.
[[nodiscard]] Result<void> load_statements(Session& session, std::span<const SchemaStatement> statements);
// What the server says of bodies that do not check: "function shop.total(integer): relation \"x\" does not exist".
[[nodiscard]] Result<std::vector<std::string>> recheck_bodies(Session& session);
// Runs `commands` in one transaction. The error has the failed command's number in `failed`, when that is given.
[[nodiscard]] Result<void> run_in_transaction(Session& session, std::vector<Command> commands, std::size_t* failed = nullptr);

}  // namespace athanor::schema
