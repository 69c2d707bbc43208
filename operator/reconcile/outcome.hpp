// The status that follows from how a reconcile ended.
//
// An Outcome is a verdict with the observations it rests on. summarise() alone turns an outcome into status and conditions;
// during a run run_status.hpp does.
//
// Threads: pure functions and plain values.
#pragma once

#include <optional>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/reconcile/observed.hpp"
#include "operator/reconcile/plan_review.hpp"
#include "operator/reconcile/verdict.hpp"

namespace athanor::controller {

struct Outcome : Verdict {
  Observed observed;
  std::optional<PlanReview> review;  // of the plan that the verdict is about
};

// The status after the outcome, from the status before it.
[[nodiscard]] DatabaseMigrationStatus summarise(const DatabaseMigration& resource, const Outcome& outcome,
                                                const Attempt& attempt);
// Whether kstatus takes the status for final, and for one of this declaration: as current, or as failed.
[[nodiscard]] bool looks_final(const DatabaseMigration& resource);
// The status when something is known to differ from what it speaks of, and nothing was done about that yet: not current, not
// failed. `message`: what differs, or what is pending.
[[nodiscard]] DatabaseMigrationStatus summarise_outdated(const DatabaseMigration& resource, const Observed& observed,
                                                         const std::string& message, WallTime now);

// The last status of a resource that the operator does not serve any more: its labels do not match `selector`.
[[nodiscard]] DatabaseMigrationStatus summarise_unselected(const DatabaseMigration& resource, const std::string& selector,
                                                           WallTime now);

}  // namespace athanor::controller
