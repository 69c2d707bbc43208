// Observes a database in two round trips: what exists, then what it holds.
//
// Threads: the session's. Ownership: borrows everything for the call.
#pragma once

#include <optional>
#include <string>

#include "migrations/execute/ledger.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/execute/observation.hpp"
#include "migrations/execute/own_tables.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct DatabaseState {
  Observation observation;
  bool has_ledger_schema = false;
  bool has_step_table = false;
  OwnTables tables;
  bool superuser = false;          // the migrator is one
  std::optional<Error> pooled;     // why no lock may be taken through this connection; reading is right all the same
  std::optional<Error> untrusted;  // why nothing may be written here: UntrustedTable
};

// Takes no lock and changes nothing, but sets the schema of the version table, here and in the ledger, to the one the server
// resolved. `identify` fills Observation::identity, which makes a fresh session load another catalog. Errors:
// UntrustedTable when reading a table could run code of somebody else, and those of the server.
[[nodiscard]] Result<DatabaseState> observe_state(Session& session, const MigratorSettings& settings, VersionTable& versions,
                                                  Ledger& ledger, bool identify);

// Without a state the database must be observed again: another session holds the lock, or tables have come or gone since.
struct LockedState {
  bool locked = false;
  std::optional<DatabaseState> state;
};

// Tries to take the lock and observes, in one round trip; `before` says which tables there are to read. The server takes the
// lock before it reads, so the state is that of a locked database.
[[nodiscard]] Result<LockedState> lock_and_observe(Session& session, const MigratorSettings& settings, VersionTable& versions,
                                                   Ledger& ledger, const DatabaseState& before);

// Whether the run needs the ledger's step table. It costs four files on the server's disk, so it is created only in databases
// that get a revision of several steps.
enum class NeedStepTable { No, Yes };

// Creates what is missing of version table and ledger, in one transaction, and returns the tables. The caller holds the lock.
// InsufficientPrivilege says what to grant; UntrustedTable: somebody else was quicker.
[[nodiscard]] Result<OwnTables> create_missing(Session& session, const MigratorSettings& settings, const DatabaseState& state,
                                               const VersionTable& versions, const Ledger& ledger,
                                               NeedStepTable need = NeedStepTable::No);

}  // namespace athanor
