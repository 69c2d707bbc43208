// `history --applied` and `show REVISION --applied`: what the ledger recorded about the applied revisions. Reads only the
// database, so no files are needed.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"

namespace athanor::cli {

// Lists them newest first, with time and actor. Also names applied revisions that the ledger knows nothing about.
[[nodiscard]] Result<void> list_applied(CommandContext& context);
// Prints the text that was run. `symbol` is an id or a unique prefix of one. Errors: UnknownRevision if it is not applied,
// NotRenderable if its text was not kept.
[[nodiscard]] Result<void> show_applied(CommandContext& context, const std::string& symbol);

}  // namespace athanor::cli
