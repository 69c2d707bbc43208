// After a lost connection: what is in the database, really?
//
// A transaction whose COMMIT was not answered either happened or did not. Its id, when it is known, is put to
// pg_xact_status() on a new session; then the migration lock is taken, which proves that the old session is over, and the
// ledger's rows of this run name every revision that committed. Nothing is guessed.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "migrations/execute/ledger.hpp"
#include "migrations/execute/migration_lock.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct LostRun {
  std::string run_id;
  std::string transaction_id;  // may be empty
  std::optional<bool> transaction_committed;
  std::vector<std::string> current_heads;  // of the database now
  std::set<std::string> committed;         // revisions of this run that are in the database
};

// Reconnects (for as long as the lock may be waited for) and resolves. The new session, with the lock, replaces the lost one.
[[nodiscard]] Result<LostRun> resolve_lost_run(SessionFactory& factory, Clock& clock, const StopToken& stop,
                                               const MigratorSettings& settings, const VersionTable& versions,
                                               const Ledger& ledger, const std::string& run_id,
                                               const std::string& transaction_id, std::unique_ptr<Session>& session);

}  // namespace athanor
