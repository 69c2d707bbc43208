// When a resource is reconciled next: at once after a lost race, with a growing delay after failures, else at the resync.
//
// Resyncs are spread evenly: each key has a moment of its own in every period, a hash of its text, which needs no memory and
// holds from the first reconcile after a start. A large fleet is resynced less often: the period grows in whole multiples until
// no more than `resyncs_per_second` are due in a second.
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
  milliseconds wait_again{2'000};  // after a lock held elsewhere
  milliseconds report_after{500};  // progress of a run that lasts longer than this is written
  milliseconds doubt_after{100};   // a status that is known to be out of date is withdrawn after this
  bool once = false;               // one pass: nothing is scheduled again, no progress is written
  BackOff back_off;                // of reconciles that fail
};

class Rescheduler {
 public:
  Rescheduler(WorkQueue& queue, ControllerObserver& observer, Clock& clock, const ControllerOptions& options);

  // How often in a row before this the resource lost a race; counts this one when `lost_race`.
  [[nodiscard]] int count_race(const ResourceKey& key, bool lost_race);
  // Puts the key back into the queue where `next` says. The delay, when a back-off was chosen. `after`: with Scheduled.
  std::optional<milliseconds> reschedule(const ResourceKey& key, Requeue next, std::optional<milliseconds> after);
  // Back-off after a reconcile that ended without an outcome.
  void retry(const ResourceKey& key);
  // Comes back to write a status that could not be written `failures` times in a row. The reconcile itself did not fail, so
  // this is counted apart.
  void retry_status(const ResourceKey& key, int failures);
  // Failures in a row.
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
  std::map<ResourceKey, int> lost_races_;  // in a row
};

}  // namespace athanor::controller
