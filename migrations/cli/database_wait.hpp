// Waiting until revisions are applied, by looking at the database again and again.
//
// Whatever may heal while somebody waits is waited for: a server that is down, a password that is refused, a database, a
// version table or a right that is not there yet. What cannot heal by itself ends the wait at once. Each look has a connection
// of its own: a wait outlives fail-overs and rotated passwords, and holds nothing between two looks.
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
  milliseconds timeout{300'000};       // 0: look once
  milliseconds interval{2'000};
  std::string password_file;  // read before each look; empty: none
};

// Success once every revision is applied. `files` may be empty: the ledger alone then says what descends from what.
// Errors: NotUpToDate when the time is over and a revision is not applied, UnknownDatabaseRevision when nobody can tell, the
// last look's own error when the database could not be asked, Interrupted; and at once those that waiting does not heal.
[[nodiscard]] Result<void> wait_for_revisions(CommandContext& context, const Configuration& configuration,
                                              const DatabaseWait& wait, const RevisionGraph& files);

}  // namespace athanor::cli
