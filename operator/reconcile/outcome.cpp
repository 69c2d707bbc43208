#include "operator/reconcile/outcome.hpp"

#include <algorithm>
#include <utility>

#include "operator/api/status_limits.hpp"
#include "operator/reconcile/status_conditions.hpp"
#include "operator/reconcile/status_entries.hpp"

namespace athanor::controller {
namespace {

void record_history(DatabaseMigrationStatus& status, const Outcome& outcome, const std::string& now) {
  HistoryStatus entry;
  if (outcome.observed.job_run) {
    const ReportedRun& run = *outcome.observed.job_run;
    entry = history_entry(run.report, run.direction, run.from, now);
    // If a status could not be written, its outcome is summarised again based on the unwritten status, which already has this
    // entry.
    if (std::ranges::find(status.history, entry.run_id, &HistoryStatus::run_id) != status.history.end()) {
      return;
    }
  } else if (outcome.report && outcome.review && !outcome.repeated) {
    entry = history_entry(*outcome.report, outcome.review->plan->operation, outcome.review->plan->from, now);
  } else {
    return;
  }
  status.history.insert(status.history.begin(), std::move(entry));
  if (status.history.size() > kMaxListed) {
    status.history.resize(kMaxListed);
  }
}

// Keeps the progress of a running Job while the database cannot be queried.
void set_progress(DatabaseMigrationStatus& status, const Outcome& outcome) {
  if (outcome.observed.job_progress) {
    status.progress = outcome.observed.job_progress;
  } else if (outcome.reason != Reason::JobRunning || status.job != outcome.observed.job) {
    status.progress.reset();
  }
}

Phase phase_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case Verdict::Kind::Done:
      break;
    case Verdict::Kind::Waiting:
      if (outcome.reason != Reason::JobRunning) {
        return Phase::Waiting;
      }
      return outcome.planning ? Phase::Planning : Phase::Migrating;
    case Verdict::Kind::Stalled:
      return Phase::Stalled;
    case Verdict::Kind::Failed:
      return Phase::Retrying;
  }
  if (outcome.reason == Reason::Suspended || outcome.reason == Reason::Deleting) {
    return Phase::Suspended;
  }
  return outcome.reason == Reason::PlanPublished ? Phase::Planned : Phase::Ready;
}

// A running Job applies the revisions that were pending when it was created, in order.
void follow_pending(DatabaseMigrationStatus& status, const DatabaseMigrationStatus& before, const Observed& observed) {
  if (observed.pending) {
    return;
  }
  status.resolved_revisions = before.resolved_revisions;
  status.pending_count = before.pending_count;
  status.pending_revisions = before.pending_revisions;
  if (!observed.job_progress || !before.pending_count) {
    return;
  }
  const std::int64_t left = std::max<std::int64_t>(observed.job_progress->total - observed.job_progress->done, 0);
  const auto gone = static_cast<std::size_t>(std::max<std::int64_t>(*before.pending_count - left, 0));
  auto& listed = status.pending_revisions;
  listed.erase(listed.begin(), listed.begin() + static_cast<std::ptrdiff_t>(std::min(gone, listed.size())));
  status.pending_count = std::min(left, *before.pending_count);
}

// Whether the reconcile found the database as an earlier run left it. Then keep the message of that run.
bool adds_nothing_new(const DatabaseMigration& resource, const Outcome& outcome) {
  const Condition* ready = find_condition(resource.status.conditions, ConditionType::Ready);
  return outcome.kind == Verdict::Kind::Done && outcome.reason == Reason::UpToDate && outcome.observed.current_heads &&
         ready != nullptr && ready->status == ConditionStatus::True && ready->reason == Reason::Applied &&
         !outcome.observed.source_error &&
         (!outcome.observed.source_revision ||
          shows_source(resource.status,
                       source_status(resource, *outcome.observed.source_revision, outcome.observed.source_files, {}))) &&
         find_condition(resource.status.conditions, ConditionType::SourceUnavailable) == nullptr &&
         resource.status.observed_generation == resource.metadata.generation && resource.status.policy == resource.policy &&
         (!outcome.observed.database_id || *outcome.observed.database_id == resource.status.database_id) &&
         shows_heads(resource.status, *outcome.observed.current_heads) && resource.status.phase == Phase::Ready &&
         resource.status.target_revision == resource.spec.target_revision;
}

}  // namespace

DatabaseMigrationStatus summarise(const DatabaseMigration& resource, const Outcome& outcome, const Attempt& attempt) {
  DatabaseMigrationStatus status = resource.status;
  const std::string now = format_iso8601(attempt.now);
  if (adds_nothing_new(resource, outcome)) {
    ConditionSet conditions(status.conditions, resource.metadata.generation, now);
    set_drifted(status, resource, outcome, conditions);
    fit(status);
    return status;
  }
  status.policy = resource.policy;
  status.observed_generation = resource.metadata.generation;
  status.phase = phase_of(outcome);
  status.target_revision = resource.spec.target_revision;
  set_progress(status, outcome);
  set_observed(status, resource, outcome.observed, now);
  if (outcome.reason == Reason::JobRunning || outcome.of_status) {
    follow_pending(status, resource.status, outcome.observed);
  }
  if (outcome.review) {
    status.plan = plan_status(*outcome.review);
  } else if (outcome.kind == Verdict::Kind::Done &&
             (outcome.reason == Reason::UpToDate || outcome.reason == Reason::AheadAccepted)) {
    status.plan.reset();
  }
  record_history(status, outcome, now);
  if (outcome.error && outcome.kind != Verdict::Kind::Waiting) {
    ErrorStatus error = error_status(outcome, now);
    if (status.last_error) {  // a repeated failure keeps its first time, so that the status is unchanged and not written
      error.time = status.last_error->time;
      if (error != *status.last_error) {
        error.time = now;
      }
    }
    status.last_error = std::move(error);
  } else if (outcome.kind != Verdict::Kind::Waiting || shows_lock_wait(status)) {
    status.last_error.reset();
  }
  status.failures = outcome.kind == Verdict::Kind::Failed ? attempt.failures : 0;
  status.next_retry = outcome.kind == Verdict::Kind::Failed && attempt.retry_in
                          ? format_iso8601(attempt.now + *attempt.retry_in)
                          : std::string();
  set_conditions(status, resource, outcome, now);
  fit(status);
  return status;
}

bool looks_final(const DatabaseMigration& resource) {
  return resource.status.observed_generation == resource.metadata.generation &&
         !is_true(resource.status.conditions, ConditionType::Reconciling);
}

DatabaseMigrationStatus summarise_outdated(const DatabaseMigration& resource, const Observed& observed,
                                           const std::string& message, WallTime now) {
  DatabaseMigrationStatus status = resource.status;
  status.policy = resource.policy;
  const std::string time = format_iso8601(now);
  status.observed_generation = resource.metadata.generation;
  status.phase = Phase::Pending;
  status.target_revision = resource.spec.target_revision;
  set_observed(status, resource, observed, time);
  ConditionSet conditions(status.conditions, resource.metadata.generation, time);
  conditions.set(ConditionType::Ready, false, Reason::Pending, message);
  conditions.set(ConditionType::Reconciling, true, Reason::Pending, message);
  remove_condition(status.conditions, ConditionType::Stalled);
  fit(status);
  return status;
}

DatabaseMigrationStatus summarise_unselected(const DatabaseMigration& resource, const std::string& why, WallTime now) {
  DatabaseMigrationStatus status = resource.status;
  status.policy = resource.policy;
  status.observed_generation = resource.metadata.generation;
  status.phase = Phase::Suspended;
  status.progress.reset();
  status.next_retry.clear();
  set_observed(status, resource, {}, format_iso8601(now));
  Condition ready;
  ready.status = ConditionStatus::Unknown;
  ready.reason = Reason::NotSelected;
  ready.message = why + "; the operator ignores the resource and does not observe its database";
  ready.observed_generation = resource.metadata.generation;
  set_condition(status.conditions, std::move(ready), format_iso8601(now));
  remove_condition(status.conditions, ConditionType::Reconciling);
  remove_condition(status.conditions, ConditionType::Stalled);
  fit(status);
  return status;
}

}  // namespace athanor::controller
