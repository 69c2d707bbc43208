// Runs the operator's work while this replica may work: as the only one, or while it holds the Lease.
//
// A standby begins nothing. A replica that loses the Lease stops its work at the next safe point and never begins again: the
// process ends, and its pod starts anew as a standby.
//
// Threads: both functions occupy the caller's thread until the work has ended; `begin` runs on another one under
// work_while_leading(). Ownership: everything is borrowed for the call.
#pragma once

#include <functional>

#include "migrations/base/stop.hpp"
#include "operator/kube/lease_election.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

struct LeaderWork {
  // Starts the work and returns; may wait first, for caches to fill. The work ends when `stop` is requested.
  std::function<void(const StopToken& stop)> begin;
  // Returns when nothing runs any more. Called once begin() has returned, or never was; perhaps twice.
  std::function<void()> finish;
  // Whether this replica works, whenever that changes, and once at the start.
  std::function<void(bool leading)> leading;
  // Given once, before the work begins: whether this replica still holds the Lease. An empty one is
  // given at the end, when nobody may ask any more. May be empty.
  std::function<void(const std::function<bool()>& holds)> fenced_by = {};
};

// Works until a stop is requested.
void work_alone(const LeaderWork& work, Clock& clock, const StopToken& stop, const Log& log);

// Takes part in the election, works while it leads, and gives the Lease back after a stop, when the work has ended. False when
// leadership was lost without a stop. `client`: see LeaseElection.
[[nodiscard]] bool work_while_leading(const LeaderWork& work, KubeClient& client, Clock& clock, const LeaseOptions& lease,
                                      const StopToken& stop, const Log& log);

}  // namespace athanor::controller
