// policy.lint: what the rules of lint say of a plan, and whether that holds it up.
//
// A plan is judged on its parse tree and on what the database says of its tables: which there are, and how large. A plan from
// an image is judged by the pod that made it. Findings at level error block the run; all of them are in status.plan.lint.
//
// Threads: as the reconcile.
#pragma once

#include <optional>

#include "migrations/lint/live_facts.hpp"
#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// Pure. `snapshot`: where the plan's files are, in the words of whoever put them there.
[[nodiscard]] LintSummary lint_plan(const DatabaseMigration& resource, const Plan& plan, const LiveDatabase& live,
                                    const SourceSnapshot& snapshot, const StopToken& stop);
// The same, with what the database says now. Empty when the policy does not ask for it. Interrupted: a stop was requested.
[[nodiscard]] Result<std::optional<LintSummary>> lint_if_required(const ReconcileContext& context, const Plan& plan,
                                                                  const SourceSnapshot& snapshot, DatabaseAccess& access);
// Why the plan may not run; empty: lint does not object. A plan that should have been judged and was not may not run.
[[nodiscard]] std::optional<Verdict> held_by_lint(const DatabaseMigration& resource, const PlanReview& review);
// Whether the status says of this plan what lint found.
[[nodiscard]] bool shows_lint(const DatabaseMigrationStatus& status, const PlanReview& review);

}  // namespace athanor::controller
