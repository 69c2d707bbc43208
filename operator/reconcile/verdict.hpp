// How one reconcile ended, and when the next one begins.
//
// A verdict is one of four kinds. Done: the database is as declared. Waiting: something else must end first, nothing is wrong.
// Stalled: nothing changes until somebody changes something. Failed: it will be tried again. next_attempt() alone decides when
// the resource is reconciled again.
//
// Threads: pure functions and plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/execute/execution_report.hpp"
#include "operator/reconcile/reconcile_result.hpp"

namespace athanor::controller {

struct Verdict : ReconcileResult {
  std::string message;
  bool keeps_plan = false;                // the status keeps the plan that failed
  bool of_status = false;                 // it repeats what the status says, which still holds
  bool planning = false;                  // the Job that runs only computes the plan
  std::optional<ExecutionReport> report;  // of the run, if there was one
  std::vector<Blocker> blockers;          // sessions that hold the lock
};

// The verdict on an error, by its retry class: Terminal stalls, Transient fails, Conflict fails and is retried now; a lock held
// elsewhere and a stop request wait.
[[nodiscard]] Verdict verdict_of(Error error);

// `conflicts`: how often in a row the resource was retried at once already.
[[nodiscard]] Requeue next_attempt(const Verdict& verdict, int conflicts);

}  // namespace athanor::controller
