#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "migrations/execute/revision_transaction.hpp"

namespace athanor {
namespace {

// How far the client may run ahead of the server: enough to hide round trips, little enough to stop soon.
constexpr std::size_t kWindow = 32;
constexpr std::size_t kWindowBytes = 1U << 20U;

constexpr std::string_view kNoSuchPrepared = "26000";

// One transaction, of the revisions [first, last).
struct Group {
  RevisionTransaction composed;
  std::size_t first = 0;
  std::size_t last = 0;
};

void append_revision(const RunContext& run, std::size_t index, Scrutiny scrutiny, RevisionTransaction& into) {
  using Part = CommandOrigin::Part;
  const auto& revision = run.plan.revisions[index];
  into.add(index, run.guard.before(), Part::Before);
  if (run.purge && index == 0) {
    into.add(index, run.versions.purge(), Part::Before);
  }
  if (run.takeover != nullptr && index == 0) {
    into.add_all(index, run.takeover->conditions, Part::Before);
  }
  // The version row moves before the revision's statements: a wrong starting point fails at once, without running any of them.
  into.add_all(index, run.versions.apply(revision.walk, run.heads_before(index)), Part::Before);
  if (revision.script) {
    bool fresh = true;
    for (const auto& step : revision.steps()) {
      into.add_statements(index, step, std::exchange(fresh, false));
    }
    into.add_reset(index);
    // Removes what this revision prepared, which the guard of the next one would refuse. Ours may go too: this transaction does
    // not use them.
    if (into.transaction.unprepared) {
      into.add(index, {"DEALLOCATE ALL", {}, ""}, Part::After);
    }
    into.add_all(index, run.guard.after(revision.walk.heads, scrutiny), Part::After);
  }
}

// Append only after the last guard, which would mistake our own rows for the revision's.
void append_records(const RunContext& run, const Group& group, RevisionTransaction& into) {
  for (std::size_t index = group.first; index < group.last; ++index) {
    const auto& revision = run.plan.revisions[index];
    into.add(index, run.ledger.history().record(run.entry(revision, revision.script ? "applied" : "stamped")),
             CommandOrigin::Part::After);
  }
}

// Sends transactions in a pipeline, retries after lock contention, and always leaves the session idle.
class TransactionRun {
 public:
  TransactionRun(RunContext& run, std::size_t first, std::size_t last)
      : run_(run),
        last_(last),
        next_(first),
        retries_(run.clock, run.settings.execution.lock_retry_budget),
        scrutiny_(run.guard.first_scrutiny()) {}

  Result<void> go() {
    last_finish_ = run_.clock.steady_now();
    while (true) {
      TRY(fill());
      if (window_.empty()) {
        break;
      }
      TRY(take_one());
    }
    if (next_ < last_) {
      return fail(ErrorCode::Interrupted, "stopped on request between two revisions");
    }
    return {};
  }

 private:
  Result<void> fill() {
    // A stop request sends nothing more; what is in flight is still collected.
    while (next_ < last_ && window_.size() < kWindow && bytes_ < kWindowBytes && !alone_ && !run_.stop.requested()) {
      Group group;
      group.first = next_;
      group.composed.transaction.unprepared = next_ == unprepared_;
      alone_ = group.composed.transaction.unprepared;
      // transaction_per_migration=False in Alembic, and a stamp: all or nothing.
      const bool together = !run_.settings.transaction_per_migration || run_.plan.operation == Direction::Stamp;
      const std::size_t end = together ? last_ : next_ + 1;
      // In a shared transaction, one revision may drop a prepared statement that the next one would need.
      group.composed.transaction.unprepared = group.composed.transaction.unprepared || end - next_ > 1;
      for (; next_ < end; ++next_) {
        append_revision(run_, next_, scrutiny_, group.composed);
      }
      group.last = next_;
      append_records(run_, group, group.composed);
      // The transactions behind a failed one cannot apply: their guards expect its version row.
      if (auto sent = run_.session.submit(group.composed.transaction); !sent) {
        return lost(std::move(sent).error());
      }
      // The text is sent: keep only the origins, to explain a failure.
      group.composed.transaction.commands.clear();
      bytes_ += group.composed.bytes;
      window_.push_back(std::move(group));
    }
    return {};
  }

  Result<void> take_one() {
    const std::size_t first = window_.front().first;
    run_.running = &run_.plan.revisions[first];
    run_.sink.revision_started(first, *run_.running);
    TRY_ASSIGN(TransactionOutcome outcome, run_.session.collect());
    const Group group = std::move(window_.front());
    window_.pop_front();
    bytes_ -= group.composed.bytes;
    if (outcome.lost) {
      // The last command is the INSERT into the history, which returns the id of the transaction.
      if (!outcome.answers.empty() && outcome.answers.size() == group.composed.origins.size() &&
          !outcome.answers.back().empty()) {
        run_.lost_transaction = outcome.answers.back().text(0, 0);
      }
      return lost(std::move(*outcome.error));
    }
    if (outcome.error) {
      return failed(group, outcome);
    }
    const auto now = run_.clock.steady_now();
    // Transactions overlap in the pipeline, so each is measured from the end of the one before.
    const auto duration = std::chrono::duration_cast<milliseconds>(now - last_finish_);
    last_finish_ = now;
    for (std::size_t index = group.first; index < group.last; ++index) {
      run_.finished(index, duration / static_cast<int>(group.last - group.first));
    }
    retries_.reset();
    cleaned_ = false;
    if (std::exchange(alone_, false)) {
      return run_.session.recover();  // prepares again what the revision dropped
    }
    return {};
  }

  // The session is lost; the caller must find out whether the transactions in flight committed.
  static Result<void> lost(Error error) {
    error.code = ErrorCode::CommitOutcomeUnknown;
    return fail(std::move(error));
  }

  Result<void> failed(const Group& group, TransactionOutcome& outcome) {
    while (!window_.empty()) {  // everything behind it was refused by the server; collect the answers anyway
      TRY_ASSIGN(const TransactionOutcome behind, run_.session.collect());
      window_.pop_front();
      if (behind.lost) {
        return lost(*behind.error);
      }
    }
    bytes_ = 0;
    alone_ = false;
    // The session must be clean before a retry, and before the failure is recorded.
    TRY(run_.session.recover());
    const CommandOrigin origin = group.composed.origin_of(outcome.failed_command);
    const auto& revision = run_.plan.revisions[origin.revision];
    Error error = std::move(*outcome.error);
    if (try_again_clean(group, origin, error) || run_.wait_for_retry(retries_, revision, error)) {
      next_ = group.first;
      last_finish_ = run_.clock.steady_now();
      return {};
    }
    run_.recovered = true;
    return fail(run_.failed_at(revision, origin.statement, explain_failure(run_, origin, std::move(error))));
  }

  // A revision may drop our prepared statements, leave its own, or give our tables to another trustworthy owner. None of these
  // is an error: retry once in the session, which is clean again.
  bool try_again_clean(const Group& group, const CommandOrigin& origin, const Error& error) {
    if (origin.part == CommandOrigin::Part::Statement) {
      return false;
    }
    if (error.sqlstate == kNoSuchPrepared && unprepared_ != group.first) {
      unprepared_ = group.first;
      return true;
    }
    if (error.sqlstate == RevisionGuard::kSessionDirty && !cleaned_) {
      cleaned_ = true;
      return true;
    }
    if (error.sqlstate == RevisionGuard::kTablesChanged && scrutiny_ == Scrutiny::DoubtOnly) {
      scrutiny_ = Scrutiny::Full;
      return true;
    }
    return false;
  }

  RunContext& run_;
  std::size_t last_;
  std::size_t next_;
  std::deque<Group> window_;
  std::size_t bytes_ = 0;
  LockRetries retries_;
  SteadyTime last_finish_;
  std::optional<std::size_t> unprepared_;  // index of the revision to send without prepared statements, because it drops them
  bool alone_ = false;                     // the unprepared revision is in flight; nothing may follow it
  bool cleaned_ = false;                   // the session was already reset once because it was not clean
  Scrutiny scrutiny_;                      // of the check of our tables after each revision
};

}  // namespace

Result<void> run_transactions(RunContext& run, std::size_t first, std::size_t last) {
  return TransactionRun(run, first, last).go();
}

}  // namespace athanor
