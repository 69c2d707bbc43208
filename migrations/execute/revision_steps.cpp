#include <utility>

#include "migrations/execute/revision_transaction.hpp"
#include "migrations/plan/custom_settings.hpp"

namespace athanor {
namespace {

// Runs a revision of several transactions. The ledger's step rows record its progress; the version row moves with the last
// step.
class StepsRun {
 public:
  StepsRun(RunContext& run, std::size_t index)
      : run_(run), index_(index), revision_(run.plan.revisions[index]), start_(run.clock.steady_now()) {}

  Result<void> go() {
    run_.running = &revision_;
    run_.parts.emplace(revision_.script->checksum, revision_.steps());
    run_.custom_settings = custom_settings(revision_.steps());
    run_.sink.revision_started(index_, revision_);
    const auto& steps = revision_.steps();
    UnfinishedStep from;
    if (run_.unfinished && run_.unfinished->revision == *revision_.walk.revision) {
      from = *run_.unfinished;
      TRY(resume());
      TRY(forget_begun(from));
    }
    bool completed = false;
    for (auto step = static_cast<std::size_t>(from.step); step < steps.size(); ++step) {
      const bool resumed = step == static_cast<std::size_t>(from.step);
      run_.sink.step_started(revision_, step);
      switch (steps[step].kind) {
        case StepKind::Transaction:
          // The last step's transaction also moves the version row. When the last step is not a transaction, an extra one
          // follows the loop.
          completed = step + 1 == steps.size();
          TRY(transaction(step, completed));
          if (!completed) {
            // In a transaction of its own: keep_session() must not see SET LOCAL values of the step's transaction.
            TRY(book(run_.ledger.steps().record_session(key(step))));
          }
          break;
        case StepKind::Autocommit:
          TRY(enter());
          TRY(run_autocommit_step(run_, index_, step, resumed ? static_cast<std::size_t>(from.statement) : 0,
                                  resumed && from.intent, resumed ? from.before : ""));
          break;
        case StepKind::Batch:
          TRY(enter());
          TRY(run_batch_step(run_, index_, step));
          break;
      }
    }
    // The last step was no transaction, so the version row and the history row need one of their own.
    if (!completed) {
      TRY(transaction(steps.size(), true));
    }
    run_.finished(index_, elapsed());
    return {};
  }

 private:
  [[nodiscard]] milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(run_.clock.steady_now() - start_);
  }

  [[nodiscard]] StepKey key(std::size_t step) const { return {*revision_.walk.revision, row_direction(revision_), step}; }

  // A batch step without a finished batch may have been corrected since. Its recorded bound may then belong to another table or
  // key.
  Result<void> forget_begun(const UnfinishedStep& from) {
    const auto step = static_cast<std::size_t>(from.step);
    if (from.parts.empty() || from.parts.back().state != "begun" || from.parts.back().checksum == run_.part_checksum(step, 0)) {
      return {};
    }
    return book(run_.ledger.steps().forget(key(step)));
  }

  Result<void> book(Command command) {
    auto written = keep_books(run_, index_, {std::move(command)});
    if (written || written.error().code == ErrorCode::CommitOutcomeUnknown) {
      return written;
    }
    return fail(run_.failed_at(revision_, nullptr, std::move(written).error()));
  }

  [[nodiscard]] Command done(std::size_t step) const {
    return run_.ledger.steps().record_state(
        key(step), {.state = "complete", .checksum = run_.part_checksum(step, 0), .run_id = run_.report.run_id});
  }

  // Settings of earlier steps, made in another session, stay in force until the end of the revision. Temporary tables, cursors
  // and prepared statements are lost: a statement that needs them fails.
  Result<void> resume() {
    TRY(run_.session.recover());
    const Command restore = run_.ledger.steps().restore_session(*revision_.walk.revision, row_direction(revision_));
    if (auto restored = run_.session.query(restore.sql, restore.parameters); !restored) {
      return fail(run_.failed_at(revision_, nullptr, std::move(restored).error()));
    }
    fresh_ = false;
    return {};
  }

  // If this step is the revision's first in this session, resets the session: nothing of an earlier revision may remain.
  Result<void> enter() { return std::exchange(fresh_, false) ? run_.session.recover() : Result<void>{}; }

  // Runs the statements of `step`, if there is such a step, and with `last` also moves the version row.
  Result<void> transaction(std::size_t step, bool last) {
    LockRetries retries(run_.clock, run_.settings.execution.lock_retry_budget);
    while (true) {
      if (run_.stop.requested()) {
        return fail(run_.failed_at(revision_, nullptr,
                                   Error(ErrorCode::Interrupted, "stopped on request between two steps of the revision")
                                       .advise("run again: it continues with the next step")));
      }
      const RevisionTransaction composed = compose(step, last);
      TRY(run_.session.submit(composed.transaction));
      TRY_ASSIGN(TransactionOutcome outcome, run_.session.collect());
      if (!outcome.error) {
        fresh_ = false;
        return {};
      }
      Error error = std::move(*outcome.error);
      if (outcome.lost) {
        error.code = ErrorCode::CommitOutcomeUnknown;
        return fail(std::move(error));
      }
      // Settings from earlier steps of the revision must stay; before its first step there are none to keep.
      TRY(fresh_ ? run_.session.recover() : run_.session.roll_back());
      const CommandOrigin origin = composed.origin_of(outcome.failed_command);
      const bool was_dirty = origin.part == CommandOrigin::Part::Before && error.sqlstate == RevisionGuard::kSessionDirty;
      // An earlier revision left a prepared statement. recover() has removed it: retry once without counting it as a lock
      // retry.
      if ((was_dirty && !std::exchange(cleaned_, true)) || run_.wait_for_retry(retries, revision_, error)) {
        continue;
      }
      return fail(run_.failed_at(revision_, origin.statement, explain_failure(run_, origin, std::move(error))));
    }
  }

  // Uses no prepared statements, because the revision may drop them.
  [[nodiscard]] RevisionTransaction compose(std::size_t step, bool last) const {
    using Part = CommandOrigin::Part;
    RevisionTransaction composed;
    composed.transaction.unprepared = true;
    const auto& before = run_.heads_before(index_);
    // A later step may use what an earlier one prepared, so only the first step requires a clean session.
    if (fresh_) {
      composed.add(index_, run_.guard.before(), Part::Before);
      composed.add(index_, run_.versions.expect(before), Part::Before);
    } else {
      composed.add(index_, RevisionGuard::read_write(), Part::Before);
      composed.add(index_, RevisionGuard::lock(), Part::Before);
    }
    if (step < revision_.steps().size()) {
      composed.add_statements(index_, revision_.steps()[step], fresh_);
    }
    if (!last) {
      composed.add_defaults(index_);
      composed.add_all(index_, run_.guard.after(before), Part::After);
      composed.add(index_, done(step), Part::After);
      return composed;
    }
    // The order matters: reset the session, move the version row, check the guard, and only then write to the ledger, because
    // the guard treats any lock on the ledger as a write of the revision.
    composed.add_reset(index_);
    composed.add_all(index_, run_.versions.apply(revision_.walk, before), Part::After);
    composed.add_all(index_, run_.guard.after(revision_.walk.heads), Part::After);
    composed.add(index_, run_.ledger.steps().forget_revision(*revision_.walk.revision), Part::After);
    auto entry = run_.entry(revision_, "applied");
    entry.duration = elapsed();
    composed.add(index_, run_.ledger.history().record(entry), Part::After);
    return composed;
  }

  RunContext& run_;
  std::size_t index_;
  const PlannedRevision& revision_;
  SteadyTime start_;
  bool fresh_ = true;     // no statement of the revision has run in this session
  bool cleaned_ = false;  // the session was already reset once because it was not clean
};

}  // namespace

Result<void> keep_books(RunContext& run, std::size_t index, const std::vector<Command>& commands, std::string* print) {
  using Part = CommandOrigin::Part;
  RevisionTransaction composed;
  // No prepared statements: the revision may have dropped them.
  composed.transaction.unprepared = true;
  composed.add(index, RevisionGuard::read_write(), Part::Before);
  // Read the revision's settings before add_defaults() replaces them for this transaction.
  composed.add(index, StepTable::keep_session(run.custom_settings), Part::Before);
  composed.add_defaults(index);
  composed.add_all(index, run.guard.after(run.heads_before(index)), Part::After);
  if (print != nullptr && !print->empty()) {
    composed.add(index, run.guard.require_print(*print), Part::After);
  }
  composed.add_all(index, commands, Part::After);
  if (print != nullptr) {
    composed.add(index, run.guard.print(), Part::After);
  }
  TRY(run.session.submit(composed.transaction));
  TRY_ASSIGN(TransactionOutcome outcome, run.session.collect());
  if (!outcome.error) {
    if (print != nullptr) {
      *print = outcome.answers.empty() ? "" : outcome.answers.back().text(0, 0);
    }
    return {};
  }
  if (outcome.lost) {
    outcome.error->code = ErrorCode::CommitOutcomeUnknown;
    return fail(std::move(*outcome.error));
  }
  TRY(run.session.roll_back());
  return fail(explain_failure(run, composed.origin_of(outcome.failed_command), std::move(*outcome.error)));
}

Result<void> run_steps(RunContext& run, std::size_t index) {
  return StepsRun(run, index).go();
}

}  // namespace athanor
