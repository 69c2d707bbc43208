#include "operator/reconcile/outcome.hpp"

#include <algorithm>
#include <utility>

#include "operator/api/status_limits.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {
namespace {

constexpr int kConflictsAtOnce = 3;
constexpr std::size_t kShownHash = 12;

std::vector<std::string> first_of(const std::vector<std::string>& items) {
  return {items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), kMaxListed))};
}

PlanStatus plan_status(const PlanReview& review) {
  const Plan& plan = *review.plan;
  PlanStatus status;
  status.hash = review.approval_hash;
  status.content_hash = plan.hash;
  status.direction = direction_name(plan.operation);
  status.revisions = static_cast<std::int64_t>(plan.revisions.size());
  for (const auto& revision : plan.revisions) {
    if (status.summary.size() == kMaxListed) {
      break;
    }
    std::string line(direction_name(revision.walk.direction));
    line += " " + revision.walk.revision.value_or("");
    if (!revision.message.empty()) {
      line += " " + revision.message;
    }
    status.summary.push_back(std::move(line));
  }
  status.warnings = first_of(plan.warnings);
  status.destructive = first_of(review.destructive);
  status.sql_sha256 = review.sql_sha256.value_or("");
  return status;
}

std::vector<BlockerStatus> blocker_status(const std::vector<Blocker>& blockers) {
  std::vector<BlockerStatus> statuses;
  for (const auto& blocker : blockers) {
    if (statuses.size() == kMaxListed) {
      break;
    }
    statuses.push_back({blocker.pid, blocker.application, blocker.user, blocker.since, blocker.query});
  }
  return statuses;
}

ErrorStatus error_status(const Outcome& outcome, const std::string& now) {
  const Error& error = *outcome.error;
  ErrorStatus status;
  status.code = error_name(error.code);
  status.message = error.context.empty() ? error.message : error.context + ": " + error.message;
  status.hint = error.hint;
  status.sqlstate = error.sqlstate;
  status.time = now;
  status.blockers = blocker_status(outcome.blockers);
  if (outcome.report) {
    status.revision = outcome.report->failed_revision;
    status.line = outcome.report->failed_line;
    status.statement = outcome.report->failed_statement;
  }
  fit(status);
  return status;
}

HistoryStatus history_entry(const ExecutionReport& report, Direction direction, const std::vector<std::string>& from,
                            const std::string& now) {
  HistoryStatus entry;
  entry.time = now;
  entry.direction = direction_name(direction);
  entry.from = heads_text(from, ",");
  if (report.current_heads) {
    entry.to = heads_text(*report.current_heads, ",");
  }
  entry.revisions = static_cast<std::int64_t>(report.executed.size());
  entry.duration_ms = report.duration.count();
  entry.outcome = report.ok() ? "applied" : std::string(error_name(report.error->code));
  entry.run_id = report.run_id;
  fit(entry);
  return entry;
}

void record_history(DatabaseMigrationStatus& status, const Outcome& outcome, const std::string& now) {
  HistoryStatus entry;
  if (outcome.observed.job_run) {
    const ReportedRun& run = *outcome.observed.job_run;
    entry = history_entry(run.report, run.direction, run.from, now);
    // The outcome of a status that could not be written is summarised again, on top of what it holds already.
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

// The progress of a running Job stays while the database cannot be asked.
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

bool planning_failed(Reason reason) {
  switch (reason) {
    case Reason::InvalidManifest:
    case Reason::SourceInvalid:
    case Reason::SourceNotFound:
    case Reason::TargetNotFound:
    case Reason::TargetAmbiguous:
    case Reason::UnknownDatabaseRevision:
    case Reason::Irreversible:
    case Reason::NotRenderable:
    case Reason::ChecksumMismatch:
    case Reason::UnfinishedRevision:
    case Reason::DatabaseAhead:
      return true;
    default:
      return false;
  }
}

class ConditionSet {
 public:
  ConditionSet(Conditions& conditions, std::int64_t generation, std::string now)
      : conditions_(conditions), generation_(generation), now_(std::move(now)) {}
  void set(ConditionType type, bool value, Reason reason, const std::string& message) {
    set(type, value ? ConditionStatus::True : ConditionStatus::False, reason, message);
  }
  void set(ConditionType type, ConditionStatus value, Reason reason, const std::string& message) {
    Condition condition;
    condition.type = type;
    condition.status = value;
    condition.reason = reason;
    condition.message = message;
    condition.observed_generation = generation_;
    set_condition(conditions_, std::move(condition), now_);
  }
  void set_or_remove(ConditionType type, bool value, Reason reason, const std::string& message) {
    if (value) {
      set(type, true, reason, message);
    } else {
      remove_condition(conditions_, type);
    }
  }
  // The condition is of the same declaration, and nothing was observed since.
  [[nodiscard]] bool may_still_hold(const Condition& condition, const Outcome& outcome) const {
    return condition.observed_generation == generation_ && outcome.kind != Verdict::Kind::Done &&
           outcome.kind != Verdict::Kind::Stalled;
  }

 private:
  Conditions& conditions_;
  std::int64_t generation_;
  std::string now_;
};

ApprovalStatus approval_status(const Approval& given, const ApprovalTally& tally) {
  ApprovalStatus status{given.name, given.plan_hash, given.approved_by, given.approved_at, tally.required, 0, {}};
  status.given = std::min(tally.required, static_cast<std::int64_t>(tally.counted.size()));
  for (const auto& approval : tally.counted) {
    status.approvers.push_back(approval.approved_by);
  }
  status.approvers = first_of(status.approvers);
  return status;
}

// An approval or a backup of another plan says nothing about this one.
void set_approved(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const PlanReview& review,
                  ConditionSet& conditions) {
  const ApprovalPolicy policy = resource.spec.policy.approval;
  const ApprovalTally& tally = review.tally;
  if (review.approval) {
    const Approval& given = *review.approval;
    status.approval = approval_status(given, tally);
    conditions.set(ConditionType::Approved, true, Reason::Approved,
                   tally.required > 1 ? tally_in_words(tally) : "approved by " + given.approved_by + " in " + given.name);
    return;
  }
  status.approval.reset();
  if (!tally.counted.empty()) {
    status.approval = approval_status(tally.counted.back(), tally);
  }
  if (needs_approval(policy, *review.plan, review.destructive)) {
    conditions.set(ConditionType::Approved, false, Reason::ApprovalRequired,
                   "plan " + review.approval_hash.substr(0, kShownHash) + " has no MigrationApproval");
  } else {
    remove_condition(status.conditions, ConditionType::Approved);
  }
}

void set_backed_up(DatabaseMigrationStatus& status, const PlanReview& review, ConditionSet& conditions) {
  if (review.backup) {
    status.last_backup = review.backup;
    conditions.set(ConditionType::BackedUp, true, Reason::BackupTaken,
                   review.backup->location + (review.backup_accepted ? ", taken at " + review.backup->started_at : ""));
  } else if (review.backup_error) {
    conditions.set(ConditionType::BackedUp, false, Reason::BackupFailed, review.backup_error->describe());
  } else {
    remove_condition(status.conditions, ConditionType::BackedUp);
  }
}

// Approval and backup that the policy asks for. Without a plan they are unchanged.
void set_policy_conditions(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                           ConditionSet& conditions) {
  if (outcome.review) {
    set_approved(status, resource, *outcome.review, conditions);
    set_backed_up(status, *outcome.review, conditions);
  }
  if (outcome.reason == Reason::ApprovalRequired || outcome.reason == Reason::ApprovalsUntrusted ||
      outcome.reason == Reason::PlanRejected) {
    conditions.set(ConditionType::Approved, false, outcome.reason, outcome.message);
  }
  if (outcome.reason == Reason::BackupFailed) {
    conditions.set(ConditionType::BackedUp, false, outcome.reason, outcome.message);
  }
  if (resource.spec.policy.approval == ApprovalPolicy::Never) {
    status.approval.reset();
    remove_condition(status.conditions, ConditionType::Approved);
  }
  if (resource.spec.backup.when == BackupWhen::Never) {
    remove_condition(status.conditions, ConditionType::BackedUp);
  }
}

// Whether the outcome is about the files that the source holds now.
void set_source_condition(DatabaseMigrationStatus& status, const Outcome& outcome, ConditionSet& conditions) {
  if (outcome.observed.source_error) {
    const std::string revision = outcome.observed.source_revision.value_or("");
    conditions.set(ConditionType::SourceUnavailable, true, Reason::SourceNotFound,
                   (revision.empty() ? "" : "judged by " + revision + ", which was there last: ") +
                       outcome.observed.source_error->describe());
  } else if (outcome.reason == Reason::SourceNotFound) {
    conditions.set(ConditionType::SourceUnavailable, true, outcome.reason, outcome.message);
  } else if (outcome.kind != Verdict::Kind::Waiting || outcome.observed.source_revision) {  // else the source was not observed
    remove_condition(status.conditions, ConditionType::SourceUnavailable);
  }
}

// Whether there is a plan. What made one impossible holds for its declaration until the next observation.
void set_planned(DatabaseMigrationStatus& status, const Outcome& outcome, bool at_target, ConditionSet& conditions) {
  const Condition* const before = find_condition(status.conditions, ConditionType::Planned);
  if (at_target || outcome.review) {
    conditions.set(ConditionType::Planned, true, at_target ? outcome.reason : Reason::PlanPublished,
                   outcome.review ? "plan " + outcome.review->approval_hash.substr(0, kShownHash) : "nothing to do");
  } else if (planning_failed(outcome.reason)) {
    conditions.set(ConditionType::Planned, false, outcome.reason, outcome.message);
  } else if (before != nullptr && before->status == ConditionStatus::False && !conditions.may_still_hold(*before, outcome)) {
    remove_condition(status.conditions, ConditionType::Planned);
  }
}

// Whether the last plan was run to its end. An unreachable database or source changes nothing about that.
void set_applied(DatabaseMigrationStatus& status, const Outcome& outcome, bool at_target, ConditionSet& conditions) {
  const Condition* const before = find_condition(status.conditions, ConditionType::Applied);
  const bool open = outcome.review || outcome.report || outcome.reason == Reason::UnfinishedRevision ||
                    (outcome.reason == Reason::JobRunning && !outcome.planning);
  const bool was_open = before != nullptr && before->status == ConditionStatus::False && outcome.reason != Reason::Suspended &&
                        outcome.reason != Reason::Deleting;
  if (at_target || open || was_open) {
    conditions.set(ConditionType::Applied, at_target, outcome.reason, outcome.message);
  }
}

// What was found last stays until it is looked at again.
void set_drifted(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                 ConditionSet& conditions) {
  if (resource.spec.policy.drift == DriftPolicy::Ignore) {
    remove_condition(status.conditions, ConditionType::Drifted);
  } else if (const auto& seen = outcome.observed.drift) {
    conditions.set(ConditionType::Drifted, seen->drifted, seen->reason, seen->message);
  }
}

void set_conditions(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                    const std::string& now) {
  ConditionSet conditions(status.conditions, resource.metadata.generation, now);
  const bool done = outcome.kind == Verdict::Kind::Done;
  const bool at_target = done && (outcome.reason == Reason::UpToDate || outcome.reason == Reason::AheadAccepted ||
                                  outcome.reason == Reason::Applied);
  const bool under_way = outcome.kind == Verdict::Kind::Waiting || outcome.kind == Verdict::Kind::Failed;
  conditions.set(ConditionType::Ready, at_target, outcome.reason, outcome.message);
  conditions.set_or_remove(ConditionType::Reconciling, under_way,
                           outcome.kind == Verdict::Kind::Failed ? Reason::Retrying : outcome.reason, outcome.message);
  conditions.set_or_remove(ConditionType::Stalled, outcome.kind == Verdict::Kind::Stalled, outcome.reason, outcome.message);
  set_planned(status, outcome, at_target, conditions);
  set_policy_conditions(status, resource, outcome, conditions);
  set_source_condition(status, outcome, conditions);
  set_applied(status, outcome, at_target, conditions);
  set_drifted(status, resource, outcome, conditions);
}

SourceStatus source_status(const DatabaseMigration& resource, const std::string& revision, std::optional<std::int64_t> files,
                           const std::string& now) {
  SourceStatus source{std::string(resource.spec.source.kind()), revision, files, now};
  fit(source);
  return source;
}

bool shows_source(const DatabaseMigrationStatus& status, const SourceStatus& source) {
  return status.source && status.source->kind == source.kind && status.source->revision == source.revision &&
         status.source->files == source.files;
}

// What was seen of source and database, and how far apart they are.
void set_observed(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Observed& observed,
                  const std::string& now) {
  if (observed.source_revision) {
    SourceStatus source = source_status(resource, *observed.source_revision, observed.source_files, now);
    if (!shows_source(status, source)) {  // an unchanged source keeps its time, so that nothing is written for it
      status.source = std::move(source);
    }
  }
  if (observed.job) {
    status.job = observed.job;
  }
  if (observed.database_id) {
    status.database_id = *observed.database_id;
  }
  if (observed.current_heads) {
    status.current_revisions = *observed.current_heads;
    status.current_revision = heads_text(*observed.current_heads, ",");
  } else if (observed.rows_unknown) {
    status.current_revisions.clear();
    status.current_revision.clear();
  }
  status.resolved_revisions = observed.resolved ? first_of(*observed.resolved) : std::vector<std::string>();
  status.pending_count.reset();  // 0 would mean that nothing is to be done
  status.pending_revisions.clear();
  if (observed.pending) {
    status.pending_count = static_cast<std::int64_t>(observed.pending->size());
    status.pending_revisions = first_of(*observed.pending);
  }
}

// A Job that runs takes the revisions that were pending when it was made, in their order.
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

// What every status during a run says.
void begin_update(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const PlanReview& review,
                  ConditionSet& conditions) {
  status.observed_generation = resource.metadata.generation;
  status.phase = Phase::Migrating;
  status.target_revision = resource.spec.target_revision;
  status.plan = plan_status(review);
  set_approved(status, resource, review, conditions);
  remove_condition(status.conditions, ConditionType::Stalled);
  remove_condition(status.conditions, ConditionType::SourceUnavailable);
  conditions.set(ConditionType::Planned, true, Reason::Applying, "plan " + review.approval_hash.substr(0, kShownHash));
}

void set_under_way(Reason reason, const std::string& message, ConditionSet& conditions) {
  conditions.set(ConditionType::Ready, false, reason, message);
  conditions.set(ConditionType::Reconciling, true, reason, message);
  conditions.set(ConditionType::Applied, false, reason, message);
}

// The run has committed its first `done` revisions.
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

// That a run waits for a lock is an error for as long as it waits.
bool shows_lock_wait(const DatabaseMigrationStatus& status) {
  return status.last_error && status.last_error->code == error_name(ErrorCode::LockTimeout) &&
         status.last_error->message.starts_with(kWaitsFor);
}

void set_lock_error(DatabaseMigrationStatus& status, const RunState& run, const std::string& now) {
  const bool shown = shows_lock_wait(status);
  if (!run.wait || run.wait->migration_lock) {
    if (shown) {
      status.last_error.reset();
    }
    return;
  }
  ErrorStatus error;
  error.code = error_name(ErrorCode::LockTimeout);
  error.message = lock_message("a lock", run.wait->holders);
  error.hint = "end the session that holds it, or wait";
  error.revision = run.wait->revision;
  error.blockers = blocker_status(run.wait->holders);
  error.time = now;
  fit(error);
  if (shown && status.last_error->blockers == error.blockers) {
    error.time = status.last_error->time;
  }
  status.last_error = std::move(error);
}

// Finding the database as an earlier run left it adds nothing to what that run reported.
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

constexpr std::string_view kReadOnly = "25006";

// The statement that met it may be ours, which nobody finds in the revision's file.
Error read_only_error(Error error) {
  error.code = ErrorCode::DatabaseUnreachable;
  error.retry = RetryClass::Transient;
  error.message = "the database is read-only (default_transaction_read_only is on, or the server became a standby)";
  error.context.clear();
  error.hint = "make it writable again; the migration goes on by itself";
  return error;
}

}  // namespace

std::string_view outcome_name(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::Done:
      return "done";
    case Verdict::Kind::Waiting:
      return "waiting";
    case Verdict::Kind::Stalled:
      return "stalled";
    case Verdict::Kind::Failed:
      break;
  }
  return "failed";
}

Verdict verdict_of(Error error) {
  Verdict verdict;
  if (error.sqlstate == kReadOnly) {  // whoever made it read-only makes it writable again
    error = read_only_error(std::move(error));
    verdict.reason = Reason::Retrying;
  } else {
    verdict.reason = reason_for(error);
  }
  verdict.message = error.describe();
  if (error.code == ErrorCode::LockHeld || error.code == ErrorCode::Interrupted) {
    verdict.kind = Verdict::Kind::Waiting;
  } else if (error.retry == RetryClass::Terminal) {
    verdict.kind = Verdict::Kind::Stalled;
  } else {
    verdict.kind = Verdict::Kind::Failed;
    verdict.retry_now = error.retry == RetryClass::Conflict;
  }
  verdict.error = std::move(error);
  return verdict;
}

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
    if (status.last_error) {  // a repeated failure keeps its first time, so that nothing is written for it
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

DatabaseMigrationStatus summarise_unselected(const DatabaseMigration& resource, const std::string& selector, WallTime now) {
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
  ready.message = "the labels of the resource do not match the selector of the operator (" + selector +
                  "): nothing is done, and what the database holds is not looked at";
  ready.observed_generation = resource.metadata.generation;
  set_condition(status.conditions, std::move(ready), format_iso8601(now));
  remove_condition(status.conditions, ConditionType::Reconciling);
  remove_condition(status.conditions, ConditionType::Stalled);
  fit(status);
  return status;
}

Requeue next_attempt(const Verdict& verdict, int conflicts) {
  switch (verdict.kind) {
    case Verdict::Kind::Done:
    case Verdict::Kind::Stalled:  // observed again, not run again: somebody may have repaired the database by hand
      return verdict.requeue_after ? Requeue::Scheduled : Requeue::Resync;
    case Verdict::Kind::Waiting:
      if (verdict.requeue_after) {
        return Requeue::Scheduled;
      }
      if (verdict.reason == Reason::Baselined) {  // half of the way, also in a single pass
        return Requeue::AtOnce;
      }
      if (verdict.reason == Reason::Interrupted) {
        return Requeue::Never;
      }
      // A new approval wakes the resource.
      return verdict.reason == Reason::ApprovalRequired ? Requeue::Resync : Requeue::Shortly;
    case Verdict::Kind::Failed:
      break;
  }
  return verdict.retry_now && conflicts < kConflictsAtOnce ? Requeue::AtOnce : Requeue::BackOff;
}

}  // namespace athanor::controller
