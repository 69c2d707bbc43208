// Whether a replica lags more than it may.
//
// pg_stat_replication tells replay_lag while a replica answers; it is NULL for one that has caught up, and for one that has not
// replayed anything since the server began to measure. The latter is told by its position: what was written `limit` ago must
// have been replayed.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <optional>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class ReplicaLag {
 public:
  // `limit`: how far a replica may lag; 0: it is not looked at.
  ReplicaLag(Clock& clock, milliseconds limit) : clock_(&clock), limit_(limit) {}

  [[nodiscard]] milliseconds limit() const { return limit_; }
  // InsufficientPrivilege, with what to grant, when the session's role may not see how far replicas lag: it would see none.
  [[nodiscard]] static Result<void> require_visible(ReadSession& session);
  // How far the last replica lags when that is more than the limit; nothing otherwise.
  [[nodiscard]] Result<std::optional<milliseconds>> exceeded(ReadSession& session);

 private:
  struct Mark {
    std::string position;  // of the WAL
    SteadyTime at;
  };

  Clock* clock_;
  milliseconds limit_;
  std::optional<Mark> mark_;  // the last position that every replica without a replay_lag had replayed, or was young
};

}  // namespace athanor
