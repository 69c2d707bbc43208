// The checks before a plan may run: the schema was not changed by hand (if that blocks), the plan is approved, a maintenance
// window is open, and there is a backup if the policy requires one.
//
// The backup comes last because it is expensive, and because a plan must not wait for approval with an outdated backup. The
// backup and the migration lock may take long, and approval, window or declaration may change meanwhile; may_begin() checks
// them again.
//
// Threads: one thread per reconcile.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// The approvals of a resource, and why none of them counts.
struct ConsultedApprovals {
  std::vector<Approval> approvals;    // oldest first; only those with a guaranteed author
  std::vector<std::string> doubtful;  // names of the others
  std::optional<Error> untrusted;
};
[[nodiscard]] ConsultedApprovals consult_approvals(const ReconcileContext& context);

struct Preflight {
  PlanReview review;            // with the approval and the backup, as found or taken
  std::optional<Verdict> held;  // why the plan may not run now; nullopt: it may
};

// Returns the review of a plan, with its approval if there is one, regardless of whether the plan may run now.
[[nodiscard]] PlanReview review_plan(const ReconcileContext& context, std::shared_ptr<const Plan> plan,
                                     std::vector<std::string> destructive, const std::string& approval_scope);

// Runs the checks, then takes the backup. `dry_run` is called before the backup and returns what would stop the run anyway, so
// that no backup is taken for nothing; may be empty.
[[nodiscard]] Preflight check_may_run(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                                      PlanReview review, const std::function<std::optional<Verdict>()>& dry_run = {});

// Checks that source and credentials are still those that the plan was made from: while the run waited for a backup or the
// lock, a revision may have been removed or another database named. Reads them again unless they were read within the last
// second. Errors: StalePlan when they changed (reconcile again); those of reading them.
[[nodiscard]] Result<void> inputs_hold(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database);

// Checks whether a plan that passed the preflight may still start. Error: StalePlan when it may not (reconcile again).
[[nodiscard]] Result<void> may_begin(const ReconcileContext& context, const PlanReview& review);

}  // namespace athanor::controller
