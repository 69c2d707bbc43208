#include "migrations/execute/migrator.hpp"

#include <algorithm>
#include <utility>

#include "migrations/execute/half_applied.hpp"
#include "migrations/execute/migrator_impl.hpp"
#include "migrations/execute/recovery.hpp"
#include "migrations/execute/replica_lag.hpp"
#include "migrations/execute/version_column.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr milliseconds kWitnessGrace{2'000};

}  // namespace

Migrator::Migrator(SessionFactory& factory, Clock& clock, MigratorSettings settings, ProgressSink& sink)
    : impl_(std::make_unique<Impl>(factory, clock, std::move(settings), sink)) {}
Migrator::~Migrator() = default;

Result<Observation> Migrator::observe() {
  TRY_ASSIGN(DatabaseState state, impl_->observe(impl_->settings.identify));
  return std::move(state.observation);
}

Result<void> Migrator::Impl::check_version_table(Direction operation, const Observation& seen) {
  // A stamp declares where the schema is; all other operations rely on the version table. Without a ledger there is no
  // evidence.
  if (operation == Direction::Stamp || seen.has_version_table || !seen.has_ledger) {
    return {};
  }
  auto last = session->query(ledger.history().select_last_applied());
  if (!last) {
    return fail(without_column("the ledger's table " + ledger.history().name(), std::move(last).error()));
  }
  if (last->empty() || last->text(0, 1) != direction_name(Direction::Upgrade)) {
    return {};
  }
  const std::string revision = last->text(0, 0);
  return fail(Error(ErrorCode::VersionRowMismatch, "the version table " + versions.qualified() +
                                                       " is missing, but according to the ledger revision " + revision +
                                                       " was applied last; nothing was changed")
                  .with_retry(RetryClass::Terminal)
                  .advise("set the current revision: `athanor stamp " + revision +
                          "`, or `athanor stamp --purge base` if the database was emptied on purpose"));
}

Result<void> Migrator::Impl::check_unfinished(const Plan& plan, const Observation& seen) const {
  if (!seen.unfinished) {
    return {};
  }
  const auto& first = plan.revisions.front();
  const auto& open = *seen.unfinished;
  if (!first.script || first.walk.revision != open.revision || first.walk.direction != open.direction) {
    const auto verb = std::string(direction_name(open.direction));
    return fail(Error(ErrorCode::StepOutcomeUnknown,
                      "revision " + open.revision + " stopped in the middle of its " + verb + " and must be finished first")
                    .advise("run the " + verb + " of " + open.revision +
                            " again, or undo its changes by hand and run: athanor repair --step abandon"));
  }
  // The part that has not run may change: correcting it is often why the user runs the revision again.
  const PartChecksums now(first.script->checksum, first.steps());
  if (const auto line = now.changed_at(open.parts)) {
    return fail(Error(ErrorCode::ChecksumMismatch,
                      "revision " + open.revision + " changed after it was half-applied, in a part that has already run")
                    .at(*line > 0 ? first.path + ":" + std::to_string(*line) : first.path)
                    .advise(open.cursor
                                ? "restore the batch step, which has processed some rows; let it finish and correct the rows "
                                  "in a new revision; or undo its changes by hand and run: athanor repair --step abandon"
                                : "restore that part of the file (the part that has not run may change), or undo its changes "
                                  "by hand and run: athanor repair --step abandon"));
  }
  return {};
}

// Check before anything is applied, and not first when the batch step begins.
Result<void> Migrator::Impl::check_replica_lag(const Plan& plan) {
  for (const auto& revision : plan.revisions) {
    if (!revision.script) {
      continue;
    }
    for (const auto& step : revision.steps()) {
      if (step.kind == StepKind::Batch && (step.batch.max_lag.count() > 0 || settings.execution.max_replica_lag.count() > 0)) {
        return ReplicaLag::require_visible(*session);
      }
    }
  }
  return {};
}

Result<void> Migrator::Impl::run_revisions(RunContext& run) {
  const auto& revisions = run.plan.revisions;
  for (std::size_t i = 0; i < revisions.size();) {
    // Continue a half-applied revision from its step rows, even if its file is a single transaction by now.
    if (!revisions[i].single_transaction() || (i == 0 && run.unfinished)) {
      TRY(run_steps(run, i));
      ++i;
      continue;
    }
    // Consecutive single-transaction revisions share a pipeline.
    std::size_t end = i + 1;
    while (end < revisions.size() && revisions[end].single_transaction()) {
      ++end;
    }
    TRY(run_transactions(run, i, end));
    i = end;
  }
  return {};
}

Result<void> Migrator::Impl::resolve(RunContext& run, const Error& lost) {
  auto found = resolve_lost_run({settings, versions, ledger, run.report.run_id, run.lost_transaction}, factory, clock, run.stop,
                                session);
  if (session) {
    hear_messages();
  }
  if (!found) {
    return fail(Error(ErrorCode::CommitOutcomeUnknown,
                      "the connection was lost, and the outcome of the last transaction could not be read from the database: " +
                          found.error().message)
                    .advise("once the database is back, run `athanor current` to see it; running again continues from there"));
  }
  const auto& revisions = run.plan.revisions;
  // COMMITs of earlier revisions were answered. The ledger names those that committed without an answer.
  for (std::size_t i = run.report.executed.size(); i < revisions.size(); ++i) {
    if (revisions[i].walk.revision && found->committed.contains(*revisions[i].walk.revision)) {
      run.finished(i, milliseconds(0));
    }
  }
  run.report.current_heads = found->current_heads;
  if (run.report.executed.size() == revisions.size()) {
    return {};
  }
  std::string message = lost.message + "; " + std::to_string(run.report.executed.size()) + " of " +
                        std::to_string(revisions.size()) + " revisions of this run were applied, the rest were not";
  if (found->transaction_committed) {
    message +=
        *found->transaction_committed ? " (the last transaction was committed)" : " (the last transaction was rolled back)";
  }
  return fail(Error(ErrorCode::ConnectionLost, std::move(message))
                  .with_retry(lost.retry)
                  .advise(lost.retry == RetryClass::Terminal ? lost.hint : "run again: it continues from there"));
}

void Migrator::Impl::record_failure(RunContext& run, const Error& error) {
  // An interruption is not a failure of the revision.
  if (run.failed == nullptr || !session || !session->alive() || error.code == ErrorCode::Interrupted) {
    return;
  }
  auto entry = run.entry(*run.failed, "failed");
  // A failed attempt has no lineage: its parents and text belong to the row of a successful one.
  entry.lineage.reset();
  entry.duration = milliseconds(0);
  entry.failure = &error;
  Command command = run.ledger.history().record(entry);
  const auto recorded = session->query(command.sql, command.parameters);  // best effort: the report has it too
  if (!recorded && recorded.error().sqlstate.starts_with("22")) {         // the database's encoding lacks a character
    for (auto& parameter : command.parameters) {
      if (parameter) {
        std::ranges::replace_if(
            *parameter, [](char c) { return c == '\0' || static_cast<unsigned char>(c) >= 0x80U; }, '?');
      }
    }
    [[maybe_unused]] const auto in_ascii = session->query(command.sql, command.parameters);
  }
}

void Migrator::Impl::read_state_after(const Plan& plan, ExecutionReport& report) {
  // Report what the database contains, not what the run expected: another tool may have changed the rows.
  report.current_heads.reset();
  if (!session || !session->alive()) {
    return;
  }
  auto state = observe();
  if (!state) {
    return;
  }
  report.current_heads = std::move(state->observation.current_heads);
  report.unfinished = std::move(state->observation.unfinished);
  const auto of_this_run = [&](const PlannedRevision& revision) {
    return revision.walk.revision == report.unfinished->revision && revision.walk.direction == report.unfinished->direction;
  };
  // Only when this run stopped in it: an older half-applied revision has its own error.
  if (report.unfinished && report.failed_revision == report.unfinished->revision) {
    if (const auto found = std::ranges::find_if(plan.revisions, of_this_run); found != plan.revisions.end()) {
      report.error->message += "; " + describe_half_applied(half_applied(*report.unfinished, &found->steps()));
    }
  }
}

void Migrator::Impl::show_end(const Plan& plan, const StopToken& stop, const ExecutionReport& report) {
  // The witness may run long queries, but must not delay a stop.
  if (!witness.after_run || !session || !session->alive()) {
    return;
  }
  session->set_wait_listener([&stop](milliseconds waited) { return stop.requested() && waited > kWitnessGrace; });
  witness.after_run(*session, plan, report);
  session->set_wait_listener(nullptr);
}

Result<void> Migrator::Impl::run_plan(const Plan& plan, const StopToken& stop, ExecutionReport& report, bool purge,
                                      const PreRunCheck& pre_run_check, const Takeover* takeover) {
  return with_lock(stop, report, [&](const DatabaseState& state) -> Result<void> {
    // The plan was made without the lock. Comparing the heads under the lock is what makes the plan safe to run.
    if (!purge && state.observation.current_heads != plan.from) {
      return fail(Error(ErrorCode::StalePlan, "the database changed after the plan was made; nothing was applied")
                      .advise("create a new plan and run it"));
    }
    if (purge) {
      report.purged_rows = state.observation.current_heads.size() + state.observation.invalid_rows;
    } else {
      TRY(check_version_table(plan.operation, state.observation));
    }
    // These checks refuse the run before create_missing() makes the first change.
    TRY(check_unfinished(plan, state.observation));
    TRY(check_replica_lag(plan));
    if (pre_run_check) {
      TRY(pre_run_check());
    }
    const bool steps = !std::ranges::all_of(plan.revisions, &PlannedRevision::single_transaction);
    TRY_ASSIGN(OwnTables tables,
               create_missing(*session, settings, state, versions, ledger, steps ? NeedStepTable::Yes : NeedStepTable::No));
    TRY(fit_version_column(*session, versions, plan, state));
    if (state.superuser && !state.observation.has_ledger) {
      sink.superuser_migrates();
    }
    const bool witnessed = !purge && plan.operation != Direction::Stamp;
    if (witnessed && witness.before_run) {
      TRY(witness.before_run(*session));
    }
    // The guard compares OIDs for the whole run, so it also detects a table that was dropped and created again.
    const RevisionGuard guard(versions, ledger, std::move(tables));
    RunContext run{*session, clock, settings, versions, ledger, guard, sink, stop, plan, report, watch};
    run.purge = purge;
    run.takeover = takeover;
    run.unfinished = state.observation.unfinished;
    // The listener refers to `run`: every path below removes it or replaces the session.
    session->set_wait_listener([&run](milliseconds waited) { return run.while_waiting(waited); });
    auto outcome = run_revisions(run);
    bool usable = true;
    if (!outcome && outcome.error().code == ErrorCode::CommitOutcomeUnknown) {
      outcome = resolve(run, outcome.error());
      // With the outcome still unknown, the session does not hold the lock.
      usable = outcome || outcome.error().code != ErrorCode::CommitOutcomeUnknown;
    } else {
      session->set_wait_listener(nullptr);
      if (!outcome) {
        // What follows must not run with the role and search_path that the revision left.
        usable = session && session->alive() && (run.recovered || session->recover());
        if (usable) {
          record_failure(run, outcome.error());
        }
      }
    }
    if (witnessed && usable) {
      show_end(plan, stop, report);
    }
    return outcome;
  });
}

ExecutionReport Migrator::execute(const Plan& plan, const StopToken& stop, const PreRunCheck& pre_run_check) {
  ExecutionReport report;
  report.run_id = impl_->settings.run_id;
  // Having nothing to do must not depend on the lock, which another run may hold for long.
  if (plan.empty()) {
    report.current_heads = plan.from;
    return report;
  }
  const auto start = impl_->clock.steady_now();
  impl_->sink.run_started(plan);
  if (auto outcome = impl_->run_plan(plan, stop, report, false, pre_run_check); !outcome) {
    report.error = std::move(outcome).error();
    impl_->read_state_after(plan, report);
  }
  report.duration = std::chrono::duration_cast<milliseconds>(impl_->clock.steady_now() - start);
  impl_->sink.run_finished(report);
  return report;
}

void Migrator::set_witness(RunWitness witness) {
  impl_->witness = std::move(witness);
}

Result<void> Migrator::ask(const Question& question) {
  TRY(impl_->connect());
  return question(*impl_->session);
}

Result<void> Migrator::ask_under_lock(const Question& question, const StopToken& stop) {
  ExecutionReport report;
  return impl_->with_lock(stop, report, [&](const DatabaseState& state) -> Result<void> {
    TRY(create_missing(*impl_->session, impl_->settings, state, impl_->versions, impl_->ledger));
    return question(*impl_->session);
  });
}

Result<void> Migrator::ensure_version(const StopToken& stop) {
  ExecutionReport report;
  return impl_->with_lock(stop, report, [&](const DatabaseState& state) -> Result<void> {
    TRY(impl_->check_version_table(Direction::Upgrade, state.observation));
    TRY(create_missing(*impl_->session, impl_->settings, state, impl_->versions, impl_->ledger));
    return {};
  });
}

ExecutionReport Migrator::purge_and_stamp(const Plan& plan, const StopToken& stop) {
  ExecutionReport report;
  report.run_id = impl_->settings.run_id;
  const auto start = impl_->clock.steady_now();
  impl_->sink.run_started(plan);
  Result<void> outcome;
  if (plan.empty()) {
    outcome = impl_->with_lock(stop, report, [&](const DatabaseState& state) -> Result<void> {
      TRY(create_missing(*impl_->session, impl_->settings, state, impl_->versions, impl_->ledger));
      TRY(impl_->session->query(impl_->versions.purge().sql));
      report.purged_rows = state.observation.current_heads.size() + state.observation.invalid_rows;
      return {};
    });
  } else {
    outcome = impl_->run_plan(plan, stop, report, true, {});
  }
  if (!outcome) {
    report.error = std::move(outcome).error();
    impl_->read_state_after(plan, report);
  } else if (plan.empty()) {
    report.current_heads.emplace();
  }
  report.duration = std::chrono::duration_cast<milliseconds>(impl_->clock.steady_now() - start);
  impl_->sink.run_finished(report);
  return report;
}

ExecutionReport Migrator::adopt(const Plan& plan, const Takeover& takeover, const StopToken& stop) {
  ExecutionReport report;
  report.run_id = impl_->settings.run_id;
  const auto start = impl_->clock.steady_now();
  impl_->sink.run_started(plan);
  if (auto outcome = impl_->run_plan(plan, stop, report, false, {}, &takeover); !outcome) {
    report.error = std::move(outcome).error();
    if (report.error->sqlstate == Takeover::kHistoryMoved) {
      report.error = Error(ErrorCode::StalePlan, "the other tool changed its history during the run; nothing was stamped")
                         .advise("make sure that the other tool is no longer used, then run this again");
    }
    impl_->read_state_after(plan, report);
  }
  report.duration = std::chrono::duration_cast<milliseconds>(impl_->clock.steady_now() - start);
  impl_->sink.run_finished(report);
  return report;
}

Result<std::vector<Blocker>> Migrator::lock_holders() {
  TRY(impl_->connect());
  return MigrationLock::holders(*impl_->session);
}

}  // namespace athanor
