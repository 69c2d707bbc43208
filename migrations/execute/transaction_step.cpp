#include <algorithm>
#include <deque>

#include "migrations/execute/run_context.hpp"

namespace athanor {
namespace {

// How far the client may run ahead of the server. Enough to hide the round trips, little enough to stop soon.
constexpr std::size_t kWindow = 32;
constexpr std::size_t kWindowBytes = 1U << 20U;

// A transaction and what each of its commands belongs to.
struct Group {
  struct Origin {
    std::size_t revision = 0;
    const SqlStatement* statement = nullptr;  // null for guards and bookkeeping
  };
  Transaction transaction;
  std::vector<Origin> origins;
  std::size_t first = 0;  // revisions [first, last)
  std::size_t last = 0;
  std::size_t bytes = 0;
};

void append_revision(const RunContext& run, std::size_t index, Group& group) {
  const auto& revision = run.plan.revisions[index];
  const auto add = [&](Command command, const SqlStatement* statement) {
    group.bytes += command.sql.size();
    group.transaction.commands.push_back(std::move(command));
    group.origins.push_back({index, statement});
  };
  if (run.purge && index == 0) {
    add(run.versions.purge(), nullptr);
  }
  for (auto& command : run.versions.apply(revision.walk, run.heads_before(index))) {
    add(std::move(command), nullptr);
  }
  if (revision.script) {
    for (const auto& step : revision.steps()) {
      for (const auto& statement : step.statements) {
        group.transaction.reset_after = group.transaction.reset_after || changes_session_state(statement.sql);
        add({std::string(statement.sql), {}, "", true}, &statement);
      }
    }
  }
  add(run.ledger.history().record(run.entry(revision, revision.script ? "applied" : "stamped")), nullptr);
}

// Pipelines groups, retries on lock contention, and leaves the session idle whatever happens.
class TransactionRun {
 public:
  TransactionRun(RunContext& run, std::size_t first, std::size_t last)
      : run_(run), last_(last), next_(first), retries_(run.clock, run.settings.execution.lock_retry_budget) {}

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
    while (next_ < last_ && window_.size() < kWindow && bytes_ < kWindowBytes && !run_.stop.requested()) {
      Group group;
      group.first = next_;
      // Alembic's transaction_per_migration=False, and a stamp: all or nothing.
      const bool together = !run_.settings.transaction_per_migration || run_.plan.operation == Direction::Stamp;
      const std::size_t end = together ? last_ : next_ + 1;
      for (; next_ < end; ++next_) {
        append_revision(run_, next_, group);
      }
      group.last = next_;
      if (auto sent = run_.session.submit(group.transaction); !sent) {
        return lost(std::move(sent).error());
      }
      group.transaction.commands.clear();
      bytes_ += group.bytes;
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
    bytes_ -= group.bytes;
    if (outcome.lost) {
      if (!outcome.answers.empty() && outcome.answers.size() == group.origins.size() && !outcome.answers.back().empty()) {
        run_.lost_transaction = outcome.answers.back().text(0, 0);
      }
      return lost(std::move(*outcome.error));
    }
    if (outcome.error) {
      return failed(group, outcome);
    }
    const auto now = run_.clock.steady_now();
    const auto duration = std::chrono::duration_cast<milliseconds>(now - last_finish_);
    last_finish_ = now;
    for (std::size_t index = group.first; index < group.last; ++index) {
      run_.finished(index, duration / static_cast<int>(group.last - group.first));
    }
    retries_.reset();
    return {};
  }

  // The session is gone, and whether the transactions in flight committed is for the caller to find out.
  static Result<void> lost(Error error) {
    error.code = ErrorCode::CommitOutcomeUnknown;
    return fail(std::move(error));
  }

  Result<void> failed(const Group& group, TransactionOutcome& outcome) {
    while (!window_.empty()) {  // everything behind it was refused by the server; its answers must be taken all the same
      TRY_ASSIGN(const TransactionOutcome behind, run_.session.collect());
      window_.pop_front();
      if (behind.lost) {
        return lost(*behind.error);
      }
    }
    bytes_ = 0;
    TRY(run_.session.recover());
    const bool at_commit = outcome.failed_command >= group.origins.size();
    const auto origin = at_commit ? Group::Origin{group.last - 1, nullptr} : group.origins[outcome.failed_command];
    const auto& revision = run_.plan.revisions[origin.revision];
    Error error = std::move(*outcome.error);
    if (origin.statement == nullptr && error.sqlstate == VersionTable::kGuardFailed) {
      return fail(run_.failed_at(revision, nullptr, row_mismatch(revision, run_.heads_before(origin.revision))));
    }
    if (run_.wait_for_retry(retries_, revision, error)) {
      next_ = group.first;
      last_finish_ = run_.clock.steady_now();
      return {};
    }
    if (at_commit) {
      error.message += " (at COMMIT)";
    }
    return fail(run_.failed_at(revision, origin.statement, std::move(error)));
  }

  [[nodiscard]] Error row_mismatch(const PlannedRevision& revision, const std::vector<std::string>& expected) const {
    std::string heads;
    for (const auto& head : expected) {
      heads += (heads.empty() ? "" : ", ") + head;
    }
    return Error(ErrorCode::VersionRowMismatch, "the version table " + run_.versions.qualified() +
                                                    " no longer holds what revision " +
                                                    revision.walk.revision.value_or(run_.plan.target) + " starts from (" +
                                                    (heads.empty() ? "no row" : heads) + "); nothing of it was applied")
        .advise("another tool wrote to the version table during the run: look at `athanor current`, then run again");
  }

  RunContext& run_;
  std::size_t last_;
  std::size_t next_;
  std::deque<Group> window_;
  std::size_t bytes_ = 0;
  LockRetries retries_;
  SteadyTime last_finish_;
};

}  // namespace

Result<void> run_transactions(RunContext& run, std::size_t first, std::size_t last) {
  return TransactionRun(run, first, last).go();
}

}  // namespace athanor
