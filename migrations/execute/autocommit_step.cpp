#include <string>

#include "migrations/execute/catalog_probe.hpp"
#include "migrations/execute/run_context.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

Result<void> send(Session& session, const Command& command) {
  TRY(session.query(command.sql, command.parameters));
  return {};
}

// One statement outside a transaction: intent, statement, done. What a crash leaves is told apart by asking the catalog.
class AutocommitStatement {
 public:
  AutocommitStatement(RunContext& run, const PlannedRevision& revision, std::size_t step, std::size_t index)
      : run_(run),
        revision_(revision),
        step_(step),
        index_(index),
        statement_(revision.steps()[step].statements[index]),
        probe_(recovery_probe(statement_.sql)) {}

  // An intent was found: the statement ran, or did not, or half. True when it is done.
  Result<bool> recover(const std::string& state_before) {
    TRY_ASSIGN(const ProbeState now, probe(run_.session, probe_));
    if (half_detached(now)) {
      TRY(finalise_detach());
      TRY(mark("done", ""));
      return true;
    }
    switch (judge(probe_, state_before, now)) {
      case Verdict::Done:
        TRY(mark("done", ""));
        return true;
      case Verdict::RunAgain:
        return false;
      case Verdict::AskHuman:
        break;
    }
    return fail(run_.failed_at(
        revision_, &statement_,
        Error(ErrorCode::StepOutcomeUnknown,
              "an earlier run was interrupted in this statement and the catalog cannot tell whether it took effect")
            .advise("look at the database, then say how it ended: athanor repair --step done, or --step redo")));
  }

  Result<void> run() {
    LockRetries retries(run_.clock, run_.settings.execution.lock_retry_budget);
    while (true) {
      TRY_ASSIGN(const ProbeState before, probe(run_.session, probe_));
      if (half_detached(before)) {
        TRY(finalise_detach());
        break;
      }
      TRY(clear_half_built(run_.session, probe_));
      TRY(mark("intent", probe_state_name(before)));
      auto outcome = execute();
      if (outcome) {
        break;
      }
      Error error = std::move(outcome).error();
      if (!run_.session.alive()) {
        error.code = ErrorCode::CommitOutcomeUnknown;  // the intent stays; the next run asks the catalog
        return fail(run_.failed_at(revision_, &statement_, std::move(error)));
      }
      // The server said no, so nothing took effect but perhaps a half-built index.
      TRY(clear_half_built(run_.session, probe_));
      const Command forget = run_.ledger.steps().forget(key());
      TRY(send(run_.session, forget));
      if (!run_.wait_for_retry(retries, revision_, error)) {
        return fail(run_.failed_at(revision_, &statement_, std::move(error)));
      }
    }
    return mark("done", "");
  }

 private:
  // CONCURRENTLY waits for old transactions without standing in anybody's way: it may use the whole budget in one go.
  [[nodiscard]] bool waits_harmlessly() const {
    using Kind = RecoveryProbe::Kind;
    return probe_.kind == Kind::CreateIndexConcurrently || probe_.kind == Kind::DropIndexConcurrently ||
           probe_.kind == Kind::ReindexConcurrently || probe_.kind == Kind::DetachPartitionConcurrently;
  }

  Result<void> execute() {
    if (waits_harmlessly()) {
      const auto budget = run_.settings.execution.lock_retry_budget;
      TRY(run_.session.execute_autocommit("SET lock_timeout = " + std::to_string(budget.count())));
    }
    auto outcome = run_.session.execute_autocommit(std::string(statement_.sql));
    if (run_.session.alive()) {
      TRY(run_.session.recover());
    }
    if (!outcome) {
      return fail(std::move(outcome).error());
    }
    return verify();
  }

  // IF NOT EXISTS is satisfied by an INVALID index; a migration is not.
  Result<void> verify() {
    if (probe_.kind != RecoveryProbe::Kind::CreateIndexConcurrently || probe_.object.empty()) {
      return {};
    }
    TRY_ASSIGN(const ProbeState now, probe(run_.session, probe_));
    if (now == ProbeState::Invalid) {
      return fail(ErrorCode::StatementFailed, "the index " + probe_.object + " is INVALID after CREATE INDEX CONCURRENTLY");
    }
    return {};
  }

  // A DETACH that was interrupted between its two transactions can only be finished.
  [[nodiscard]] bool half_detached(ProbeState now) const {
    return probe_.kind == RecoveryProbe::Kind::DetachPartitionConcurrently && now == ProbeState::Invalid;
  }

  Result<void> finalise_detach() {
    const std::string sql = "ALTER TABLE " + qualified_name(probe_.schema, probe_.object) + " DETACH PARTITION " +
                            quote_identifier(probe_.value) + " FINALIZE";
    TRY(run_.session.execute_autocommit(sql));
    return {};
  }

  Result<void> mark(std::string_view state, std::string_view before) {
    return send(run_.session, run_.ledger.steps().record_state(key(), {.state = state,
                                                                       .before = before,
                                                                       .checksum = run_.part_checksum(step_, index_),
                                                                       .run_id = run_.report.run_id}));
  }

  [[nodiscard]] StepKey key() const { return {*revision_.walk.revision, row_direction(revision_), step_, index_}; }

  RunContext& run_;
  const PlannedRevision& revision_;
  std::size_t step_;
  std::size_t index_;
  const SqlStatement& statement_;
  RecoveryProbe probe_;
};

}  // namespace

Result<void> run_autocommit_step(RunContext& run, const PlannedRevision& revision, std::size_t step,
                                 std::size_t first_statement, bool intent_found, const std::string& state_before) {
  const auto& statements = revision.steps()[step].statements;
  for (std::size_t i = first_statement; i < statements.size(); ++i) {
    if (run.stop.requested()) {
      return fail(
          run.failed_at(revision, &statements[i], Error(ErrorCode::Interrupted, "stopped on request before this statement")));
    }
    AutocommitStatement statement(run, revision, step, i);
    if (intent_found && i == first_statement) {
      TRY_ASSIGN(const bool done, statement.recover(state_before));
      if (done) {
        continue;
      }
    }
    TRY(statement.run());
  }
  return {};
}

}  // namespace athanor
