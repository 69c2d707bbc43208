// How one reconcile ended, and what follows from it.
//
// A Verdict is one of four kinds. Done: the database is as declared. Waiting: something else must end first, nothing is wrong.
// Stalled: nothing changes until somebody changes something. Failed: it will be tried again. An Outcome is a verdict with the
// observations it rests on. summarise() alone turns an outcome into status and conditions, next_attempt() alone decides when
// the resource is reconciled again.
//
// Threads: pure functions and plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/execute/execution_report.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/observed.hpp"
#include "operator/reconcile/plan_review.hpp"
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

struct Outcome : Verdict {
  Observed observed;
  std::optional<PlanReview> review;  // of the plan that the verdict is about
};

// What a run waits for that another session holds.
struct LockWait {
  bool migration_lock = false;  // else a lock that a statement needs
  std::string revision;         // whose statement it is
  std::vector<Blocker> holders;
  bool operator==(const LockWait&) const = default;
};

// A run under way.
struct RunState {
  ProgressStatus progress;
  std::optional<LockWait> wait;
};

// The verdict on an error, by its retry class: Terminal stalls, Transient fails, Conflict fails and is retried now; a lock held
// elsewhere and a stop request wait.
[[nodiscard]] Verdict verdict_of(Error error);

// The status after the outcome, from the status before it.
[[nodiscard]] DatabaseMigrationStatus summarise(const DatabaseMigration& resource, const Outcome& outcome,
                                                const Attempt& attempt);
// The status during a run. `resource` holds the status of the previous update, or transition times would move.
[[nodiscard]] DatabaseMigrationStatus summarise_backing_up(const DatabaseMigration& resource, const PlanReview& review,
                                                           const std::string& message, WallTime now);
[[nodiscard]] DatabaseMigrationStatus summarise_running(const DatabaseMigration& resource, const PlanReview& review,
                                                        const Observed& observed, const RunState& run, WallTime now);

// Whether kstatus takes the status for final, and for one of this declaration: as current, or as failed.
[[nodiscard]] bool looks_final(const DatabaseMigration& resource);
// The status when something is known to differ from what it speaks of, and nothing was done about that yet: not current, not
// failed. `message`: what differs, or what is pending.
[[nodiscard]] DatabaseMigrationStatus summarise_outdated(const DatabaseMigration& resource, const Observed& observed,
                                                         const std::string& message, WallTime now);

// The last status of a resource that the operator does not serve any more: its labels do not match `selector`.
[[nodiscard]] DatabaseMigrationStatus summarise_unselected(const DatabaseMigration& resource, const std::string& selector,
                                                           WallTime now);

// `conflicts`: how often in a row the resource was retried at once already.
[[nodiscard]] Requeue next_attempt(const Verdict& verdict, int conflicts);

}  // namespace athanor::controller
