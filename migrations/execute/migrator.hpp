// The migrator: observes one database and executes plans on it.
//
// One object per run and database. It opens its session when it is first needed and keeps it. Whatever changes the database
// holds the migration lock, which lives in that session.
//
// Threads: one thread per migrator. Ownership: borrows factory, clock and sink, which must outlive it; owns its session and
// closes it (and with it the lock) when destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/execute/execution_report.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/execute/observation.hpp"
#include "migrations/execute/progress_sink.hpp"
#include "migrations/execute/recorded_revisions.hpp"
#include "migrations/execute/takeover.hpp"
#include "migrations/graph/graph.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Looks at the database before a run and after it, in the run's session and with the lock held. It must leave the session as it
// found it. Either function may be empty. Nothing it does fails a run.
struct RunWitness {
  // Before anything is changed.
  std::function<void(Session& session)> before_run;
  // Whatever the outcome, as long as the session lives. `report` names what was applied; its end is not in it yet.
  std::function<void(Session& session, const Plan& plan, const ExecutionReport& report)> after_run;
};

class Migrator {
 public:
  Migrator(SessionFactory& factory, Clock& clock, MigratorSettings settings, ProgressSink& sink);
  ~Migrator();
  Migrator(const Migrator&) = delete;
  Migrator& operator=(const Migrator&) = delete;

  // Reads the current heads, an unfinished revision and what exists. Connects if need be; takes no lock and changes nothing. At
  // most two round trips. Errors: those of connecting, PoolerRefused, those of the server.
  [[nodiscard]] Result<Observation> observe();
  // What the ledger says of the revisions that are applied, by revision; empty without a ledger. Observes first.
  [[nodiscard]] Result<std::map<std::string, AppliedRevision>> applied_revisions();
  // How `heads` lead down to revisions of `files`, as far as the ledger recorded it. One query. An earlier version of Athanor
  // recorded nothing: then every unknown head is missing. Observes first unless it was done.
  [[nodiscard]] Result<RecordedLineage> recorded_lineage(const RevisionGraph& files, const std::vector<std::string>& heads);
  // Compares the files of the revisions that are applied at `current_heads` with the ledger's checksums. Success without a
  // ledger, and for revisions it has no checksum of. The first difference is ChecksumMismatch, with the command that shows it.
  // `plan`, which may be null, spares reading the bodies it holds.
  [[nodiscard]] Result<void> verify_checksums(const RevisionGraph& graph, const RevisionSource& source,
                                              const std::vector<std::string>& current_heads, const Plan* plan = nullptr);
  // Runs the plan: takes the lock, observes again, refuses a plan that no longer starts at the current heads (StalePlan) or
  // does not continue a half-applied revision, creates version table and ledger if they are missing, and runs every step. The
  // report holds the error, and the revisions that were applied whatever the error is. An empty plan does nothing and takes no
  // lock.
  //
  // `pre_run_check` is called once, with the lock held and before anything is changed, because waiting for the lock may have
  // taken long; its error ends the run. `stop`: a first request lets the running transaction end within the grace period, a
  // second one cancels it.
  using PreRunCheck = std::function<Result<void>()>;
  [[nodiscard]] ExecutionReport execute(const Plan& plan, const StopToken& stop, const PreRunCheck& pre_run_check = {});
  // Of every run that upgrades or downgrades from here on.
  void set_witness(RunWitness witness);
  // Creates the version table and the ledger, under the lock (`athanor ensure_version`). What exists stays as it is.
  [[nodiscard]] Result<void> ensure_version(const StopToken& stop);
  // `stamp --purge`: deletes every row of the version table, then stamps. `plan` is made from no heads; it may be empty, which
  // leaves the version table empty.
  [[nodiscard]] ExecutionReport purge_and_stamp(const Plan& plan, const StopToken& stop);

  // `athanor adopt`: stamps as execute() does, with the takeover's conditions and note, in one transaction. StalePlan when a
  // condition found the other tool's history changed: nothing was stamped.
  [[nodiscard]] ExecutionReport adopt(const Plan& plan, const Takeover& takeover, const StopToken& stop);

  // `athanor repair`: records new checksums for these revisions in one transaction, under the lock. Returns how many.
  [[nodiscard]] Result<int> accept_checksums(const std::map<std::string, std::string>& checksum_by_revision,
                                             const StopToken& stop);
  // `athanor repair --step done|redo|abandon`: a person says how the unfinished autocommit statement ended (it took effect; it
  // did not), or that the traces of a half-applied revision were removed by hand. Usage when there is nothing to resolve.
  enum class StepResolution : std::uint8_t { Done, Redo, Abandon };
  [[nodiscard]] Result<void> resolve_step(StepResolution resolution, const StopToken& stop);

  using HistoryEntry = athanor::HistoryEntry;
  // The newest `limit` rows of the ledger's history, newest first; empty without a ledger. Observes first.
  [[nodiscard]] Result<std::vector<HistoryEntry>> ledger(std::size_t limit);
  // The last upgrade or downgrade that took effect; empty without one in the ledger. Observes first unless it was done.
  [[nodiscard]] Result<std::optional<LastChange>> last_change();
  // Whether the database holds tables that are not ours (user_tables.hpp). Observes first unless it was done.
  [[nodiscard]] Result<bool> has_user_tables();
  // Puts questions of others to the database, in the migrator's session; connects if need be. They must leave the session as
  // they found it.
  using Question = std::function<Result<void>(Session& session)>;
  [[nodiscard]] Result<void> ask(const Question& question);
  // The same under the lock, with the ledger there.
  [[nodiscard]] Result<void> ask_under_lock(const Question& question, const StopToken& stop);
  // The sessions that hold the migration lock now; empty when nobody does.
  [[nodiscard]] Result<std::vector<Blocker>> lock_holders();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor
