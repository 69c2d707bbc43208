// Restores a backup so that a database appears under its name only when it is complete.
//
// The dump is verified, restored into a new database under a temporary name, compared with the manifest and analysed. Only then
// does it get its name: by one rename for a new name, or by swapping two names in one transaction over an existing database.
// The old database works normally until shortly before the swap; it accepts no connections for about a second, and is kept as
// <name>_before_<time>. A failure before the swap leaves nothing behind.
//
// A restore over an existing database holds its migration lock from the beginning to the swap, so that no migration is lost. It
// is refused while a migration runs.
//
// Threads: blocks the calling thread, which also starts pg_restore. Ownership: borrows everything.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "migrations/backup/backup.hpp"

namespace athanor {

struct RestoreJob {
  std::string reference;       // file name or run id
  std::string database;        // the name of the database afterwards
  bool replace = false;        // an existing database of that name is replaced
  bool drop_previous = false;  // the replaced database is dropped
  int jobs = 1;                // pg_restore -j, if the store is a local folder
  BackupJob backup;            // connection, programs, role, environment
};

// Opens sessions to any database of the server.
using ConnectTo = std::function<Result<std::unique_ptr<SessionFactory>>(const std::string& database)>;

struct RestoreTools {
  BackupStore& store;
  ConnectTo connect;
  Clock& clock;
  BackupProgress& progress;
  StopToken stop;
};

struct RestoreReport {
  BackupRecord record;
  std::string database;
  std::string previous;  // the old database's new name; empty: there was none, or it was dropped
  milliseconds duration{0};
};

// Errors: PolicyRefused when the name is taken and `replace` is not set; LockHeld while a migration runs; BackupCorrupt when
// the dump is incomplete or the result differs from the manifest; otherwise BackupFailed or the server's error.
[[nodiscard]] Result<RestoreReport> restore_backup(const RestoreTools& tools, const RestoreJob& job);

}  // namespace athanor
