// The migrator: observes one database and executes plans on it.
//
// One object per run and database. observe() needs no lock and one round trip; execute() takes the migration lock on the same
// session, looks again, refuses a plan that no longer fits (StalePlan), creates version table and ledger if they are missing,
// and runs every step. What happened is data: an ExecutionReport names the applied revisions even when a later one failed.
//
// Threads: one thread per migrator. Ownership: borrows factory, clock and sink; owns its session and closes it (and with it
// the lock) when destroyed.
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
#include "migrations/graph/graph.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class Migrator {
 public:
  Migrator(SessionFactory& factory, Clock& clock, MigratorSettings settings, ProgressSink& sink);
  ~Migrator();
  Migrator(const Migrator&) = delete;
  Migrator& operator=(const Migrator&) = delete;

  // Connects if need be, and looks. No lock, nothing created.
  [[nodiscard]] Result<Observation> observe();
  // Checksums of applied revisions as the ledger has them, keyed by revision; empty without a ledger.
  [[nodiscard]] Result<std::map<std::string, AppliedRevision>> applied_revisions();
  // Compares the files of applied revisions with the ledger. The first difference is ChecksumMismatch with a diff hint. Bodies
  // that `plan` already read are not read again.
  [[nodiscard]] Result<void> verify_checksums(const RevisionGraph& graph, const RevisionSource& source,
                                              const std::vector<std::string>& current_heads, const Plan* plan = nullptr);
  // Runs the plan. Never throws; the report holds the error. An empty plan does nothing and takes no lock. `permit` is asked
  // once, when the lock is held and before anything is changed: it may have been long in coming. Its error ends the run.
  using PreRunCheck = std::function<Result<void>()>;
  [[nodiscard]] ExecutionReport execute(const Plan& plan, const StopToken& stop, const PreRunCheck& pre_run_check = {});
  // Creates the version table and the ledger under the lock (`athanor ensure_version`).
  [[nodiscard]] Result<void> ensure_version(const StopToken& stop);
  // Deletes all rows first, then stamps: `stamp --purge`. Plan made from no rows.
  [[nodiscard]] ExecutionReport purge_and_stamp(const Plan& plan, const StopToken& stop);

  // `athanor repair`: accept the files as they are for these revisions (new checksums), under the lock.
  [[nodiscard]] Result<int> accept_checksums(const std::map<std::string, std::string>& checksum_by_revision,
                                             const StopToken& stop);
  // `athanor repair --step done|redo|abandon`: a human says how the unfinished autocommit statement ended, or that the traces
  // of a half-applied revision were removed by hand.
  enum class StepResolution : std::uint8_t { Done, Redo, Abandon };
  [[nodiscard]] Result<void> resolve_step(StepResolution resolution, const StopToken& stop);

  using HistoryEntry = athanor::HistoryEntry;
  // Newest first; empty without a ledger.
  [[nodiscard]] Result<std::vector<HistoryEntry>> ledger(std::size_t limit);
  // Who holds the migration lock now; empty when nobody does.
  [[nodiscard]] Result<std::vector<Blocker>> lock_holders();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor
