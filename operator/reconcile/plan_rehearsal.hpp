// policy.rehearsal: before a plan runs, it runs on a scratch copy. One that fails there does not run.
//
// A plan is rehearsed once for each hash, declaration and database, and the result is remembered; an operator that restarts
// rehearses what still waits again.
//
// Threads: as the reconcile.
#pragma once

#include <optional>

#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// Rehearses the plan of `review` where the policy asks for `kind`, and notes the result there. A verdict: why the plan may not
// run. On a schema it comes before the approval, on a backup after the backup for the run was taken.
[[nodiscard]] std::optional<Verdict> hold_by_rehearsal(const ReconcileContext& context, const Observed& observed,
                                                       const DatabaseTarget& target, PlanReview& review, RehearsalPolicy kind);

}  // namespace athanor::controller
