// Checks whether a replica lags more than allowed.
//
// pg_stat_replication reports replay_lag while a replica confirms WAL. It is NULL for a replica that has caught up, and for one
// that has replayed nothing since the server began to measure. The latter is recognised by its position: WAL that existed
// `limit` ago must have been replayed.
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
  // `limit`: the allowed lag; 0 disables the check.
  ReplicaLag(Clock& clock, milliseconds limit) : clock_(&clock), limit_(limit) {}

  [[nodiscard]] milliseconds limit() const { return limit_; }
  // Error: InsufficientPrivilege, with the GRANT that is missing, when the role may not see the lag of replicas:
  // pg_stat_replication would then show it none.
  [[nodiscard]] static Result<void> require_visible(ReadSession& session);
  // The lag of the slowest replica if it exceeds the limit; empty otherwise.
  [[nodiscard]] Result<std::optional<milliseconds>> exceeded(ReadSession& session);

 private:
  struct Mark {
    std::string position;  // of the WAL
    SteadyTime at;
  };

  Clock* clock_;
  milliseconds limit_;
  std::optional<Mark> mark_;  // the last WAL position that every replica without a replay_lag had replayed, or that is still
                              // too recent to judge
};

}  // namespace athanor
