#include "operator/reconcile/outcome.hpp"

#include <algorithm>
#include <utility>

#include "operator/api/status_limits.hpp"
#include "operator/reconcile/decide.hpp"

namespace athanor::controller {
namespace {

constexpr int kConflictsAtOnce = 3;
constexpr std::size_t kShownHash = 12;

std::vector<std::string> first_of(const std::vector<std::string>& items) {
  return {items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), kMaxListed))};
}

PlanStatus plan_status(const Plan& plan, const std::string& hash, const std::vector<std::string>& destructive) {
  PlanStatus status;
  status.hash = hash;
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
  status.destructive = first_of(destructive);
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
  entry.to = heads_text(report.current_heads, ",");
  entry.revisions = static_cast<std::int64_t>(report.executed.size());
  entry.duration_ms = report.duration.count();
  entry.outcome = report.ok() ? "applied" : std::string(error_name(report.error->code));
  entry.run_id = report.run_id;
  fit(entry);
  return entry;
}

void record_history(DatabaseMigrationStatus& status, const Outcome& outcome, const std::string& now) {
  HistoryStatus entry;
  if (outcome.job_run) {
    const ReportedRun& run = *outcome.job_run;
    entry = history_entry(run.report, run.direction, run.from, now);
    // A status that could not be written is told again, with all that is in it already.
    if (std::ranges::find(status.history, entry.run_id, &HistoryStatus::run_id) != status.history.end()) {
      return;
    }
  } else if (outcome.report && outcome.plan && !outcome.repeated) {
    entry = history_entry(*outcome.report, outcome.plan->operation, outcome.plan->from, now);
  } else {
    return;
  }
  status.history.insert(status.history.begin(), std::move(entry));
  if (status.history.size() > kMaxListed) {
    status.history.resize(kMaxListed);
  }
}

// What is known of a Job that runs stays known while nobody can be asked.
void note_progress(DatabaseMigrationStatus& status, const Outcome& outcome) {
  if (outcome.progress) {
    status.progress = outcome.progress;
  } else if (outcome.reason != Reason::JobRunning || status.job != outcome.job) {
    status.progress.reset();
  }
}

Phase phase_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::Done:
      break;
    case Outcome::Kind::Waiting:
      if (outcome.reason != Reason::JobRunning) {
        return Phase::Waiting;
      }
      return outcome.planning ? Phase::Planning : Phase::Migrating;
    case Outcome::Kind::Stalled:
      return Phase::Stalled;
    case Outcome::Kind::Failed:
      return Phase::Retrying;
  }
  if (outcome.reason == Reason::Suspended) {
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
    Condition condition;
    condition.type = type;
    condition.status = value ? ConditionStatus::True : ConditionStatus::False;
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
  // Of the same declaration, and nobody looked.
  [[nodiscard]] bool may_still_hold(const Condition& condition, const Outcome& outcome) const {
    return condition.observed_generation == generation_ && outcome.kind != Outcome::Kind::Done &&
           outcome.kind != Outcome::Kind::Stalled;
  }

 private:
  Conditions& conditions_;
  std::int64_t generation_;
  std::string now_;
};

// Of another plan neither an approval nor a backup says anything.
void set_approved(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const RunNote& note,
                  ConditionSet& conditions) {
  const ApprovalPolicy policy = resource.spec.policy.approval;
  if (note.approval) {
    const Approval& given = *note.approval;
    status.approval = ApprovalStatus{given.name, given.plan_hash, given.approved_by, given.approved_at};
    conditions.set(ConditionType::Approved, true, Reason::Approved, "approved by " + given.approved_by + " in " + given.name);
    return;
  }
  status.approval.reset();
  if (needs_approval(policy, note.plan, note.destructive)) {
    conditions.set(ConditionType::Approved, false, Reason::ApprovalRequired,
                   "plan " + note.plan_hash.substr(0, kShownHash) + " has no MigrationApproval");
  } else {
    remove_condition(status.conditions, ConditionType::Approved);
  }
}

void set_backed_up(DatabaseMigrationStatus& status, const RunNote& note, ConditionSet& conditions) {
  if (note.backup) {
    status.last_backup = note.backup;
    conditions.set(ConditionType::BackedUp, true, Reason::BackupTaken,
                   note.backup->location + (note.backup_accepted ? ", taken at " + note.backup->started_at : ""));
  } else if (note.backup_error) {
    conditions.set(ConditionType::BackedUp, false, Reason::BackupFailed, note.backup_error->describe());
  } else {
    remove_condition(status.conditions, ConditionType::BackedUp);
  }
}

// What the policy asked for on the way. Without a plan it is what it was.
void note_policy(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                 ConditionSet& conditions) {
  if (outcome.plan) {
    const RunNote note{*outcome.plan,  outcome.plan_hash,       outcome.destructive, outcome.approval,
                       outcome.backup, outcome.backup_accepted, outcome.backup_error};
    set_approved(status, resource, note, conditions);
    set_backed_up(status, note, conditions);
  }
  if (outcome.reason == Reason::ApprovalRequired) {
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

// Whether what the outcome tells about the files is what the source holds now.
void set_source_condition(DatabaseMigrationStatus& status, const Outcome& outcome, ConditionSet& conditions) {
  if (outcome.source_doubt) {
    const std::string revision = outcome.source ? outcome.source->revision : std::string();
    conditions.set(
        ConditionType::SourceUnavailable, true, Reason::SourceNotFound,
        (revision.empty() ? "" : "judged by " + revision + ", which was there last: ") + outcome.source_doubt->describe());
  } else if (outcome.reason == Reason::SourceNotFound) {
    conditions.set(ConditionType::SourceUnavailable, true, outcome.reason, outcome.message);
  } else if (outcome.kind != Outcome::Kind::Waiting || outcome.source) {  // else nobody has looked
    remove_condition(status.conditions, ConditionType::SourceUnavailable);
  }
}

// Whether there is a plan. What made one impossible holds for its declaration until somebody has looked again.
void set_planned(DatabaseMigrationStatus& status, const Outcome& outcome, bool at_target, ConditionSet& conditions) {
  const Condition* const before = find_condition(status.conditions, ConditionType::Planned);
  if (at_target || outcome.plan) {
    conditions.set(ConditionType::Planned, true, at_target ? outcome.reason : Reason::PlanPublished,
                   outcome.plan ? "plan " + outcome.plan_hash.substr(0, kShownHash) : "nothing to do");
  } else if (planning_failed(outcome.reason)) {
    conditions.set(ConditionType::Planned, false, outcome.reason, outcome.message);
  } else if (before != nullptr && before->status == ConditionStatus::False && !conditions.may_still_hold(*before, outcome)) {
    remove_condition(status.conditions, ConditionType::Planned);
  }
}

// Whether the last plan was run to its end. A database that cannot be looked at, or a source, changes nothing about that.
void set_applied(DatabaseMigrationStatus& status, const Outcome& outcome, bool at_target, ConditionSet& conditions) {
  const Condition* const before = find_condition(status.conditions, ConditionType::Applied);
  const bool open = outcome.plan || outcome.report || outcome.reason == Reason::UnfinishedRevision ||
                    (outcome.reason == Reason::JobRunning && !outcome.planning);
  const bool was_open = before != nullptr && before->status == ConditionStatus::False && outcome.reason != Reason::Suspended;
  if (at_target || open || was_open) {
    conditions.set(ConditionType::Applied, at_target, outcome.reason, outcome.message);
  }
}

void set_conditions(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                    const std::string& now) {
  ConditionSet conditions(status.conditions, resource.metadata.generation, now);
  const bool done = outcome.kind == Outcome::Kind::Done;
  const bool at_target = done && (outcome.reason == Reason::UpToDate || outcome.reason == Reason::Applied);
  const bool under_way = outcome.kind == Outcome::Kind::Waiting || outcome.kind == Outcome::Kind::Failed;
  conditions.set(ConditionType::Ready, at_target, outcome.reason, outcome.message);
  conditions.set_or_remove(ConditionType::Reconciling, under_way,
                           outcome.kind == Outcome::Kind::Failed ? Reason::Retrying : outcome.reason, outcome.message);
  conditions.set_or_remove(ConditionType::Stalled, outcome.kind == Outcome::Kind::Stalled, outcome.reason, outcome.message);
  set_planned(status, outcome, at_target, conditions);
  note_policy(status, resource, outcome, conditions);
  set_source_condition(status, outcome, conditions);
  set_applied(status, outcome, at_target, conditions);
}

bool shows_source(const DatabaseMigrationStatus& status, SourceStatus source) {
  fit(source);
  return status.source && status.source->kind == source.kind && status.source->revision == source.revision;
}

void note_circumstances(DatabaseMigrationStatus& status, const Outcome& outcome) {
  if (outcome.source && !shows_source(status, *outcome.source)) {
    status.source = outcome.source;  // the same again keeps its time, so that nothing is written for it
  }
  if (outcome.job) {
    status.job = outcome.job;
  }
}

// What every note of a run says.
void begin_note(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const RunNote& note,
                ConditionSet& conditions) {
  status.observed_generation = resource.metadata.generation;
  status.phase = Phase::Migrating;
  status.target_revision = resource.spec.target_revision;
  status.plan = plan_status(note.plan, note.plan_hash, note.destructive);
  set_approved(status, resource, note, conditions);
  remove_condition(status.conditions, ConditionType::Stalled);
  remove_condition(status.conditions, ConditionType::SourceUnavailable);
  conditions.set(ConditionType::Planned, true, Reason::Applying, "plan " + note.plan_hash.substr(0, kShownHash));
}

void say_under_way(Reason reason, const std::string& message, ConditionSet& conditions) {
  conditions.set(ConditionType::Ready, false, reason, message);
  conditions.set(ConditionType::Reconciling, true, reason, message);
  conditions.set(ConditionType::Applied, false, reason, message);
}

// A look that finds what an earlier run left behind has nothing to add to what that run told.
bool tells_nothing_new(const DatabaseMigration& resource, const Outcome& outcome) {
  const Condition* ready = find_condition(resource.status.conditions, ConditionType::Ready);
  return outcome.kind == Outcome::Kind::Done && outcome.reason == Reason::UpToDate && outcome.rows && ready != nullptr &&
         ready->status == ConditionStatus::True && ready->reason == Reason::Applied && !outcome.source_doubt &&
         (!outcome.source || shows_source(resource.status, *outcome.source)) &&
         find_condition(resource.status.conditions, ConditionType::SourceUnavailable) == nullptr &&
         resource.status.observed_generation == resource.metadata.generation && shows_heads(resource.status, *outcome.rows) &&
         resource.status.phase == Phase::Ready && resource.status.target_revision == resource.spec.target_revision;
}

}  // namespace

std::string_view outcome_name(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::Done:
      return "done";
    case Outcome::Kind::Waiting:
      return "waiting";
    case Outcome::Kind::Stalled:
      return "stalled";
    case Outcome::Kind::Failed:
      break;
  }
  return "failed";
}

Outcome outcome_of(Error error) {
  Outcome outcome;
  outcome.reason = reason_for(error);
  outcome.message = error.describe();
  if (error.code == ErrorCode::LockHeld || error.code == ErrorCode::Interrupted) {
    outcome.kind = Outcome::Kind::Waiting;
  } else if (error.retry == RetryClass::Terminal) {
    outcome.kind = Outcome::Kind::Stalled;
  } else {
    outcome.kind = Outcome::Kind::Failed;
    outcome.retry_now = error.retry == RetryClass::Conflict;
  }
  outcome.error = std::move(error);
  return outcome;
}

DatabaseMigrationStatus summarise(const DatabaseMigration& resource, const Outcome& outcome, const Attempt& attempt) {
  if (tells_nothing_new(resource, outcome)) {
    return resource.status;
  }
  DatabaseMigrationStatus status = resource.status;
  const std::string now = format_iso8601(attempt.now);
  status.observed_generation = resource.metadata.generation;
  status.phase = phase_of(outcome);
  status.target_revision = resource.spec.target_revision;
  note_progress(status, outcome);
  if (outcome.rows) {
    status.current_revisions = *outcome.rows;
    status.current_revision = heads_text(*outcome.rows, ",");
  }
  if (outcome.resolved) {
    status.resolved_revisions = first_of(*outcome.resolved);
  }
  if (outcome.pending) {
    status.pending_count = static_cast<std::int64_t>(outcome.pending->size());
    status.pending_revisions = first_of(*outcome.pending);
  }
  if (outcome.plan) {
    status.plan = plan_status(*outcome.plan, outcome.plan_hash, outcome.destructive);
  } else if (outcome.kind == Outcome::Kind::Done && outcome.reason == Reason::UpToDate) {
    status.plan.reset();
  }
  note_circumstances(status, outcome);
  record_history(status, outcome, now);
  if (outcome.error && outcome.kind != Outcome::Kind::Waiting) {
    ErrorStatus error = error_status(outcome, now);
    if (status.last_error) {  // the same failure again keeps its first time, so that nothing is written for it
      error.time = status.last_error->time;
      if (error != *status.last_error) {
        error.time = now;
      }
    }
    status.last_error = std::move(error);
  } else if (outcome.kind != Outcome::Kind::Waiting) {
    status.last_error.reset();
  }
  status.failures = outcome.kind == Outcome::Kind::Failed ? attempt.failures : 0;
  status.next_retry = outcome.kind == Outcome::Kind::Failed && attempt.retry_in
                          ? format_iso8601(attempt.now + *attempt.retry_in)
                          : std::string();
  set_conditions(status, resource, outcome, now);
  fit(status);
  return status;
}

DatabaseMigrationStatus summarise_backing_up(const DatabaseMigration& resource, const RunNote& note, const std::string& message,
                                             WallTime now) {
  DatabaseMigrationStatus status = resource.status;
  ConditionSet conditions(status.conditions, resource.metadata.generation, format_iso8601(now));
  begin_note(status, resource, note, conditions);
  say_under_way(Reason::BackingUp, message, conditions);
  conditions.set(ConditionType::BackedUp, false, Reason::BackingUp, message);
  fit(status);
  return status;
}

DatabaseMigrationStatus summarise_running(const DatabaseMigration& resource, const RunNote& note,
                                          const ProgressStatus& progress, WallTime now) {
  DatabaseMigrationStatus status = resource.status;
  ConditionSet conditions(status.conditions, resource.metadata.generation, format_iso8601(now));
  begin_note(status, resource, note, conditions);
  status.current_revisions = note.plan.from;
  status.current_revision = heads_text(note.plan.from, ",");
  status.progress = progress;
  status.next_retry.clear();
  const std::size_t count = note.plan.revisions.size();
  say_under_way(Reason::Applying,
                std::string(direction_name(note.plan.operation)) + " of " + std::to_string(count) +
                    (count == 1 ? " revision" : " revisions") + " is under way",
                conditions);
  set_backed_up(status, note, conditions);
  fit(status);
  return status;
}

Requeue next_attempt(const Outcome& outcome, int conflicts) {
  switch (outcome.kind) {
    case Outcome::Kind::Done:
    case Outcome::Kind::Stalled:  // observed again, not tried again: a human may have mended the database by hand
      return Requeue::Resync;
    case Outcome::Kind::Waiting:
      if (outcome.requeue_after) {
        return Requeue::Scheduled;
      }
      if (outcome.reason == Reason::Interrupted) {
        return Requeue::Never;
      }
      // An approval is an event of its own.
      return outcome.reason == Reason::ApprovalRequired ? Requeue::Resync : Requeue::Shortly;
    case Outcome::Kind::Failed:
      break;
  }
  return outcome.retry_now && conflicts < kConflictsAtOnce ? Requeue::AtOnce : Requeue::BackOff;
}

}  // namespace athanor::controller
