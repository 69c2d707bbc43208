// Decides when a resource is reconciled next: immediately after a lost race, with a growing delay after failures, otherwise at
// the resync.
//
// Resyncs are spread evenly: each key has its own moment in every period, derived from a hash of its text, which needs no
// memory and is stable across restarts. A large fleet is resynced less often: the period grows in whole multiples until at most
// `resyncs_per_second` are due per second.
//
// Threads: safe from any thread. Ownership: borrows queue, clock and observer.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "operator/reconcile/back_off.hpp"
#include "operator/reconcile/reconcile_result.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

struct ControllerOptions {
  std::size_t workers = 8;
  milliseconds resync{300'000};
  double resyncs_per_second = 2;   // 0: no limit
  milliseconds wait_again{2'000};  // delay after the lock was found held
  milliseconds report_after{500};  // write progress only of runs that last longer
  milliseconds doubt_after{100};   // delay before an outdated status is withdrawn
  bool once = false;               // one pass: reschedule nothing, write no progress
  BackOff back_off;                // for failed reconciles
};

class Rescheduler {
 public:
  Rescheduler(WorkQueue& queue, ControllerObserver& observer, Clock& clock, const ControllerOptions& options);

  // Returns how many times in a row the resource lost a race before; counts this one if `lost_race`.
  [[nodiscard]] int count_race(const ResourceKey& key, bool lost_race);
  // Requeues the key as `next` says. Returns the delay when a back-off was chosen. `after`: the delay for Scheduled.
  std::optional<milliseconds> reschedule(const ResourceKey& key, Requeue next, std::optional<milliseconds> after);
  // Requeues with back-off after a reconcile that ended without an outcome.
  void retry(const ResourceKey& key);
  // Requeues to write a status that could not be written `failures` times in a row. The reconcile itself did not fail, so this
  // is counted separately.
  void retry_status(const ResourceKey& key, int failures);
  // The number of consecutive failures.
  [[nodiscard]] int failures(const ResourceKey& key) const { return back_off_.failures(key); }
  void forget(const ResourceKey& key);

 private:
  [[nodiscard]] milliseconds until_resync(const ResourceKey& key) const;

  WorkQueue& queue_;
  ControllerObserver& observer_;
  Clock& clock_;
  ControllerOptions options_;
  RetryBackOff back_off_;
  std::mutex mutex_;
  std::map<ResourceKey, int> lost_races_;  // consecutive
};

}  // namespace athanor::controller
