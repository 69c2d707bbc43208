// Restoring: a database is there under its name when it is whole, and not before.
//
// The dump is verified, restored into a new database under a name of its own, compared with what the manifest says, analysed,
// and only then given its name: to a new name with one rename, over an existing database by a swap of two names in one
// transaction. Up to the swap the old database works on untouched; from the moment it takes no new connections to the swap it
// is a matter of a second, and it is kept as <name>_before_<time>. Whatever fails before leaves nothing behind.
//
// A restore over an existing database holds its migration lock from the beginning to the swap, so that no migration is lost,
// and is refused while another run holds it.
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
  std::string database;        // what it is called afterwards
  bool replace = false;        // one of that name is there, and gives way
  bool drop_previous = false;  // the one that gave way is not kept
  int jobs = 1;                // pg_restore -j, where the store is a folder of this machine
  BackupJob backup;            // connection, programs, role, surroundings
};

// Sessions to any database of the server.
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
  std::string previous;  // what the old database is called now; empty: there was none, or it is dropped
  milliseconds duration{0};
};

// PolicyRefused when the name is taken and `replace` is not set, LockHeld while a migration runs there, BackupCorrupt when the
// dump is not whole or the result is not what it says, else BackupFailed or what the server said.
[[nodiscard]] Result<RestoreReport> restore_backup(const RestoreTools& tools, const RestoreJob& job);

}  // namespace athanor
