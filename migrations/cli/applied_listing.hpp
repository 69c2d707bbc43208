// `history --applied` and `show REVISION --applied`: what the ledger recorded of the revisions that are applied now. Reads the
// database alone; there may be no files.
//
// Threads: one thread.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"

namespace athanor::cli {

// Newest first, with time and actor. Revisions that the ledger cannot tell of are named.
[[nodiscard]] Result<void> list_applied(CommandContext& context);
// The text that was run. `symbol`: an id or a unique prefix of one. UnknownRevision when it is not applied, NotRenderable when
// its text was not kept.
[[nodiscard]] Result<void> show_applied(CommandContext& context, const std::string& symbol);

}  // namespace athanor::cli
