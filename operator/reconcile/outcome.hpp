// Computes the status from the outcome of a reconcile.
//
// An Outcome is a verdict together with the observations it is based on. Only summarise() turns an outcome into a status with
// conditions; run_status.hpp does so during a run.
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
  std::optional<PlanReview> review;  // for the plan that the verdict is about
};

// Returns the status after the outcome, based on the resource's current status.
[[nodiscard]] DatabaseMigrationStatus summarise(const DatabaseMigration& resource, const Outcome& outcome,
                                                const Attempt& attempt);
// Whether kstatus considers the status final for this declaration: Current or Failed.
[[nodiscard]] bool looks_final(const DatabaseMigration& resource);
// Returns the status for when something is known to differ from what the status describes and has not been handled yet: neither
// current nor failed. `message`: what differs, or what is pending.
[[nodiscard]] DatabaseMigrationStatus summarise_outdated(const DatabaseMigration& resource, const Observed& observed,
                                                         const std::string& message, WallTime now);

// Returns the last status of a resource that the operator no longer serves. `why`: which labels do not match which selector.
[[nodiscard]] DatabaseMigrationStatus summarise_unselected(const DatabaseMigration& resource, const std::string& why,
                                                           WallTime now);

}  // namespace athanor::controller
