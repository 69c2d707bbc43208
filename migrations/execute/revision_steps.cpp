#include "migrations/execute/run_context.hpp"

namespace athanor {
namespace {

// A revision of several transactions. The ledger's step rows say how far it came; the version row moves with the last step.
class StepsRun {
 public:
  StepsRun(RunContext& run, std::size_t index)
      : run_(run), index_(index), revision_(run.plan.revisions[index]), start_(run.clock.steady_now()) {}

  Result<void> go() {
    run_.running = &revision_;
    run_.parts.emplace(revision_.script->checksum, revision_.steps());
    run_.sink.revision_started(index_, revision_);
    const auto& steps = revision_.steps();
    UnfinishedStep from;
    if (run_.unfinished && run_.unfinished->revision == *revision_.walk.revision) {
      from = *run_.unfinished;
    }
    bool completed = false;
    for (auto step = static_cast<std::size_t>(from.step); step < steps.size(); ++step) {
      const bool resumed = step == static_cast<std::size_t>(from.step);
      run_.sink.step_started(revision_, step);
      switch (steps[step].kind) {
        case StepKind::Transaction:
          completed = step + 1 == steps.size();
          TRY(transaction(step, completed));
          break;
        case StepKind::Autocommit:
          TRY(run_autocommit_step(run_, revision_, step, resumed ? static_cast<std::size_t>(from.statement) : 0,
                                  resumed && from.intent, resumed ? from.before : ""));
          break;
        case StepKind::Batch:
          TRY(run_batch_step(run_, revision_, step, resumed ? from.cursor : std::nullopt, resumed ? from.rows : 0));
          TRY(mark_done(step));
          break;
      }
    }
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

  [[nodiscard]] Command done(std::size_t step) const {
    return run_.ledger.steps().record_state(
        {*revision_.walk.revision, row_direction(revision_), step},
        {.state = "complete", .checksum = run_.part_checksum(step, 0), .run_id = run_.report.run_id});
  }

  Result<void> mark_done(std::size_t step) {
    const Command command = done(step);
    TRY(run_.session.query(command.sql, command.parameters));
    return {};
  }

  // The statements of one step, if `step` is one, and the version row when it is the last.
  Result<void> transaction(std::size_t step, bool last) {
    LockRetries retries(run_.clock, run_.settings.execution.lock_retry_budget);
    while (true) {
      if (run_.stop.requested()) {
        return fail(run_.failed_at(revision_, nullptr,
                                   Error(ErrorCode::Interrupted, "stopped on request between two steps of the revision")
                                       .advise("run again: it continues with the next step")));
      }
      std::vector<const SqlStatement*> origins;
      TRY(run_.session.submit(compose(step, last, origins)));
      TRY_ASSIGN(TransactionOutcome outcome, run_.session.collect());
      if (!outcome.error) {
        return {};
      }
      Error error = std::move(*outcome.error);
      if (outcome.lost) {
        error.code = ErrorCode::CommitOutcomeUnknown;
        return fail(std::move(error));
      }
      TRY(run_.session.recover());
      if (!run_.wait_for_retry(retries, revision_, error)) {
        return fail(explain(outcome, origins, std::move(error)));
      }
    }
  }

  Transaction compose(std::size_t step, bool last, std::vector<const SqlStatement*>& origins) const {
    Transaction transaction;
    const auto add = [&](Command command, const SqlStatement* statement) {
      transaction.commands.push_back(std::move(command));
      origins.push_back(statement);
    };
    const auto& before = run_.heads_before(index_);
    if (last) {
      for (auto& command : run_.versions.apply(revision_.walk, before)) {
        add(std::move(command), nullptr);
      }
    } else {
      add(run_.versions.expect(before), nullptr);
    }
    if (step < revision_.steps().size()) {
      for (const auto& statement : revision_.steps()[step].statements) {
        transaction.reset_after = transaction.reset_after || changes_session_state(statement.sql);
        add({std::string(statement.sql), {}, ""}, &statement);
      }
    }
    if (last) {
      add(run_.ledger.steps().forget_revision(*revision_.walk.revision), nullptr);
      auto entry = run_.entry(revision_, "applied");
      entry.duration = elapsed();
      add(run_.ledger.history().record(entry), nullptr);
    } else {
      add(done(step), nullptr);
    }
    return transaction;
  }

  Error explain(const TransactionOutcome& outcome, const std::vector<const SqlStatement*>& origins, Error error) {
    const bool at_commit = outcome.failed_command >= origins.size();
    const SqlStatement* statement = at_commit ? nullptr : origins[outcome.failed_command];
    if (statement == nullptr && error.sqlstate == VersionTable::kGuardFailed) {
      error = Error(ErrorCode::VersionRowMismatch, "the version table " + run_.versions.qualified() +
                                                       " changed during the run; revision " + *revision_.walk.revision +
                                                       " was not completed")
                  .advise("look at `athanor current`, then run again");
    }
    return run_.failed_at(revision_, statement, std::move(error));
  }

  RunContext& run_;
  std::size_t index_;
  const PlannedRevision& revision_;
  SteadyTime start_;
};

}  // namespace

Result<void> run_steps(RunContext& run, std::size_t index) {
  return StepsRun(run, index).go();
}

}  // namespace athanor
