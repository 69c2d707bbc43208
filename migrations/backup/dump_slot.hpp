// Allows one dump of a database at a time.
//
// Athanor's own dumps take turns with an advisory lock, held by the session that takes the backup. Dumps by other tools are
// recognised by their application name in pg_stat_activity. Both are polled and reported. A waiting session holds no snapshot
// and no lock that a dump needs.
//
// Threads: the session's.
#pragma once

#include "migrations/backup/backup_progress.hpp"
#include "migrations/base/clock.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class DumpSlot {
 public:
  static constexpr int kClass = 0x61746872;  // "athr", like the migration lock
  static constexpr int kObject = 2;
  // The application_name of our pg_dump in pg_stat_activity.
  static constexpr const char* kApplication = "athanor pg_dump";

  // Waits until no other dump runs and returns how long that took. Errors: LockHeld, naming the dump, after `deadline`;
  // Interrupted on a stop request.
  [[nodiscard]] static Result<milliseconds> acquire(Session& session, Clock& clock, const StopToken& stop,
                                                    milliseconds deadline, BackupProgress& progress);
  // Ignores errors: the lock ends with the session in any case.
  static void release(Session& session);
};

}  // namespace athanor
