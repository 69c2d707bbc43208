// What a controller needs to know about the end of a reconcile, for any kind of resource, and the interface that counts it.
//
// Threads: ReconcileResult is a plain value; implementations of ControllerObserver are safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "migrations/base/error.hpp"
#include "operator/api/condition.hpp"

namespace athanor::controller {

struct ReconcileResult {
  // Done: the declaration is fulfilled. Waiting: something else must end first. Stalled: only a change by a person helps.
  // Failed: it will be retried.
  enum class Kind : std::uint8_t { Done, Waiting, Stalled, Failed };
  Kind kind = Kind::Failed;
  Reason reason = Reason::InternalError;
  std::optional<Error> error;
  bool retry_now = false;  // Failed on a race (a stale plan): reconcile again without delay or status
  bool requeued = false;   // nothing was observed, because its group is at its limit; it keeps its place in the queue
  bool repeated = false;   // found by an earlier reconcile: adds no history entry
  std::optional<milliseconds> requeue_after;  // when to reconcile again without an event
};

[[nodiscard]] std::string_view outcome_name(ReconcileResult::Kind kind);  // "done", "waiting", "stalled", "failed"

struct Attempt {
  std::int64_t failures = 0;  // consecutive, including this one
  WallTime now;
  std::optional<milliseconds> retry_in;
};

// AtOnce: without delay. Shortly: after ControllerOptions::wait_again. Scheduled: after ReconcileResult::requeue_after.
enum class Requeue : std::uint8_t { Resync, BackOff, AtOnce, Shortly, Scheduled, Never };

// All methods have an empty default.
class ControllerObserver {
 public:
  virtual ~ControllerObserver() = default;
  virtual void worker_started() {}
  virtual void worker_finished() {}
  // `again`: whether the resource is reconciled again before the next resync.
  virtual void reconciled(const ReconcileResult& /*result*/, bool /*again*/, double /*seconds*/) {}
  virtual void retry_scheduled() {}
};

}  // namespace athanor::controller
