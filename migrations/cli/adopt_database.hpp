// `adopt database`: takes over a database that no migration tool manages. Its schema becomes the first revision, and the
// database is stamped with it.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"

namespace athanor::cli {

// Errors: PolicyRefused if the project already has revisions; ProofFailed if the baseline does not produce the same schema.
[[nodiscard]] Result<void> adopt_plain_database(CommandContext& context);

}  // namespace athanor::cli
