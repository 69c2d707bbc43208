// Who counts what reconciles do: metrics, behind an interface so that this room knows no metrics library.
//
// Threads: implementations are safe from any thread. Everything has an empty default.
#pragma once

#include <string>

#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

class ReconcileObserver {
 public:
  virtual ~ReconcileObserver() = default;
  virtual void worker_started() {}
  virtual void worker_finished() {}
  // `requeued`: the resource comes back by itself before the next resync.
  virtual void reconciled(const Outcome& /*outcome*/, bool /*requeued*/, double /*seconds*/) {}
  virtual void revision_applied(Direction /*direction*/, double /*seconds*/) {}
  virtual void run_failed(Reason /*reason*/) {}
  virtual void lock_waited(double /*seconds*/) {}
  virtual void statement_retried() {}
};

}  // namespace athanor::controller
