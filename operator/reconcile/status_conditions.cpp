#include "operator/reconcile/status_conditions.hpp"

#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/status_entries.hpp"

namespace athanor::controller {
namespace {

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

// Sets Approved and BackedUp if the policy requires them. Without a plan they are unchanged.
void set_policy_conditions(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                           ConditionSet& conditions) {
  if (outcome.review) {
    set_approved(status, resource, *outcome.review, conditions);
    set_rehearsed(status, resource, *outcome.review, conditions);
    set_backed_up(status, *outcome.review, conditions);
  }
  if (outcome.reason == Reason::RehearsalFailed) {
    conditions.set(ConditionType::Rehearsed, false, outcome.reason, outcome.message);
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
  if (resource.spec.policy.rehearsal == RehearsalPolicy::Never) {
    status.rehearsal.reset();
    remove_condition(status.conditions, ConditionType::Rehearsed);
  }
}

// Sets SourceUnavailable: whether the outcome is based on an older content of the source.
void set_source_condition(DatabaseMigrationStatus& status, const Outcome& outcome, ConditionSet& conditions) {
  if (outcome.observed.source_error) {
    const std::string revision = outcome.observed.source_revision.value_or("");
    conditions.set(
        ConditionType::SourceUnavailable, true, Reason::SourceNotFound,
        (revision.empty() ? "" : "using the last snapshot, " + revision + ": ") + outcome.observed.source_error->describe());
  } else if (outcome.reason == Reason::SourceNotFound) {
    conditions.set(ConditionType::SourceUnavailable, true, outcome.reason, outcome.message);
  } else if (outcome.kind != Verdict::Kind::Waiting ||
             outcome.observed.source_revision) {  // otherwise the source was not observed
    remove_condition(status.conditions, ConditionType::SourceUnavailable);
  }
}

// Sets Planned: whether there is a plan. A reason that made planning impossible remains for its declaration until the next
// observation.
void set_planned(DatabaseMigrationStatus& status, const Outcome& outcome, bool at_target, ConditionSet& conditions) {
  const Condition* const before = find_condition(status.conditions, ConditionType::Planned);
  if (at_target || outcome.review) {
    conditions.set(ConditionType::Planned, true, at_target ? outcome.reason : Reason::PlanPublished,
                   outcome.review ? "plan " + short_hash(*outcome.review) : "nothing to do");
  } else if (planning_failed(outcome.reason)) {
    conditions.set(ConditionType::Planned, false, outcome.reason, outcome.message);
  } else if (before != nullptr && before->status == ConditionStatus::False && !conditions.may_still_hold(*before, outcome)) {
    remove_condition(status.conditions, ConditionType::Planned);
  }
}

// Sets Applied: whether the last plan was run to its end. An unreachable database or source does not change that.
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

}  // namespace

// An approval or a backup for another plan says nothing about this one.
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
                   "plan " + short_hash(review) + " has no MigrationApproval");
  } else {
    remove_condition(status.conditions, ConditionType::Approved);
  }
}

// A rehearsal of another plan says nothing about this one.
void set_rehearsed(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const PlanReview& review,
                   ConditionSet& conditions) {
  if (review.rehearsal) {
    status.rehearsal = review.rehearsal;
    conditions.set(ConditionType::Rehearsed, review.rehearsal->passed,
                   review.rehearsal->passed ? Reason::RehearsalPassed : Reason::RehearsalFailed, review.rehearsal->message);
  } else if (resource.spec.policy.rehearsal == RehearsalPolicy::Never || !status.rehearsal ||
             status.rehearsal->approval_hash != review.approval_hash) {
    remove_condition(status.conditions, ConditionType::Rehearsed);
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

// The last result remains until the next check.
void set_drifted(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Outcome& outcome,
                 ConditionSet& conditions) {
  if (resource.spec.policy.drift == DriftPolicy::Ignore) {
    remove_condition(status.conditions, ConditionType::Drifted);
  } else if (const auto& drift = outcome.observed.drift) {
    conditions.set(ConditionType::Drifted, drift->drifted, drift->reason, drift->message);
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

void set_under_way(Reason reason, const std::string& message, ConditionSet& conditions) {
  conditions.set(ConditionType::Ready, false, reason, message);
  conditions.set(ConditionType::Reconciling, true, reason, message);
  conditions.set(ConditionType::Applied, false, reason, message);
}

}  // namespace athanor::controller
