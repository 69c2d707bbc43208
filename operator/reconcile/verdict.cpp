#include "operator/reconcile/verdict.hpp"

#include <utility>

#include "operator/reconcile/decide.hpp"

namespace athanor::controller {
namespace {

constexpr int kConflictsAtOnce = 3;
constexpr std::string_view kReadOnly = "25006";

// The failing statement may be one of the operator's own, which is not in the revision's file, so drop its context.
Error read_only_error(Error error) {
  error.code = ErrorCode::DatabaseUnreachable;
  error.retry = RetryClass::Transient;
  error.message = "the database is read-only (default_transaction_read_only is on, or the server became a standby)";
  error.context.clear();
  error.hint = "make it writable again; the migration continues automatically";
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
  if (error.sqlstate == kReadOnly) {  // temporary: someone will make it writable again
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

Verdict verdict_from(Decision decision) {
  Verdict verdict;
  switch (decision.kind) {
    case Decision::Kind::Wait:
      verdict.kind = Verdict::Kind::Waiting;
      break;
    case Decision::Kind::Stalled:
      verdict.kind = Verdict::Kind::Stalled;
      break;
    default:
      verdict.kind = Verdict::Kind::Done;
      break;
  }
  verdict.reason = decision.reason;
  verdict.message = std::move(decision.message);
  verdict.error = std::move(decision.error);
  return verdict;
}

Requeue next_attempt(const Verdict& verdict, int conflicts) {
  switch (verdict.kind) {
    case Verdict::Kind::Done:
    case Verdict::Kind::Stalled:  // observe again, but do not run again: the database may have been repaired by hand
      return verdict.requeue_after ? Requeue::Scheduled : Requeue::Resync;
    case Verdict::Kind::Waiting:
      if (verdict.requeue_after) {
        return Requeue::Scheduled;
      }
      if (verdict.reason == Reason::Baselined) {  // continue immediately, also with --once
        return Requeue::AtOnce;
      }
      if (verdict.reason == Reason::Interrupted) {
        return Requeue::Never;
      }
      // A new approval queues the resource.
      return verdict.reason == Reason::ApprovalRequired ? Requeue::Resync : Requeue::Shortly;
    case Verdict::Kind::Failed:
      break;
  }
  return verdict.retry_now && conflicts < kConflictsAtOnce ? Requeue::AtOnce : Requeue::BackOff;
}

}  // namespace athanor::controller
