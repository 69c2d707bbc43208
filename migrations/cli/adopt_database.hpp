// `adopt database`: a database that no tool migrated. Its schema becomes the first revision, and it is stamped there.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"

namespace athanor::cli {

// PolicyRefused when the project has revisions already; ProofFailed when the baseline does not make the same schema.
[[nodiscard]] Result<void> adopt_plain_database(CommandContext& context);

}  // namespace athanor::cli
