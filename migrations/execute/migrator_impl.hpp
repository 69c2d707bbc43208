// The state of a Migrator, shared by the files that implement it. Not for any other file.
//
// Threads: the migrator's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "migrations/base/ids.hpp"
#include "migrations/execute/database_state.hpp"
#include "migrations/execute/migration_lock.hpp"
#include "migrations/execute/migrator.hpp"
#include "migrations/execute/run_context.hpp"
#include "migrations/session/pooler.hpp"

namespace athanor {

struct Migrator::Impl {
  SessionFactory& factory;
  Clock& clock;
  MigratorSettings settings;
  ProgressSink& sink;
  VersionTable versions;
  Ledger ledger;
  BlockerWatch watch;
  RunWitness witness;
  std::unique_ptr<Session> session;
  std::optional<DatabaseState> last_state;  // the last observation in this session

  Impl(SessionFactory& session_factory, Clock& the_clock, MigratorSettings with, ProgressSink& progress)
      : factory(session_factory),
        clock(the_clock),
        settings(std::move(with)),
        sink(progress),
        versions(settings.version_table_schema, settings.version_table, settings.version_table_pk),
        ledger(settings.ledger_schema),
        watch(session_factory) {
    if (settings.run_id.empty()) {
      settings.run_id = new_run_id();
    }
  }

  ~Impl() { forget_session(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> connect() {
    if (session && session->alive()) {
      return {};
    }
    last_state.reset();
    TRY_ASSIGN(session, factory.open());
    hear_messages();
    return {};
  }

  void hear_messages() {
    session->set_message_listener([this](const ServerMessage& message) { sink.server_message(message); });
  }
  // A cached session may outlive its migrator, so its callbacks must not point here any more.
  void forget_session() {
    if (session) {
      session->set_wait_listener(nullptr);
      session->set_message_listener(nullptr);
    }
  }

  // Two round trips, no lock. `identify` fills Observation::identity, which makes a fresh backend load one more catalog.
  Result<DatabaseState> observe(bool identify = false, VersionWidth width = VersionWidth::Skip) {
    TRY(connect());
    TRY_ASSIGN(DatabaseState state, observe_state(*session, settings, versions, ledger, identify, width));
    last_state = state;
    return state;
  }

  // The checksums of applied revisions, by revision; empty without a ledger.
  Result<std::unordered_map<std::string, std::string>> recorded_checksums();

  Result<milliseconds> lock(const StopToken& stop) {
    TRY(connect());
    if (!last_state) {
      TRY(refuse_pooler(*session, settings.execution.allow_session_pooler));
    }
    return MigrationLock::acquire(*session, clock, stop,
                                  {settings.execution.lock_wait, [this](const auto& holders, milliseconds waited) {
                                     sink.waiting_for_lock(holders, waited);
                                   }});
  }

  Result<void> unlock() {
    if (!session) {
      return {};  // lost, and the server could not be reached again: there is no lock to release
    }
    session->set_wait_listener(nullptr);
    return session->alive() ? MigrationLock::release(*session) : Result<void>{};
  }

  // Runs `work(state)` under the lock; `state` was read while holding it. Releases the lock whether or not `work` succeeds.
  template <class Work>
  Result<void> with_lock(const StopToken& stop, ExecutionReport& report, Work work) {
    if (last_state && last_state->pooled) {
      return fail(*last_state->pooled);  // before taking a lock on a pooled connection, where it would outlive this session
    }
    TRY_ASSIGN(LockedState quick, try_lock_and_observe());
    if (!quick.locked) {
      TRY_ASSIGN(report.lock_waited, lock(stop));
    }
    Result<void> outcome = work_on_primary(work, std::move(quick.state));
    Result<void> released = unlock();
    // When both failed, the error of the work is the cause.
    return outcome ? released : outcome;
  }

  // One round trip instead of three, when the lock is free and this session observed the database before. An empty result
  // means: lock and observe separately.
  Result<LockedState> try_lock_and_observe() {
    if (!last_state || !session || !session->alive()) {
      return LockedState{};
    }
    return lock_and_observe(*session, settings, versions, ledger, *last_state);
  }

  template <class Work>
  Result<void> work_on_primary(Work& work, std::optional<DatabaseState> observed) {
    if (!observed) {
      TRY_ASSIGN(observed, observe(false, VersionWidth::Read));
    }
    const DatabaseState& state = *observed;
    if (state.pooled) {
      return fail(*state.pooled);
    }
    if (state.observation.read_only) {
      return fail(Error(ErrorCode::DatabaseUnreachable, factory.describe() + " is a standby and cannot be migrated")
                      .advise("use the URL of the primary, or several hosts with target_session_attrs=read-write"));
    }
    if (state.untrusted) {
      return fail(*state.untrusted);
    }
    return work(state);
  }

  Result<void> run_plan(const Plan& plan, const StopToken& stop, ExecutionReport& report, bool purge,
                        const PreRunCheck& pre_run_check, const Takeover* takeover = nullptr);
  // Refuses a plan with batch steps that watch replicas if the role cannot see their lag.
  [[nodiscard]] Result<void> check_replica_lag(const Plan& plan);
  Result<void> run_revisions(RunContext& run);
  Result<void> resolve(RunContext& run, const Error& lost);
  // Adds a row for the failed revision to the ledger, on a best-effort basis.
  void record_failure(RunContext& run, const Error& error);
  // Calls the witness after the run. After a stop request its queries are cancelled within about two seconds.
  void show_end(const Plan& plan, const StopToken& stop, const ExecutionReport& report);
  // After a failed run: reads the current heads, and adds to the error how far a half-applied revision came. Leaves the heads
  // empty when the database cannot be queried.
  void read_state_after(const Plan& plan, ExecutionReport& report);
  // Refuses a missing version table when the ledger says that an upgrade was applied last: such a database is not empty.
  [[nodiscard]] Result<void> check_version_table(Direction operation, const Observation& seen);
  // Refuses a plan that does not continue the half-applied revision, or whose already executed part has changed.
  [[nodiscard]] Result<void> check_unfinished(const Plan& plan, const Observation& seen) const;
};

}  // namespace athanor
