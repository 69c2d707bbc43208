// Runs the operator's work while this replica may work: as the only replica, or while it holds the Lease.
//
// A standby starts nothing. A replica that loses the Lease stops its work at the next safe point and never starts again: the
// process exits, and its pod restarts as a standby.
//
// Threads: both functions block the caller's thread until the work has ended; work_while_leading() calls `begin` on another
// thread. Ownership: borrows everything for the call.
#pragma once

#include <functional>

#include "migrations/base/stop.hpp"
#include "operator/kube/lease_election.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

struct LeaderWork {
  // Starts the work and returns; may wait first for caches to fill. The work ends when `stop` is requested.
  std::function<void(const StopToken& stop)> begin;
  // Returns when no work is running. Called after begin() has returned, or without it; may be called twice.
  std::function<void()> finish;
  // Called with whether this replica leads: once at the start and at every change.
  std::function<void(bool leading)> leading;
  // Called once before the work begins with a function that reports whether this replica still holds the Lease, and once at the
  // end with an empty one, after which the first must not be called. May be empty.
  std::function<void(const std::function<bool()>& holds)> fenced_by = {};
};

// Works until a stop is requested.
void work_alone(const LeaderWork& work, Clock& clock, const StopToken& stop, const Log& log);

// Takes part in the election, works while leading, and after a stop releases the Lease once the work has ended. Returns false
// when leadership was lost without a stop. `client`: see LeaseElection.
[[nodiscard]] bool work_while_leading(const LeaderWork& work, KubeClient& client, Clock& clock, const LeaseOptions& lease,
                                      const StopToken& stop, const Log& log);

}  // namespace athanor::controller
