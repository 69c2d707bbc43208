#include <algorithm>
#include <charconv>

#include "migrations/execute/run_context.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// The keyset walk over one table: bounds first, then work and cursor in one transaction.
class BatchRun {
 public:
  BatchRun(RunContext& run, const PlannedRevision& revision, std::size_t step, std::optional<std::string> cursor,
           std::int64_t rows)
      : run_(run),
        revision_(revision),
        step_(step),
        options_(revision.steps()[step].batch),
        statement_(revision.steps()[step].statements.front()),
        key_(quote_identifier(options_.key)),
        cursor_(std::move(cursor)),
        rows_(rows),
        retries_(run.clock, run.settings.execution.lock_retry_budget) {}

  Result<void> go() {
    const auto start = run_.clock.steady_now();
    while (true) {
      if (run_.stop.requested()) {
        return stopped();
      }
      TRY(wait_for_replicas());
      const auto batch_start = run_.clock.steady_now();
      TRY_ASSIGN(const std::optional<std::string> upper, next_bound());
      if (!upper) {
        return {};
      }
      TRY_ASSIGN(const std::int64_t done, work(*upper));
      if (done < 0) {
        continue;  // lock contention: the same batch again
      }
      cursor_ = *upper;
      rows_ += done;
      run_.sink.batch_progress(revision_, rows_, std::chrono::duration_cast<milliseconds>(run_.clock.steady_now() - start));
      if (!rest(done, batch_start)) {
        return stopped();
      }
    }
  }

 private:
  Result<void> stopped() {
    return fail(run_.failed_at(
        revision_, nullptr,
        Error(ErrorCode::Interrupted, "stopped on request between two batches after " + std::to_string(rows_) + " rows")
            .advise("run again: it continues after the last batch")));
  }

  // Key of the last row of the next batch; nothing at the end of the table.
  Result<std::optional<std::string>> next_bound() {
    const std::string after = !cursor_ ? "" : " WHERE " + key_ + " > " + quote_literal(*cursor_);
    auto answer = run_.session.query("SELECT (max(k))::text FROM (SELECT " + key_ + " AS k FROM " + options_.table + after +
                                     " ORDER BY " + key_ + " LIMIT " + std::to_string(options_.size) + ") AS keys");
    if (!answer && answer.error().sqlstate == "42883") {
      answer =
          run_.session.query("SELECT k::text FROM (SELECT " + key_ + " AS k FROM " + options_.table + after + " ORDER BY " +
                             key_ + " LIMIT " + std::to_string(options_.size) + ") AS keys ORDER BY keys.k DESC LIMIT 1");
    }
    if (!answer) {
      return fail(run_.failed_at(revision_, &statement_, std::move(answer).error()));
    }
    if (answer->empty() || !answer->rows[0][0]) {
      return std::optional<std::string>{};
    }
    return std::optional<std::string>(answer->text(0, 0));
  }

  [[nodiscard]] std::string statement_up_to(const std::string& upper) const {
    std::string range = key_ + " <= " + quote_literal(upper);
    if (cursor_) {
      range = "(" + key_ + " > " + quote_literal(*cursor_) + " AND " + range + ")";
    }
    std::string sql(statement_.sql);
    const auto placeholder = sql.find("{batch}");
    return sql.replace(placeholder, std::string_view("{batch}").size(), range);
  }

  // Rows done, or -1 when the batch must be tried again.
  Result<std::int64_t> work(const std::string& upper) {
    Transaction transaction;
    transaction.commands.push_back({statement_up_to(upper), {}, ""});
    TRY(run_.session.submit(transaction_with_cursor(std::move(transaction), upper)));
    TRY_ASSIGN(TransactionOutcome outcome, run_.session.collect());
    if (outcome.lost) {
      outcome.error->code = ErrorCode::CommitOutcomeUnknown;
      return fail(std::move(*outcome.error));
    }
    if (!outcome.error) {
      retries_.reset();
      return outcome.answers.front().affected;
    }
    TRY(run_.session.recover());
    if (run_.wait_for_retry(retries_, revision_, *outcome.error)) {
      return std::int64_t{-1};
    }
    return fail(run_.failed_at(revision_, &statement_, std::move(*outcome.error)));
  }

  // The row count stored with the cursor is that of the batches before: this one's is not known yet, and it only tells
  // progress.
  Transaction transaction_with_cursor(Transaction transaction, const std::string& upper) {
    transaction.commands.push_back(run_.ledger.steps().record_cursor(
        {*revision_.walk.revision, row_direction(revision_), step_},
        {.cursor = upper, .rows = rows_, .checksum = run_.part_checksum(step_, 0), .run_id = run_.report.run_id}));
    return transaction;
  }

  // Pause, and no more than `rate` rows a second.
  bool rest(std::int64_t done, SteadyTime batch_start) {
    milliseconds pause = options_.pause;
    if (options_.rate > 0) {
      const milliseconds due(done * 1000 / options_.rate);
      const auto spent = std::chrono::duration_cast<milliseconds>(run_.clock.steady_now() - batch_start);
      pause = std::max(pause, due - spent);
    }
    return pause.count() <= 0 || run_.clock.wait(pause, run_.stop);
  }

  Result<void> wait_for_replicas() {
    const milliseconds limit = options_.max_lag.count() > 0 ? options_.max_lag : run_.settings.execution.max_replica_lag;
    if (limit.count() == 0) {
      return {};
    }
    while (true) {
      TRY_ASSIGN(const Rows answer,
                 run_.session.query(
                     "SELECT coalesce(max(extract(epoch FROM replay_lag) * 1000), 0)::bigint FROM pg_stat_replication"));
      std::int64_t lag = 0;
      const std::string text = answer.text(0, 0);
      std::from_chars(text.data(), text.data() + text.size(), lag);
      if (lag <= limit.count()) {
        return {};
      }
      if (!run_.clock.wait(milliseconds(500), run_.stop)) {
        return stopped();
      }
    }
  }

  RunContext& run_;
  const PlannedRevision& revision_;
  std::size_t step_;
  const BatchOptions& options_;
  const SqlStatement& statement_;
  std::string key_;
  std::optional<std::string> cursor_;
  std::int64_t rows_;
  LockRetries retries_;
};

}  // namespace

Result<void> run_batch_step(RunContext& run, const PlannedRevision& revision, std::size_t step,
                            std::optional<std::string> cursor, std::int64_t rows) {
  return BatchRun(run, revision, step, std::move(cursor), rows).go();
}

}  // namespace athanor
