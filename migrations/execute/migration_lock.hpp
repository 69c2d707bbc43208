// The migration lock: one advisory lock per database, held by the session that does the work.
//
// It is polled, never waited for: a session blocked in pg_advisory_lock holds a snapshot, which deadlocks with CREATE INDEX
// CONCURRENTLY. The key is a constant, so every run on a database excludes every other, whatever its version table is called.
// Losing the session loses the lock, and with it the right to work: there is nothing to renew and nothing to leave behind.
#pragma once

#include <functional>
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

  // SELECT pg_try_advisory_lock(…), for callers that send it together with something else.
  [[nodiscard]] static Command try_command();

  struct Wait {
    milliseconds deadline{0};
    std::function<void(const std::vector<Blocker>& holders, milliseconds waited)> report;
  };
  // Polls until the lock is held. LockHeld names the holder when the deadline passes, Interrupted when a stop is requested.
  // Returns how long it waited.
  [[nodiscard]] static Result<milliseconds> acquire(Session& session, Clock& clock, const StopToken& stop, const Wait& wait);
  // Releases it; false from the server (we did not hold it) is an error.
  [[nodiscard]] static Result<void> release(Session& session);
  // Whether this session holds it: the server answers, for whoever sat idle with it meanwhile.
  [[nodiscard]] static Result<bool> is_held(ReadSession& session);
  [[nodiscard]] static Result<std::vector<Blocker>> holders(ReadSession& session);
};

}  // namespace athanor
