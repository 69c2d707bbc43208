#include <algorithm>

#include "migrations/execute/file_position.hpp"
#include "migrations/execute/run_context.hpp"

namespace athanor {
namespace {

constexpr milliseconds kLongestPause{15'000};
constexpr milliseconds kAskForBlockersAfter{750};  // a shorter wait is usually normal work
constexpr milliseconds kAskForBlockersEvery{250};

}  // namespace

std::optional<milliseconds> LockRetries::pause_after(const Error& error) {
  // lock_not_available, deadlock_detected, serialization_failure: the transaction was rolled back and may succeed later.
  const bool contention = error.sqlstate == "55P03" || error.sqlstate == "40P01" || error.sqlstate == "40001";
  if (!contention || budget_.count() == 0) {
    return std::nullopt;
  }
  const auto now = clock_->steady_now();
  // The budget starts with the first failure, not with the step.
  if (!since_) {
    since_ = now;
  }
  if (now - *since_ + next_ > budget_) {
    return std::nullopt;
  }
  ++attempts_;
  return std::exchange(next_, std::min(next_ * 2, kLongestPause));
}

void LockRetries::reset() {
  since_.reset();
  next_ = milliseconds(250);
  attempts_ = 0;
}

std::string_view row_direction(const PlannedRevision& revision) {
  return revision.walk.revision ? direction_name(revision.walk.direction) : direction_name(Direction::Stamp);
}

const std::vector<std::string>& RunContext::heads_before(std::size_t index) const {
  return index == 0 ? plan.from : plan.revisions[index - 1].walk.heads;
}

HistoryTable::Entry RunContext::entry(const PlannedRevision& revision, std::string_view outcome) const {
  HistoryTable::Entry entry{report.run_id,
                            revision.walk.revision ? std::string_view(*revision.walk.revision) : std::string_view(plan.target),
                            row_direction(revision),
                            outcome,
                            revision.script ? std::string_view(revision.script->checksum) : std::string_view(),
                            plan.hash,
                            settings.actor};
  if (takeover != nullptr) {
    entry.note = takeover->note;
  }
  if (revision.script && revision.walk.direction == Direction::Upgrade) {
    entry.lineage = {&revision.down, &revision.depends_on, &revision.labels,
                     settings.ledger_keeps_text ? std::string_view(*revision.script->text) : std::string_view()};
  }
  return entry;
}

Error RunContext::failed_at(const PlannedRevision& revision, const SqlStatement* statement, Error error) {
  failed = &revision;
  report.failed_revision = revision.walk.revision.value_or("");
  if (statement != nullptr) {
    report.failed_statement = sanitise_sql(statement->sql);
    const auto position = file_position(revision.script ? *revision.script->text : std::string_view(), *statement, error);
    report.failed_line = position.line;
    if (error.context.empty()) {
      error.context = describe_position(revision.path, position);
    }
  } else if (error.context.empty()) {
    error.context = revision.path;
  }
  // 57014 is query_canceled, from our stop request, from statement_timeout or from another session.
  const bool cancelled = error.sqlstate == "57014";
  const bool contention = error.sqlstate == "55P03" || error.sqlstate == "40P01" || error.sqlstate == "40001";
  // After a stop request there are no retries, so report the stop and not the lock timeout.
  if ((cancelled || contention) && stop.requested()) {
    error.code = ErrorCode::Interrupted;
    error.retry = RetryClass::Transient;
    error.message = "stopped on request; the running transaction was rolled back";
  } else if (error.sqlstate == "55P03") {
    error.message = "could not obtain a lock within the lock retry budget of " +
                    std::to_string(settings.execution.lock_retry_budget.count() / 1000) + " s; the transaction was rolled back";
    error.hint = report.blockers.empty() ? "try again when there is less load, or raise execution.lock_retry_budget"
                                         : "end the blocking sessions or wait for them, then run again";
  } else if (cancelled && error.message.find("statement timeout") != std::string::npos) {
    const bool ours = settings.execution.statement_timeout.count() > 0;
    error.message = std::string("the statement exceeded the statement timeout") + (ours ? "" : " that the revision set") +
                    "; its transaction was rolled back";
    error.hint = ours
                     ? "raise execution.statement_timeout (0 means none)"
                     : "raise statement_timeout where the revision sets it; execution.statement_timeout is 0, which means none";
  } else if (cancelled) {
    error.message = "the statement was cancelled by another session; its transaction was rolled back";
    error.hint = "find out who called pg_cancel_backend (see the server log), then run again";
  } else if (error.sqlstate == "25006") {
    // The server itself accepts writes: it was checked before the run.
    error.hint =
        "the transaction is read-only: check for READ ONLY and default_transaction_read_only in the revision, in functions it "
        "calls, in PGOPTIONS and in `options` of the URL";
  }
  return error;
}

bool RunContext::wait_for_retry(LockRetries& retries, const PlannedRevision& revision, const Error& error) {
  if (stop.requested()) {
    return false;
  }
  const auto pause = retries.pause_after(error);
  if (!pause) {
    return false;
  }
  ++report.lock_retries;
  sink.retrying(revision, error, retries.attempts(), *pause);
  return clock.wait(*pause, stop);
}

void RunContext::finished(std::size_t index, milliseconds duration) {
  const auto& revision = plan.revisions[index];
  report.executed.push_back({revision.walk.revision.value_or(""), revision.walk.direction, duration});
  report.current_heads = revision.walk.heads;
  sink.revision_finished(index, revision, duration);
}

bool RunContext::while_waiting(milliseconds waited) {
  if (stop.requested()) {
    if (!stop_seen) {
      stop_seen = clock.steady_now();
    }
    // The grace period starts when the stop is first noticed, not when the statement began.
    if (stop.level() == StopLevel::Now || clock.steady_now() - *stop_seen >= settings.execution.stop_grace) {
      return true;
    }
  }
  if (running != nullptr && asks_for_blockers(waited)) {
    asked_for_blockers = waited;
    if (auto blockers = watch.blockers_of(session.backend_pid()); !blockers.empty()) {
      sink.blocked(*running, blockers, waited);
      report.blockers = std::move(blockers);
    } else if (waited >= kAskForBlockersAfter) {
      sink.working(*running, waited);
    }
  }
  return false;
}

// Query early enough that a short lock_timeout does not end the wait first. While an attempt failed for a lock and no blocker
// was found, query at every opportunity during the next attempt: the lock may belong to its last statement.
bool RunContext::asks_for_blockers(milliseconds waited) {
  if (waited < asked_for_blockers) {
    asked_for_blockers = milliseconds(0);  // a new wait began
  }
  const milliseconds timeout = settings.execution.lock_timeout;
  const bool short_timeout = timeout.count() > 0 && timeout < kAskForBlockersAfter;
  if (short_timeout && report.lock_retries > 0 && report.blockers.empty()) {
    return true;
  }
  const milliseconds first = short_timeout ? timeout / 2 : kAskForBlockersAfter;
  return waited >= first && (asked_for_blockers.count() == 0 || waited - asked_for_blockers >= kAskForBlockersEvery);
}

}  // namespace athanor
