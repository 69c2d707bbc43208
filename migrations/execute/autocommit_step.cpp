#include <algorithm>
#include <string>

#include "migrations/base/advice.hpp"
#include "migrations/execute/catalog_probe.hpp"
#include "migrations/execute/run_context.hpp"

namespace athanor {
namespace {

// One statement outside a transaction: record the intent, send the statement, record "done". After a crash between the three,
// the catalog shows which of them happened.
//
// The statement, its clean-up and its rows share one lock_retry_budget for lock waits.
class AutocommitStatement {
 public:
  AutocommitStatement(RunContext& run, const PlannedRevision& revision, std::size_t index, std::size_t step,
                      std::size_t statement)
      : run_(run),
        revision_(revision),
        index_(index),
        step_(step),
        number_(statement),
        statement_(revision.steps()[step].statements[statement]),
        probe_(recovery_probe(statement_.sql)),
        retries_(run.clock, run.settings.execution.lock_retry_budget) {}

  // An earlier run recorded the intent: the statement ran completely, partly or not at all. Returns true when it is done now.
  Result<bool> recover(const std::string& recorded) {
    const auto before = CatalogRecord::parse(recorded);
    TRY_ASSIGN(const CatalogObservation now, observe(before));
    if (half_detached(now)) {
      TRY(finalise_detach(now));
      return true;
    }
    switch (judge(probe_, before.state, now.state)) {
      case Verdict::Done:
        TRY(record("done"));
        return true;
      case Verdict::RunAgain:
        report(now);
        // CREATE INDEX CONCURRENTLY would fail on the name of the INVALID index that the interrupted attempt left.
        if (auto cleared = drop(now.half_built); !cleared) {
          return fail(failed(std::move(cleared).error()));
        }
        return false;
      case Verdict::AskHuman:
        break;
    }
    return fail(
        failed(Error(ErrorCode::StepOutcomeUnknown,
                     "an earlier run was interrupted in this statement, and the catalog does not show whether it took effect")
                   .advise(kAskHuman)));
  }

  Result<void> run() {
    // Each attempt starts over: a failed one has removed its intent, and may have left an INVALID index.
    while (true) {
      TRY_ASSIGN(const CatalogObservation before, observe(std::nullopt));
      if (half_detached(before)) {
        return finalise_detach(before);
      }
      TRY(check_name(before));
      // An earlier attempt may have left an INVALID index of this name and definition: the statement would fail on it, or with
      // IF NOT EXISTS accept it.
      if (auto cleared = drop(before.half_built); !cleared) {
        return fail(failed(std::move(cleared).error()));
      }
      // Committed before the statement is sent. Without the intent, a crash during the statement would be indistinguishable
      // from one before it.
      TRY(record("intent", before.record.text()));
      auto outcome = execute(before);
      if (outcome) {
        break;
      }
      TRY_ASSIGN(const bool done, settle(std::move(outcome).error(), before));
      if (done) {
        break;
      }
    }
    return record("done");
  }

 private:
  static constexpr const char* kAskHuman =
      "check the database, then record the outcome: athanor repair --step done, or --step redo";

  // The statement, or the check after it, failed. Returns true when it took effect nevertheless, false to send it again.
  Result<bool> settle(Error error, const CatalogObservation& before) {
    if (!run_.session.alive()) {
      return fail(lost(std::move(error)));
    }
    // An error does not mean that CALL or DO rolled back everything: they may have committed part of their work before they
    // failed.
    if (probe_.kind == RecoveryProbe::Kind::Unknown && !probe_.all_or_nothing) {
      return fail(unknown_outcome(std::move(error)));
    }
    const auto now = observe(before.record);
    if (now) {
      report(*now);
    }
    if (now && !error.sqlstate.empty() && probe_.kind != RecoveryProbe::Kind::Unknown &&
        judge(probe_, before.record.state, now->state) == Verdict::Done) {
      return true;  // it was cancelled when its work was already done
    }
    const bool cleared = now && drop(now->half_built);
    if (!run_.session.alive()) {  // pg_terminate_backend() makes the server report an error before it closes the connection
      return fail(lost(std::move(error)));
    }
    if (!cleared) {
      Error cause = failed(std::move(error));
      cause.hint = join_advice(
          std::move(cause.hint),
          now ? "the INVALID index " + now->half_built.front() + " remains; the next run drops it" : std::string("run again"));
      return fail(std::move(cause));  // the intent stays, so that the next run knows whose index it is
    }
    // The statement had no effect, so the intent must go: with it, the next run would suspect work that never happened.
    if (!book({run_.ledger.steps().forget(key())})) {
      return fail(failed(std::move(error)));
    }
    if (spent() || !run_.wait_for_retry(retries_, revision_, error)) {
      return fail(failed(std::move(error)));
    }
    return false;
  }

  Error failed(Error error) { return run_.failed_at(revision_, &statement_, std::move(error)); }

  // The intent stays; the next run queries the catalog.
  Error lost(Error error) {
    error.code = ErrorCode::CommitOutcomeUnknown;
    return failed(std::move(error));
  }

  Error unknown_outcome(Error error) {
    // A stop cancels the statement, so the cause is the stop; what the statement had committed is unknown all the same.
    const bool stopped = run_.stop.requested();
    const std::string sqlstate = std::move(error.sqlstate);
    Error unknown = failed(Error(stopped ? ErrorCode::Interrupted : ErrorCode::StepOutcomeUnknown,
                                 (stopped ? "stopped on request inside a statement that may have committed part of its work: "
                                          : "the statement failed, possibly after committing part of its work: ") +
                                     error.message)
                               .advise(kAskHuman));
    unknown.sqlstate = sqlstate;
    return unknown;
  }

  // IF NOT EXISTS accepts any relation of that name; a migration must not.
  Result<void> check_name(const CatalogObservation& now) {
    if (now.taken_by.empty() || !probe_.if_not_exists) {
      return {};  // without IF NOT EXISTS the server itself reports the conflict
    }
    if (now.state == ProbeState::Unknown) {
      return fail(failed(Error(ErrorCode::StatementFailed, "the name of the index is taken, and Athanor cannot compare " +
                                                               now.taken_by + " with the definition in the statement")
                             .advise("compare them and drop one, or grant the role TEMPORARY on the database: Athanor compares "
                                     "definitions on a temporary copy of the table")));
    }
    return fail(failed(Error(ErrorCode::StatementFailed, "the name of the index is taken: " + now.taken_by +
                                                             " belongs to another table or has another definition")
                           .advise("rename one of the two indexes")));
  }

  // While CONCURRENTLY waits for old transactions it blocks no queries, so it may spend the whole budget in one wait. A lock
  // that queues others behind it must time out quickly instead.
  [[nodiscard]] bool waits_harmlessly() const {
    using Kind = RecoveryProbe::Kind;
    return probe_.kind == Kind::CreateIndexConcurrently || probe_.kind == Kind::DropIndexConcurrently ||
           probe_.kind == Kind::ReindexConcurrently || probe_.kind == Kind::DetachPartitionConcurrently;
  }

  // What is left of the lock retry budget, which starts with the first lock wait that timed out.
  [[nodiscard]] milliseconds left() const {
    const auto budget = run_.settings.execution.lock_retry_budget;
    return waits_since_ ? budget - std::chrono::duration_cast<milliseconds>(run_.clock.steady_now() - *waits_since_) : budget;
  }
  [[nodiscard]] bool spent() const { return left().count() <= 0; }

  // Sends a statement with lock_timeout raised to the remaining budget, then restores lock_timeout.
  Result<void> send_patiently(const std::string& sql) {
    const auto base = run_.settings.execution.lock_timeout;
    const auto patience = left();
    // A lock_timeout of 0 already waits without limit.
    if (base.count() == 0 || patience <= base) {
      TRY(run_.session.execute_autocommit(sql));
      return {};
    }
    TRY_ASSIGN(const Rows saved, run_.session.query("SELECT s.setting, s.source FROM pg_catalog.pg_settings AS s WHERE s.name"
                                                    " OPERATOR(pg_catalog.=) 'lock_timeout'"));
    TRY(set_lock_timeout(std::to_string(patience.count())));
    auto outcome = run_.session.execute_autocommit(sql);
    if (run_.session.alive()) {
      // A value set in this session is the revision's and must be restored. Any other value (role, database, server) returns
      // with RESET.
      if (saved.text(0, 1) == "session") {
        TRY(set_lock_timeout(saved.text(0, 0)));
      } else {
        TRY(run_.session.execute_autocommit("RESET lock_timeout"));
      }
    }
    if (outcome) {
      return {};
    }
    // The budget includes this wait, so it counts from its start.
    if (outcome.error().sqlstate == "55P03" && !waits_since_) {
      waits_since_ = run_.clock.steady_now() - patience;
    }
    return fail(std::move(outcome).error());
  }

  // A parameter of set_config() needs no quoting, unlike SET.
  Result<void> set_lock_timeout(const std::string& value) {
    TRY(run_.session.query("SELECT pg_catalog.set_config('lock_timeout', $1, false)", {value}));
    return {};
  }

  // The revision may have changed client_encoding or standard_conforming_strings; then the server would read this text
  // differently.
  Result<void> check_text() {
    if (!RevisionGuard::needs_text_guard(statement_.sql)) {
      return {};
    }
    const auto answer = run_.session.query(RevisionGuard::before_text().sql);
    if (answer) {
      return {};
    }
    auto explained = run_.guard.explain(answer.error(), *revision_.walk.revision);
    return fail(explained ? std::move(*explained) : answer.error());
  }

  Result<void> execute(const CatalogObservation& before) {
    TRY(check_text());
    const std::string sql(statement_.sql);
    Result<void> outcome;
    if (waits_harmlessly()) {
      outcome = send_patiently(sql);
    } else if (auto answer = run_.session.execute_autocommit(sql); !answer) {
      outcome = fail(std::move(answer).error());
    }
    // What follows needs a session outside a transaction block, however the statement ended.
    if (run_.session.alive()) {
      TRY(run_.session.roll_back());
    }
    return outcome ? verify(before) : outcome;
  }

  // CREATE INDEX CONCURRENTLY IF NOT EXISTS succeeds on an existing INVALID index; a migration must not.
  Result<void> verify(const CatalogObservation& before) {
    if (probe_.kind != RecoveryProbe::Kind::CreateIndexConcurrently) {
      return {};
    }
    TRY_ASSIGN(const CatalogObservation now, observe(before.record));
    TRY(check_name(now));
    if (now.state == ProbeState::Invalid) {
      return fail(ErrorCode::StatementFailed,
                  "the index " + now.half_built.front() + " is INVALID after CREATE INDEX CONCURRENTLY");
    }
    return {};
  }

  // A DETACH CONCURRENTLY that was interrupted between its two transactions can only be completed with FINALIZE.
  [[nodiscard]] bool half_detached(const CatalogObservation& now) const {
    return probe_.kind == RecoveryProbe::Kind::DetachPartitionConcurrently && now.state == ProbeState::Invalid;
  }

  Result<void> finalise_detach(const CatalogObservation& now) {
    const std::string sql = finalise_statement(now.record);
    // FINALIZE blocks readers of the partition while it waits for its lock, so wait in short attempts.
    auto outcome = without_statement_limit([&] {
      return within_budget([&]() -> Result<void> {
        TRY(run_.session.execute_autocommit(sql));
        return {};
      });
    });
    if (!outcome) {
      return fail(failed(std::move(outcome).error()));
    }
    return record("done");
  }

  Result<void> drop(const std::vector<std::string>& indexes) {
    for (const auto& index : indexes) {
      TRY(without_statement_limit(
          [&] { return within_budget([&] { return send_patiently("DROP INDEX CONCURRENTLY IF EXISTS " + index); }); }));
    }
    return {};
  }

  // A statement_timeout that the revision set applies to its statements, not to our clean-up.
  template <class Action>
  Result<void> without_statement_limit(Action action) {
    TRY_ASSIGN(const Rows set, run_.session.query("SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name"
                                                  " OPERATOR(pg_catalog.=) 'statement_timeout' AND s.source"
                                                  " OPERATOR(pg_catalog.=) 'session'"));
    // The limit is not the revision's: role, database and configuration limits apply to our statements, too.
    if (set.empty()) {
      return action();
    }
    // NULL resets the parameter to the session's default.
    TRY(run_.session.query("SELECT pg_catalog.set_config('statement_timeout', NULL, false)"));
    Result<void> outcome = action();
    if (run_.session.alive()) {
      TRY(run_.session.query("SELECT pg_catalog.set_config('statement_timeout', $1, false)", {set.text(0, 0)}));
    }
    return outcome;
  }

  void report(const CatalogObservation& now) {
    for (const auto& index : now.out_of_reach) {
      run_.sink.index_left(revision_, index);
    }
  }

  template <class Action>
  Result<void> within_budget(Action action) {
    while (true) {
      Result<void> outcome = action();
      if (outcome || !run_.session.alive() || spent() || !run_.wait_for_retry(retries_, revision_, outcome.error())) {
        return outcome;
      }
    }
  }

  // Queries the catalog. Names resolve through the session's role and search_path, as they do for the statement.
  Result<CatalogObservation> observe(const std::optional<CatalogRecord>& before) {
    auto found = ask_catalog(before);
    while (!found && found.error().sqlstate == "55P03" && run_.session.alive() && !spent() &&
           run_.wait_for_retry(retries_, revision_, found.error())) {
      found = ask_catalog(before);
    }
    if (!found) {
      return fail(failed(std::move(found).error()));
    }
    return found;
  }

  // Keeps the revision's role and search_path but not its timeouts and isolation level. Always rolls back: comparing indexes
  // creates temporary objects.
  Result<CatalogObservation> ask_catalog(const std::optional<CatalogRecord>& before) {
    if (probe_.kind == RecoveryProbe::Kind::Repeatable || probe_.kind == RecoveryProbe::Kind::Unknown) {
      return observe_catalog(run_.session, probe_, before);  // which sends no query for these kinds
    }
    // Explicit modes, because the revision may have changed the defaults of the session.
    TRY(run_.session.query("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"));
    auto limits = run_.session.query(
        "SELECT pg_catalog.set_config('statement_timeout', NULL, true), pg_catalog.set_config('lock_timeout', NULL, true)");
    auto found = limits ? observe_catalog(run_.session, probe_, before) : fail(std::move(limits).error());
    if (run_.session.alive()) {
      TRY(run_.session.roll_back());
    }
    return found;
  }

  Result<void> record(std::string_view state, std::string_view before = {}) {
    auto written = book({run_.ledger.steps().record_state(
        key(),
        {.state = state, .before = before, .checksum = run_.part_checksum(step_, number_), .run_id = run_.report.run_id})});
    if (written || written.error().code == ErrorCode::CommitOutcomeUnknown) {
      return written;
    }
    return fail(failed(std::move(written).error()));
  }

  Result<void> book(const std::vector<Command>& commands) {
    return within_budget([&] { return keep_books(run_, index_, commands, &ledger_print_); });
  }

  [[nodiscard]] StepKey key() const { return {*revision_.walk.revision, row_direction(revision_), step_, number_}; }

  RunContext& run_;
  const PlannedRevision& revision_;
  std::size_t index_;
  std::size_t step_;
  std::size_t number_;
  const SqlStatement& statement_;
  RecoveryProbe probe_;
  LockRetries retries_;
  std::string ledger_print_;               // RevisionGuard::print() after our last row, before the statement ran
  std::optional<SteadyTime> waits_since_;  // when the first lock wait that timed out began
};

}  // namespace

Result<void> run_autocommit_step(RunContext& run, std::size_t index, std::size_t step, std::size_t first_statement,
                                 bool intent_found, const std::string& before) {
  const auto& revision = run.plan.revisions[index];
  const auto& statements = revision.steps()[step].statements;
  for (std::size_t i = first_statement; i < statements.size(); ++i) {
    if (run.stop.requested()) {
      return fail(
          run.failed_at(revision, &statements[i], Error(ErrorCode::Interrupted, "stopped on request before this statement")));
    }
    AutocommitStatement statement(run, revision, index, step, i);
    if (intent_found && i == first_statement) {
      TRY_ASSIGN(const bool done, statement.recover(before));
      if (done) {
        continue;
      }
    }
    TRY(statement.run());
  }
  return {};
}

}  // namespace athanor
