// The migration lock: one advisory lock per database, held by the session that migrates.
//
// The lock is polled. A session blocked in pg_advisory_lock() would hold a snapshot, for which CREATE INDEX CONCURRENTLY of the
// lock's holder would wait: a deadlock. The key is constant, so all runs on a database exclude each other, even with different
// version tables. The server releases the lock when the session ends: nothing needs renewing and nothing is left behind.
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

  // "class, object": the arguments of the advisory lock functions.
  [[nodiscard]] static const std::string& key();
  // SELECT pg_try_advisory_lock(…), for callers that send it together with other commands.
  [[nodiscard]] static Command try_command();

  struct Wait {
    milliseconds deadline{0};  // how long to wait; 0: a single attempt
    // Called before every pause; may be empty.
    std::function<void(const std::vector<Blocker>& holders, milliseconds waited)> report;
  };
  // Polls until this session holds the lock and returns how long that took. Errors: LockHeld, naming the holder, when the
  // deadline passes; Interrupted on a stop request.
  [[nodiscard]] static Result<milliseconds> acquire(Session& session, Clock& clock, const StopToken& stop, const Wait& wait);
  // Error: Internal if the lock was not held, because a statement of the run released it.
  [[nodiscard]] static Result<void> release(Session& session);
  // Queries whether this session holds the lock.
  [[nodiscard]] static Result<bool> is_held(ReadSession& session);
  // The sessions that hold this database's lock.
  [[nodiscard]] static Result<std::vector<Blocker>> holders(ReadSession& session);
};

}  // namespace athanor
