// The result of a reconcile, and when the next one starts.
//
// A verdict is one of four kinds. Done: the database is as declared. Waiting: something else must end first, nothing is wrong.
// Stalled: only a change by a person helps. Failed: it will be retried. Only next_attempt() decides when the resource is
// reconciled again.
//
// Threads: pure functions and plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/execute/execution_report.hpp"
#include "operator/reconcile/reconcile_result.hpp"

namespace athanor::controller {

struct Decision;

struct Verdict : ReconcileResult {
  std::string message;
  bool keeps_plan = false;                // the status keeps showing the failed plan
  bool of_status = false;                 // repeats the status, which is still valid
  bool planning = false;                  // the running Job only computes the plan
  std::optional<ExecutionReport> report;  // of the run, if there was one
  std::vector<Blocker> blockers;          // sessions that hold the lock
};

// Returns the verdict for an error by its retry class: Terminal stalls, Transient fails, Conflict fails and is retried
// immediately; a held lock and a stop request wait.
[[nodiscard]] Verdict verdict_of(Error error);
// Returns the verdict for a decision that runs nothing: waiting, stalled or done.
[[nodiscard]] Verdict verdict_from(Decision decision);

// `conflicts`: how many times in a row the resource was already retried immediately.
[[nodiscard]] Requeue next_attempt(const Verdict& verdict, int conflicts);

}  // namespace athanor::controller
