// One dump of a database at a time.
//
// Athanor's own dumps take turns by an advisory lock of their own, held by the session that took it. Those of others are known
// by their application name in pg_stat_activity. Both are waited for by polling, and said so. A session that waits holds no
// snapshot and no lock.
//
// Threads: the session's.
#pragma once

#include "migrations/backup/backup_progress.hpp"
#include "migrations/base/clock.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class DumpSlot {
 public:
  static constexpr int kClass = 0x61746872;  // "athr", as the migration lock
  static constexpr int kObject = 2;
  // What our pg_dump calls itself in pg_stat_activity.
  static constexpr const char* kApplication = "athanor pg_dump";

  // Waits until no other dump runs, at most `deadline`; then LockHeld names it. Interrupted when a stop is requested.
  [[nodiscard]] static Result<milliseconds> acquire(Session& session, Clock& clock, const StopToken& stop,
                                                    milliseconds deadline, BackupProgress& progress);
  // Errors are of no interest: the lock goes with the session.
  static void release(Session& session);
};

}  // namespace athanor
