// What must be true before a plan may run: the schema was not changed by hand where that blocks, it is approved, a maintenance
// window is open, and there is a backup where the policy asks for one.
//
// The backup comes last because it is expensive, and nobody should wait for an approval with an old backup in hand. Backup and
// migration lock may take long, and approval, window or declaration may change meanwhile: may_begin() checks these again.
//
// Threads: as the reconcile.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// The approvals of the resource, and why none of them counts.
struct ConsultedApprovals {
  std::vector<Approval> approvals;    // oldest first; without those whose author is not certain
  std::vector<std::string> doubtful;  // names of these
  std::optional<Error> untrusted;
};
[[nodiscard]] ConsultedApprovals consult_approvals(const ReconcileContext& context);

struct Preflight {
  PlanReview review;            // with the approval and the backup that were found or taken
  std::optional<Verdict> held;  // why the plan may not run now; empty: it may
};

// The review of a plan, with its approval if there is one, whether the plan may run now or not.
[[nodiscard]] PlanReview review_plan(const ReconcileContext& context, std::shared_ptr<const Plan> plan,
                                     std::vector<std::string> destructive, const std::string& approval_scope);

// Checks approval and window, then takes the backup. `dry_run` is called before the backup and returns what would stop the run
// anyway, so that no backup is taken in vain; may be empty.
[[nodiscard]] Preflight check_may_run(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                                      PlanReview review, const std::function<std::optional<Verdict>()>& dry_run = {});

// Whether source and credentials still are what the plan was made of: a backup or the lock may have been waited for, and a
// revision was taken back, or another database named. Reads them again unless they were read within the last second. StalePlan:
// they are not, reconcile again. Errors of reading them.
[[nodiscard]] Result<void> inputs_hold(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database);

// Whether a plan that passed may still begin. StalePlan: it may not, reconcile again.
[[nodiscard]] Result<void> may_begin(const ReconcileContext& context, const PlanReview& review);

}  // namespace athanor::controller
