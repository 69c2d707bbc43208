// Waits until revisions are applied, by polling the database.
//
// Conditions that may change are waited for: a server that is down, a rejected password, a missing database, version table or
// privilege. Other errors end the wait immediately. Each check opens its own connection, so a wait survives failovers and
// rotated passwords, and keeps no connection between checks.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/command_context.hpp"
#include "migrations/config/configuration.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor::cli {

struct DatabaseWait {
  std::vector<std::string> revisions;  // ids; all of them must be applied
  milliseconds timeout{300'000};       // 0: check once
  milliseconds interval{2'000};
  std::string password_file;  // read before each check; empty: none
};

// Succeeds once every revision is applied. `files` may be empty; only the ledger then knows the order of revisions. Errors:
// NotUpToDate if a revision is not applied when the time is over, UnknownDatabaseRevision if that cannot be determined, the
// last check's error if the database could not be queried, Interrupted. Errors that waiting cannot resolve are returned
// immediately.
[[nodiscard]] Result<void> wait_for_revisions(CommandContext& context, const Configuration& configuration,
                                              const DatabaseWait& wait, const RevisionGraph& files);

}  // namespace athanor::cli
