// What a controller has to know of a reconcile, whatever the kind of resource, and who counts it.
//
// Threads: ReconcileResult is a plain value; implementations of ControllerObserver are safe from any thread.
#pragma once

#include <optional>

#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

struct ReconcileResult {
  using Kind = Verdict::Kind;
  Kind kind = Kind::Failed;
  Reason reason = Reason::InternalError;
  std::optional<Error> error;
  bool lost_race = false;                     // what it began with changed meanwhile: reconcile again without a status
  bool requeued = false;                      // it did nothing because its group has no room: it keeps its place in the queue
  bool repeated = false;                      // what an earlier reconcile reported, found again
  std::optional<milliseconds> requeue_after;  // when time alone changes something
};

// Everything has an empty default.
class ControllerObserver {
 public:
  virtual ~ControllerObserver() = default;
  virtual void worker_started() {}
  virtual void worker_finished() {}
  // `again`: the resource comes back before the next resync.
  virtual void reconciled(const ReconcileResult& /*result*/, bool /*again*/, double /*seconds*/) {}
  virtual void retry_scheduled() {}
};

}  // namespace athanor::controller
