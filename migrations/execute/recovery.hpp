// Finds out what a run committed before its connection was lost.
//
// A transaction whose COMMIT was not answered either committed or did not. A new session queries pg_xact_status() for its id,
// if the id is known. Then it takes the migration lock, which proves that the old backend has ended, and reads the ledger's
// rows of this run: they name every revision that committed.
//
// Threads: the migrator's thread. Ownership: borrows everything for the call.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/execute/ledger.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// The run that lost its connection.
struct LostRun {
  const MigratorSettings& settings;
  const VersionTable& versions;
  const Ledger& ledger;
  const std::string& run_id;
  const std::string& transaction_id;  // of the COMMIT that was not answered; empty when unknown
};

struct ResolvedRun {
  std::optional<bool> transaction_committed;  // empty when the server could not tell
  std::vector<std::string> current_heads;
  std::set<std::string> committed;  // revisions that this run committed
};

// Reconnects, retrying for up to execution.lock_wait, and queries the database. Replaces `session` by the new session, which
// holds the lock. On an error the database could not be queried; `session` may then be null.
[[nodiscard]] Result<ResolvedRun> resolve_lost_run(const LostRun& run, SessionFactory& factory, Clock& clock,
                                                   const StopToken& stop, std::unique_ptr<Session>& session);

}  // namespace athanor
