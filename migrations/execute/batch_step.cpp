#include <algorithm>
#include <charconv>

#include "migrations/execute/batch_key.hpp"
#include "migrations/execute/replica_lag.hpp"
#include "migrations/execute/revision_transaction.hpp"

namespace athanor {
namespace {

// Walks over one table by key, up to the key that was the largest when the step began: rows added later are not its work, and a
// statement that moves keys cannot make it run forever. Each batch first determines its upper bound, then does its work and
// moves the cursor in one transaction.
class BatchRun {
 public:
  BatchRun(RunContext& run, std::size_t index, std::size_t step)
      : run_(run),
        index_(index),
        revision_(run.plan.revisions[index]),
        step_(step),
        options_(revision_.steps()[step].batch),
        statement_(revision_.steps()[step].statements.front()),
        retries_(run.clock, run.settings.execution.lock_retry_budget),
        lag_(run.clock, options_.max_lag.count() > 0 ? options_.max_lag : run.settings.execution.max_replica_lag) {}

  Result<void> go() {
    Result<void> outcome = walk();
    if (!outcome) {
      store_rows();
    }
    return outcome;
  }

 private:
  Result<void> walk() {
    const auto start = run_.clock.steady_now();
    TRY(begin());
    while (true) {
      if (run_.stop.requested()) {
        return stopped();
      }
      TRY(wait_for_replicas());
      const auto batch_start = run_.clock.steady_now();
      TRY_ASSIGN(const std::optional<std::string> upper, next_upper());
      if (!upper) {
        return complete();
      }
      TRY_ASSIGN(const std::int64_t done, work(*upper));
      // After the commit: at_ is where a retry or the next batch continues.
      at_.cursor = *upper;
      stored_rows_ = at_.rows;
      at_.rows += done;
      run_.sink.batch_progress(revision_, at_.rows, std::chrono::duration_cast<milliseconds>(run_.clock.steady_now() - start));
      if (!rest(done, batch_start)) {
        return stopped();
      }
    }
  }

  // What a command in a transaction does; determines how its failure is explained.
  enum class Part { Question, Nulls, Statement, Written, OwnTable, Row };
  struct Piece {
    Part part;
    Command command;
  };

  Result<void> begin() {
    if (lag_.limit().count() > 0) {
      if (auto visible = ReplicaLag::require_visible(run_.session); !visible) {
        return fail(failed(std::move(visible).error()));
      }
    }
    // An earlier step of the revision may have changed how the server reads the names.
    if (RevisionGuard::needs_text_guard(options_.table + options_.key)) {
      if (auto read = run_.session.query(RevisionGuard::before_text().sql); !read) {
        return fail(failed(explain_failure(run_, {index_, CommandOrigin::Part::TextGuard, &statement_}, read.error())));
      }
    }
    auto found = BatchKey::find(run_.session, options_);
    if (!found) {
      return fail(failed(std::move(found).error()));
    }
    key_.emplace(std::move(*found));
    checks_keys_ = key_->written_by(statement_.sql);
    counts_rows_ = !checks_keys_ && BatchKey::updates(statement_.sql);
    TRY_ASSIGN(const auto row, transact({{Part::OwnTable, run_.ledger.steps().select_batch(key())}}));
    return row[0].empty() ? begin_walk() : resume(row[0]);
  }

  Result<void> begin_walk() {
    TRY(read_bound());
    TRY(transact(
        {{Part::Row, run_.ledger.steps().begin_batches(key(), at_, run_.part_checksum(step_, 0), run_.report.run_id)}}));
    return {};
  }

  Result<void> resume(const Rows& row) {
    at_.cursor = row.cell(0, 0);
    at_.bound = row.cell(0, 1);
    const std::string rows = row.text(0, 2);
    std::from_chars(rows.data(), rows.data() + rows.size(), at_.rows);
    stored_rows_ = at_.rows;
    if (!at_.bound) {  // the table had no rows, or version 0.1.0, which stored no bound, began the step
      TRY(read_bound());
    }
    TRY(transact({{Part::Row, run_.ledger.steps().take_over_batches(key(), at_, row.text(0, 3), run_.report.run_id)}}));
    return {};
  }

  // Rows with a NULL key are in no range, so refuse them before the first batch. Check NOT NULL columns too: PostgreSQL 18 has
  // NOT NULL constraints that are not validated yet.
  Result<void> read_bound() {
    TRY_ASSIGN(const auto nulls, transact({{Part::Question, {BatchKey::pin_settings(), {}, ""}},
                                           {Part::Question, {key_->select_null(), {}, ""}}}));
    if (!nulls[1].empty()) {
      return fail(failed(Error(ErrorCode::StatementFailed, "the table " + options_.table + " has rows whose key " +
                                                               options_.key + " is NULL, and no batch would include them")
                             .advise("use a key that is NOT NULL, or give those rows a key first")));
    }
    TRY_ASSIGN(at_.bound, key_of(key_->select_last()));
    return {};
  }

  Result<void> stopped() {
    return fail(run_.failed_at(
        revision_, nullptr,
        Error(ErrorCode::Interrupted, "stopped on request between two batches after " + std::to_string(at_.rows) + " rows")
            .advise("run again: it continues after the last batch")));
  }

  // The key of the last row of the next batch; empty at the end of the walk.
  Result<std::optional<std::string>> next_upper() {
    if (!at_.bound) {
      return std::optional<std::string>{};
    }
    return key_of(key_->select_upper(at_.cursor, *at_.bound, options_.size));
  }

  // The key that the query returns, as text under pinned settings, because the revision may have changed how values are
  // written.
  Result<std::optional<std::string>> key_of(const std::string& sql) {
    TRY_ASSIGN(const auto answers,
               transact({{Part::Question, {BatchKey::pin_settings(), {}, ""}}, {Part::Question, {sql, {}, ""}}}));
    if (answers[1].empty()) {
      return std::optional<std::string>{};
    }
    if (answers[1].text(0, 1) != "t") {
      return fail(
          failed(Error(ErrorCode::StatementFailed, "the text of the key " + options_.key + " is read back as a different value")
                     .advise("use a key of another type: a number, text, a uuid, a date")));
    }
    return answers[1].rows[0][0];
  }

  [[nodiscard]] std::string statement_up_to(const std::string& upper) const {
    std::string sql(statement_.sql);
    const auto placeholder = sql.find("{batch}");
    return sql.replace(placeholder, std::string_view("{batch}").size(), key_->range(at_.cursor, upper));
  }

  // Runs one batch and returns its number of rows. The row count stored with the cursor excludes this batch, whose count is not
  // known yet; store_rows() adds it if the walk ends here.
  Result<std::int64_t> work(const std::string& upper) {
    std::vector<Piece> pieces;
    const bool has_nulls = BatchKey::has_nulls(key_->range(at_.cursor, upper) + *at_.bound);
    if (has_nulls) {
      pieces.push_back({Part::Nulls, {BatchKey::refuse_unread_nulls(), {}, ""}});
    }
    if (counts_rows_) {
      pieces.push_back({Part::Question, {key_->count_rows(at_.cursor, upper), {}, ""}});
    }
    const std::size_t statement = pieces.size();
    pieces.push_back({Part::Statement, {statement_up_to(upper), {}, "", true}});
    // The cursor moves in the same transaction as the work: after a crash either both are committed or neither is.
    pieces.push_back({Part::Row, run_.ledger.steps().advance(key(), at_.cursor, upper, at_.rows, run_.report.run_id)});
    if (has_nulls && (checks_keys_ || counts_rows_)) {
      pieces.push_back({Part::Nulls, {BatchKey::refuse_unread_nulls(), {}, ""}});
    }
    if (checks_keys_) {
      pieces.push_back({Part::Written, {key_->refuse_written(upper, *at_.bound), {}, ""}});
    } else if (counts_rows_) {
      pieces.push_back({Part::Written, {key_->refuse_moved(at_.cursor, upper, *at_.bound), {}, ""}});
    }
    TRY_ASSIGN(const auto answers, transact(pieces));
    // Each batch has the whole lock retry budget.
    retries_.reset();
    return answers[statement].affected;
  }

  Result<void> complete() {
    TRY(transact({{Part::Row, run_.ledger.steps().complete_batches(key(), at_.cursor, run_.report.run_id)}}));
    return {};
  }

  // A run that is killed leaves the count of the batches before its last one.
  void store_rows() {
    if (!at_.cursor || at_.rows == stored_rows_ || !run_.session.alive()) {
      return;
    }
    const Composed composed =
        compose({{Part::Row, run_.ledger.steps().advance(key(), at_.cursor, *at_.cursor, at_.rows, run_.report.run_id)}});
    if (!run_.session.submit(composed.revision.transaction)) {
      return;
    }
    // The error to report is the one that ended the walk.
    const auto outcome = run_.session.collect();
    if (outcome && outcome->error && !outcome->lost) {
      (void)run_.session.roll_back();
    }
  }

  // The transaction of the pieces, and the piece that each command belongs to.
  struct Composed {
    RevisionTransaction revision;
    std::vector<std::optional<std::size_t>> piece_of;
  };

  // The revision's commands come first, with the revision's settings, and under a transaction-level lock, so that a second run
  // at the same step waits. Our own rows follow, with our own role and settings.
  [[nodiscard]] Composed compose(const std::vector<Piece>& pieces) const {
    using From = CommandOrigin::Part;
    Composed composed;
    RevisionTransaction& into = composed.revision;
    // Prepared statements would not survive: the revision may run DEALLOCATE ALL.
    into.transaction.unprepared = true;
    const auto is_ours = [](const Piece& piece) { return piece.part == Part::OwnTable || piece.part == Part::Row; };
    const auto add = [&](std::size_t piece, From part) {
      composed.piece_of.resize(into.origins.size());
      composed.piece_of.emplace_back(piece);
      into.add(index_, pieces[piece].command, part, part == From::Statement ? &statement_ : nullptr);
    };
    const bool ours = std::ranges::any_of(pieces, is_ours);
    if (ours) {
      into.add(index_, RevisionGuard::read_write(), From::Before);
      into.add(index_, RevisionGuard::lock(), From::Before);
    }
    // The cursor and the bound are part of the text. A function or trigger may have changed how the server reads them: in an
    // earlier step, in the batch before, or in this statement.
    const auto check_text = [&] { into.add(index_, RevisionGuard::before_text(), From::TextGuard, &statement_); };
    bool unchecked = true;
    bool after_statement = false;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (is_ours(pieces[i])) {
        continue;
      }
      if (unchecked) {
        check_text();
      }
      add(i, From::Statement);
      after_statement = pieces[i].part == Part::Statement;
      unchecked = after_statement;
    }
    if (after_statement) {
      check_text();
    }
    if (ours) {
      into.add_defaults(index_);
      into.add_all(index_, run_.guard.after(run_.heads_before(index_)), From::After);
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (is_ours(pieces[i])) {
          add(i, From::After);
        }
      }
    }
    composed.piece_of.resize(into.origins.size());
    return composed;
  }

  // Runs one transaction and retries it within the lock retry budget. Returns the results in the order of the pieces.
  Result<std::vector<Rows>> transact(const std::vector<Piece>& pieces) {
    // Composed once: a retry sends the same commands.
    const Composed composed = compose(pieces);
    while (true) {
      TRY(run_.session.submit(composed.revision.transaction));
      TRY_ASSIGN(TransactionOutcome outcome, run_.session.collect());
      if (!outcome.error) {
        std::vector<Rows> answers(pieces.size());
        for (std::size_t i = 0; i < composed.piece_of.size(); ++i) {
          if (composed.piece_of[i]) {
            answers[*composed.piece_of[i]] = std::move(outcome.answers[i]);
          }
        }
        return answers;
      }
      if (outcome.lost) {
        outcome.error->code = ErrorCode::CommitOutcomeUnknown;
        return fail(std::move(*outcome.error));
      }
      TRY(run_.session.roll_back());
      if (!run_.wait_for_retry(retries_, revision_, *outcome.error)) {
        const std::size_t at = outcome.failed_command;
        const auto piece = at < composed.piece_of.size() ? composed.piece_of[at] : std::nullopt;
        return fail(failed(piece ? explained(pieces[*piece].part, std::move(*outcome.error))
                                 : explain_failure(run_, composed.revision.origin_of(at), std::move(*outcome.error))));
      }
    }
  }

  [[nodiscard]] Error explained(Part part, Error error) const {
    const bool guard = error.sqlstate == VersionTable::kGuardFailed;
    // 23505 (unique_violation): the step row exists already, so another run began the step.
    if (part == Part::Row && (guard || error.sqlstate == "23505")) {
      return Error(ErrorCode::VersionRowMismatch, "another run works on this batch step of revision " +
                                                      *revision_.walk.revision +
                                                      "; this run stopped and processed no row twice")
          .advise("let the other run finish, then check `athanor current`");
    }
    if (part == Part::Nulls && guard) {
      return Error(ErrorCode::UnsupportedStatement,
                   "array_nulls is off, so the server would read a NULL in the key " + options_.key + " as the word NULL")
          .advise("leave array_nulls on: look for it in the revision, in triggers of " + options_.table +
                  ", and in ALTER DATABASE or ALTER ROLE");
    }
    if (part == Part::Written && guard) {
      return Error(ErrorCode::StatementFailed, "the statement wrote rows whose key " + options_.key +
                                                   " has not been reached yet; a later batch would process them again")
          .advise("move keys beyond the largest one or out of the table, or use another key");
    }
    return error;
  }

  Error failed(Error error) { return run_.failed_at(revision_, &statement_, std::move(error)); }

  // Sleeps for the configured pause, or longer if `rate` rows per second demands it. False when a stop was requested.
  bool rest(std::int64_t done, SteadyTime batch_start) {
    // The time that the batch took counts towards the rate.
    milliseconds pause = options_.pause;
    if (options_.rate > 0) {
      const milliseconds due(done * 1000 / options_.rate);
      const auto spent = std::chrono::duration_cast<milliseconds>(run_.clock.steady_now() - batch_start);
      pause = std::max(pause, due - spent);
    }
    return pause.count() <= 0 || run_.clock.wait(pause, run_.stop);
  }

  Result<void> wait_for_replicas() {
    const auto start = run_.clock.steady_now();
    while (true) {
      auto lag = lag_.exceeded(run_.session);
      if (!lag) {
        return fail(failed(std::move(lag).error()));
      }
      if (!*lag) {
        return {};
      }
      run_.sink.waiting_for_replica(revision_, **lag, lag_.limit(),
                                    std::chrono::duration_cast<milliseconds>(run_.clock.steady_now() - start));
      if (!run_.clock.wait(milliseconds(500), run_.stop)) {
        return stopped();
      }
    }
  }

  [[nodiscard]] StepKey key() const { return {*revision_.walk.revision, row_direction(revision_), step_}; }

  RunContext& run_;
  std::size_t index_;
  const PlannedRevision& revision_;
  std::size_t step_;
  const BatchOptions& options_;
  const SqlStatement& statement_;
  LockRetries retries_;
  ReplicaLag lag_;
  std::optional<BatchKey> key_;
  BatchProgress at_;
  std::int64_t stored_rows_ = 0;  // the count in the ledger's row
  bool checks_keys_ = false;      // the statement itself may write keys that the walk has not reached
  bool counts_rows_ = false;      // a view, partition or trigger may move keys while it runs
};

}  // namespace

Result<void> run_batch_step(RunContext& run, std::size_t index, std::size_t step) {
  return BatchRun(run, index, step).go();
}

}  // namespace athanor
