// The migration lock: one advisory lock per database, held by the session that does the work.
//
// The lock is polled: a session blocked in pg_advisory_lock() holds a snapshot, and CREATE INDEX CONCURRENTLY of the lock's
// holder would wait for that snapshot, a deadlock. The key is a constant, so all runs on a database exclude each other,
// whatever their version tables are called. A lost session loses the lock: nothing has to be renewed and nothing is left
// behind.
//
// Threads: the session's thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/session/blocker.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class MigrationLock {
 public:
  static constexpr int kClass = 0x61746872;  // "athr"
  static constexpr int kObject = 1;

  // "class, object": the arguments of the lock functions.
  [[nodiscard]] static const std::string& key();
  // SELECT pg_try_advisory_lock(…), for callers that send it together with something else.
  [[nodiscard]] static Command try_command();

  struct Wait {
    milliseconds deadline{0};  // how long to wait; 0: one attempt
    // Called before every pause; may be empty.
    std::function<void(const std::vector<Blocker>& holders, milliseconds waited)> report;
  };
  // Polls until the lock is held. LockHeld names the holder when the deadline passes, Interrupted when a stop is requested.
  // Returns how long it waited.
  [[nodiscard]] static Result<milliseconds> acquire(Session& session, Clock& clock, const StopToken& stop, const Wait& wait);
  // Internal when the lock was not held: a statement of the run released it.
  [[nodiscard]] static Result<void> release(Session& session);
  // Asks the server whether this session holds the lock.
  [[nodiscard]] static Result<bool> is_held(ReadSession& session);
  // The sessions that hold the lock of this database.
  [[nodiscard]] static Result<std::vector<Blocker>> holders(ReadSession& session);
};

}  // namespace athanor
