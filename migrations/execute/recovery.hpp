// Finds out what a run left in the database after its connection was lost.
//
// A transaction whose COMMIT was not answered either committed or did not. A new session asks pg_xact_status() about its id,
// when the id is known. Then it takes the migration lock, which proves that the old session has ended, and reads the ledger's
// rows of this run, which name every revision that committed. Nothing is guessed.
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
  const std::string& transaction_id;  // whose COMMIT was not answered; empty when it is not known
};

struct ResolvedRun {
  std::optional<bool> transaction_committed;  // empty when the server could not tell
  std::vector<std::string> current_heads;
  std::set<std::string> committed;  // revisions of this run that are in the database
};

// Reconnects, retrying for as long as the migration lock may be waited for, and asks the database. `session` is replaced by the
// new session, which holds the lock. An error means that the database could not be asked; `session` may then be null.
[[nodiscard]] Result<ResolvedRun> resolve_lost_run(const LostRun& run, SessionFactory& factory, Clock& clock,
                                                   const StopToken& stop, std::unique_ptr<Session>& session);

}  // namespace athanor
