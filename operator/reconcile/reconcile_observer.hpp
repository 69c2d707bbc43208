// Counts the results of runs for metrics, behind an interface so that this folder does not depend on a metrics library.
//
// Threads: implementations are safe from any thread. All methods have an empty default.
#pragma once

#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

class ReconcileObserver {
 public:
  virtual ~ReconcileObserver() = default;
  virtual void revision_applied(Direction /*direction*/, double /*seconds*/) {}
  virtual void run_failed(Reason /*reason*/) {}
  virtual void lock_waited(double /*seconds*/) {}
  virtual void statement_retried() {}
  virtual void backup_taken(double /*seconds*/) {}
  virtual void backup_failed() {}
};

}  // namespace athanor::controller
