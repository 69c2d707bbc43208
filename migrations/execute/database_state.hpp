// Observes a database in two round trips: first which tables exist, then their contents.
//
// Threads: the session's. Ownership: borrows all arguments for the call.
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
  std::size_t version_width = 0;   // characters that version_num holds; without a limit, those of the longest id
  bool superuser = false;          // whether the migrator's role is a superuser
  std::optional<Error> pooled;     // why this connection must not take a lock; reading is still correct
  std::optional<Error> untrusted;  // why nothing may be written here: UntrustedTable
};

// Only a run needs DatabaseState::version_width.
enum class VersionWidth { Skip, Read };

// Takes no lock and changes nothing in the database. Sets the schema of the version table, in `versions` and `ledger`, to the
// schema that the server resolved. `identify` fills Observation::identity, which makes a fresh backend load one more catalog.
// Errors: UntrustedTable when reading a table could run another role's code; errors of the server.
[[nodiscard]] Result<DatabaseState> observe_state(Session& session, const MigratorSettings& settings, VersionTable& versions,
                                                  Ledger& ledger, bool identify, VersionWidth width);

// Without a state, observe the database again: another session holds the lock, or tables were created or dropped since.
struct LockedState {
  bool locked = false;
  std::optional<DatabaseState> state;
};

// Tries to take the lock and observes, in one round trip; `before` says which tables to read. The server takes the lock before
// it reads, so the state is that of the locked database.
[[nodiscard]] Result<LockedState> lock_and_observe(Session& session, const MigratorSettings& settings, VersionTable& versions,
                                                   Ledger& ledger, const DatabaseState& before);

// Whether the run needs the ledger's step table. The table costs four files on the server's disk, so it is created only in
// databases that get a revision of several steps.
enum class NeedStepTable { No, Yes };

// Creates the missing tables of version table and ledger, in one transaction, and returns all tables. The caller holds the
// lock. Errors: InsufficientPrivilege with the GRANT that is missing; UntrustedTable when another role created a table first.
[[nodiscard]] Result<OwnTables> create_missing(Session& session, const MigratorSettings& settings, const DatabaseState& state,
                                               const VersionTable& versions, const Ledger& ledger,
                                               NeedStepTable need = NeedStepTable::No);

}  // namespace athanor
