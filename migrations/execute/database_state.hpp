// Looks at a database: one round trip for what exists, one for what it holds.
#pragma once

#include <optional>
#include <string>

#include "migrations/execute/ledger.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/execute/observation.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct DatabaseState {
  Observation observation;
  bool has_ledger_schema = false;
  bool has_step_table = false;
};

// Tells the ledger which version table it is about. `identify`: asks which database it is, too, which a session that has just
// been made pays for.
[[nodiscard]] Result<DatabaseState> observe_state(Session& session, const MigratorSettings& settings,
                                                  const VersionTable& versions, Ledger& ledger, bool identify);

// What came of taking the lock and looking at once. Without a state, one has to look again: the lock is somebody else's, or
// there is something else to be read than before.
struct LockedState {
  bool locked = false;
  std::optional<DatabaseState> state;
};

// Both in one round trip, for whom an earlier look has told what there is to be read. The lock is taken before anything is
// read.
[[nodiscard]] Result<LockedState> lock_and_observe(Session& session, const MigratorSettings& settings,
                                                   const VersionTable& versions, Ledger& ledger, const DatabaseState& before);

// Whether the run needs the ledger's step table. It costs four files on the server's disk, so it is created only in databases
// that get a revision of several steps.
enum class NeedStepTable { No, Yes };

// Creates what is missing of version table and ledger, in one transaction. The caller holds the lock.
[[nodiscard]] Result<void> create_missing(Session& session, const DatabaseState& state, const VersionTable& versions,
                                          const Ledger& ledger, NeedStepTable need = NeedStepTable::No);

}  // namespace athanor
