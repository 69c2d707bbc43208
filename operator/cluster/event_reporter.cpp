#include "operator/cluster/event_reporter.hpp"

#include <utility>

#include "migrations/text/printable.hpp"

namespace athanor::controller {

std::optional<EventRecord> event_of(const Outcome& outcome, bool ready_changed) {
  const bool attempt =
      outcome.kind == Verdict::Kind::Failed || outcome.reason == Reason::Applied || outcome.reason == Reason::LockHeld;
  // Report every attempt, but a state only when Ready changes.
  if (!ready_changed && !attempt) {
    return std::nullopt;
  }
  EventRecord event;
  event.reason = reason_name(outcome.reason);
  event.note = outcome.message;
  event.action = "Migrate";
  switch (outcome.kind) {
    case Verdict::Kind::Done:
      if (outcome.reason == Reason::PlanPublished) {
        event.action = "Plan";
        return event;
      }
      if (outcome.reason == Reason::Applied) {
        return event;
      }
      return std::nullopt;
    case Verdict::Kind::Waiting:
      if (outcome.reason == Reason::ApprovalRequired || outcome.reason == Reason::OutsideWindow) {
        event.action = "Plan";
        return event;
      }
      if (outcome.reason == Reason::ApprovalsUntrusted) {
        event.action = "Plan";
        event.type = EventType::Warning;
        return event;
      }
      if (outcome.reason == Reason::Interrupted && outcome.report) {  // some revisions were run before the stop
        return event;
      }
      return outcome.reason == Reason::JobRunning || outcome.reason == Reason::LockHeld || outcome.reason == Reason::Baselined
                 ? std::optional(event)
                 : std::nullopt;
    case Verdict::Kind::Stalled:
    case Verdict::Kind::Failed:
      break;
  }
  // A repeated failure was reported by the reconcile that found it; a lost race is retried immediately.
  if (outcome.repeated || outcome.retry_now) {
    return std::nullopt;
  }
  event.type = EventType::Warning;
  if (outcome.reason == Reason::BackupFailed) {
    event.action = "Backup";
  } else if (outcome.reason == Reason::RehearsalFailed) {
    event.action = "Rehearse";
  } else if (outcome.reason == Reason::PlanRejected || outcome.reason == Reason::LintFindings) {
    event.action = "Plan";
  }
  return event;
}

std::optional<EventRecord> backup_event_of(const Outcome& outcome) {
  if (!outcome.review) {
    return std::nullopt;
  }
  const PlanReview& review = *outcome.review;
  EventRecord event;
  event.action = "Backup";
  if (review.backup_error) {
    event.type = EventType::Warning;
    event.reason = reason_name(Reason::BackupFailed);
    event.note = "backup failed, but is not required: " + review.backup_error->describe();
    return event;
  }
  if (!review.backup || review.backup_accepted) {
    return std::nullopt;
  }
  event.reason = reason_name(Reason::BackupTaken);
  event.note = "backup " + review.backup->location + ", " + std::to_string(review.backup->size_bytes) + " bytes";
  return event;
}

std::optional<EventRecord> drift_event_of(const Outcome& outcome) {
  const auto& drift = outcome.observed.drift;
  if (!drift || !drift->changed || drift->reason == Reason::CatalogNotRecorded) {
    return std::nullopt;
  }
  EventRecord event;
  event.type = drift->drifted == ConditionStatus::False ? EventType::Normal : EventType::Warning;
  event.reason = reason_name(drift->reason);
  event.note = drift->message;
  event.action = "Compare";
  return event;
}

std::optional<EventRecord> lint_event_of(const Outcome& outcome) {
  // An error blocks the run, which has an event of its own.
  if (!outcome.review || !outcome.review->lint || !outcome.review->lint_is_new || outcome.reason == Reason::LintFindings) {
    return std::nullopt;
  }
  const LintSummary& lint = *outcome.review->lint;
  if (lint.errors + lint.warnings == 0) {
    return std::nullopt;
  }
  EventRecord event;
  event.type = EventType::Warning;
  event.reason = reason_name(Reason::LintFindings);
  event.note = "lint found " + lint.sentence() + (lint.findings.empty() ? "" : ": " + lint.findings.front());
  event.action = "Plan";
  return event;
}

std::optional<EventRecord> wait_event_of(const DatabaseMigrationStatus& status) {
  const Condition* const ready = find_condition(status.conditions, ConditionType::Ready);
  if (ready == nullptr || (ready->reason != Reason::LockHeld && ready->reason != Reason::WaitingForLock)) {
    return std::nullopt;
  }
  EventRecord event;
  event.reason = reason_name(ready->reason);
  event.note = ready->message;
  event.action = "Migrate";
  return event;
}

void EventReporter::report(const MigrationChange& change) {
  if (change.outcome == nullptr && !change.ready_changed) {
    return;
  }
  const auto target = store_.event_target(change.key);
  if (!target) {  // deleted meanwhile
    return;
  }
  const auto record = [&](std::optional<EventRecord> event) {
    if (event) {
      event->regarding = *target;
      event->note = printable(event->note);
      recorder_.record(std::move(*event));
    }
  };
  if (change.outcome == nullptr) {
    record(wait_event_of(change.status));
    return;
  }
  record(backup_event_of(*change.outcome));
  record(drift_event_of(*change.outcome));
  record(lint_event_of(*change.outcome));
  record(event_of(*change.outcome, change.ready_changed));
}

}  // namespace athanor::controller
