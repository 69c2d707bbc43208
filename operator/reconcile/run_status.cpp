#include "operator/reconcile/run_status.hpp"

#include <algorithm>
#include <utility>

#include "operator/api/status_limits.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/reconcile_context.hpp"
#include "operator/reconcile/status_conditions.hpp"
#include "operator/reconcile/status_entries.hpp"

namespace athanor::controller {
namespace {

// Sets what is common to all statuses during a run.
void begin_update(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const PlanReview& review,
                  ConditionSet& conditions) {
  status.observed_generation = resource.metadata.generation;
  status.phase = Phase::Migrating;
  status.target_revision = resource.spec.target_revision;
  status.plan = plan_status(review);
  set_approved(status, resource, review, conditions);
  set_rehearsed(status, resource, review, conditions);
  remove_condition(status.conditions, ConditionType::Stalled);
  remove_condition(status.conditions, ConditionType::SourceUnavailable);
  conditions.set(ConditionType::Planned, true, Reason::Applying, "plan " + short_hash(review));
}

// Returns the observations after the run has committed its first `done` revisions.
Observed reached_by(const Plan& plan, const RunState& run, const Observed& observed) {
  const auto done = static_cast<std::size_t>(
      std::clamp<std::int64_t>(run.progress.done, 0, static_cast<std::int64_t>(plan.revisions.size())));
  Observed now;
  now.source_revision = observed.source_revision;
  now.source_files = observed.source_files;
  now.resolved = observed.resolved;
  now.current_heads = done == 0 ? plan.from : plan.revisions[done - 1].walk.heads;
  now.pending.emplace();
  for (std::size_t index = done; index < plan.revisions.size(); ++index) {
    now.pending->push_back(plan.revisions[index].walk.revision.value_or(""));
  }
  return now;
}

}  // namespace

DatabaseMigrationStatus summarise_backing_up(const DatabaseMigration& resource, const PlanReview& review,
                                             const std::string& message, WallTime now) {
  DatabaseMigrationStatus status = resource.status;
  status.policy = resource.policy;
  ConditionSet conditions(status.conditions, resource.metadata.generation, format_iso8601(now));
  begin_update(status, resource, review, conditions);
  set_under_way(Reason::BackingUp, message, conditions);
  conditions.set(ConditionType::BackedUp, false, Reason::BackingUp, message);
  fit(status);
  return status;
}

DatabaseMigrationStatus summarise_rehearsing(const DatabaseMigration& resource, const PlanReview& review,
                                             const Observed& observed, const std::string& message, WallTime now) {
  DatabaseMigrationStatus status = resource.status;
  status.policy = resource.policy;
  const std::string time = format_iso8601(now);
  ConditionSet conditions(status.conditions, resource.metadata.generation, time);
  begin_update(status, resource, review, conditions);
  status.phase = Phase::Pending;  // the database itself is not being changed
  set_observed(status, resource, observed, time);
  set_under_way(Reason::Rehearsing, message, conditions);
  conditions.set(ConditionType::Planned, true, Reason::PlanPublished, "plan " + short_hash(review));
  conditions.set(ConditionType::Rehearsed, false, Reason::Rehearsing, message);
  set_backed_up(status, review, conditions);
  fit(status);
  return status;
}

DatabaseMigrationStatus summarise_running(const DatabaseMigration& resource, const PlanReview& review, const Observed& observed,
                                          const RunState& run, WallTime now) {
  DatabaseMigrationStatus status = resource.status;
  status.policy = resource.policy;
  const std::string time = format_iso8601(now);
  ConditionSet conditions(status.conditions, resource.metadata.generation, time);
  begin_update(status, resource, review, conditions);
  set_observed(status, resource, reached_by(*review.plan, run, observed), time);
  status.progress = run.progress;
  status.next_retry.clear();
  set_lock_error(status, run, time);
  if (run.wait) {
    const bool migration_lock = run.wait->migration_lock;
    set_under_way(migration_lock ? Reason::LockHeld : Reason::WaitingForLock,
                  (migration_lock ? std::string() : "revision " + run.wait->revision + " ") +
                      lock_message(migration_lock ? "the migration lock" : "a lock", run.wait->holders),
                  conditions);
  } else {
    set_under_way(Reason::Applying,
                  std::string(direction_name(review.plan->operation)) + " of " +
                      count_of_revisions(review.plan->revisions.size()) + " is under way",
                  conditions);
  }
  set_backed_up(status, review, conditions);
  fit(status);
  return status;
}

}  // namespace athanor::controller
