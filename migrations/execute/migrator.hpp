// The migrator observes one database and executes plans on it.
//
// Use one object per run and database. It opens its session on first use and keeps it. Every operation that changes the
// database holds the migration lock, which belongs to that session.
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

// Callbacks that see the database before and after a run, in the run's session and under the lock. They must leave the session
// as they found it. Either may be empty.
struct RunWitness {
  // Called before anything is changed. An error ends the run.
  std::function<Result<void>(Session& session)> before_run;
  // Called after success or failure, if the session is still alive. `report` lists the applied revisions; its error, duration
  // and state after a failure are not filled in yet.
  std::function<void(Session& session, const Plan& plan, const ExecutionReport& report)> after_run;
};

class Migrator {
 public:
  Migrator(SessionFactory& factory, Clock& clock, MigratorSettings settings, ProgressSink& sink);
  ~Migrator();
  Migrator(const Migrator&) = delete;
  Migrator& operator=(const Migrator&) = delete;

  // Reads the current heads, an unfinished revision, and which tables exist. Connects if necessary; takes no lock and changes
  // nothing. At most two round trips. Errors: connecting, UntrustedTable, the server's.
  [[nodiscard]] Result<Observation> observe();
  // The ledger's rows of the applied revisions, by revision; empty without a ledger. Observes first.
  [[nodiscard]] Result<std::map<std::string, AppliedRevision>> applied_revisions();
  // The revisions between `heads` and those of `files`, as far as the ledger recorded them. One query. Earlier versions of
  // Athanor recorded no lineage: then every unknown head is missing. Observes first if necessary.
  [[nodiscard]] Result<RecordedLineage> recorded_lineage(const RevisionGraph& files, const std::vector<std::string>& heads);
  // Compares the files of the revisions applied at `current_heads` with the ledger's checksums. Succeeds without a ledger, and
  // for revisions without a recorded checksum. The first difference is a ChecksumMismatch, with the command that shows it.
  // `plan` may be null; its checksums spare reading those files.
  [[nodiscard]] Result<void> verify_checksums(const RevisionGraph& graph, const RevisionSource& source,
                                              const std::vector<std::string>& current_heads, const Plan* plan = nullptr);
  // Runs the plan: takes the lock, observes again, refuses a plan that no longer starts at the current heads (StalePlan) or
  // does not continue a half-applied revision, creates the version table and ledger if they are missing, and runs every step.
  // The report contains the error and, even then, the applied revisions. An empty plan does nothing and takes no lock.
  //
  // `pre_run_check` is called once, under the lock and before anything is changed, because waiting for the lock may have taken
  // long; its error ends the run. On a first stop request the running transaction may finish within the grace period; a second
  // request cancels it.
  using PreRunCheck = std::function<Result<void>()>;
  [[nodiscard]] ExecutionReport execute(const Plan& plan, const StopToken& stop, const PreRunCheck& pre_run_check = {});
  // Sets the callbacks for every following run that upgrades or downgrades.
  void set_witness(RunWitness witness);
  // Creates the version table and the ledger, under the lock (`athanor ensure_version`). Existing tables are not changed,
  // except that columns of older versions are added.
  [[nodiscard]] Result<void> ensure_version(const StopToken& stop);
  // `stamp --purge`: deletes every row of the version table, then stamps. `plan` must start from no heads; an empty plan leaves
  // the version table empty.
  [[nodiscard]] ExecutionReport purge_and_stamp(const Plan& plan, const StopToken& stop);

  // `athanor adopt`: stamps like execute(), with the takeover's conditions and note, in one transaction. StalePlan when a
  // condition found that the other tool's history changed; then nothing was stamped.
  [[nodiscard]] ExecutionReport adopt(const Plan& plan, const Takeover& takeover, const StopToken& stop);

  // `athanor repair --accept`: records new checksums for these revisions in one transaction, under the lock. Returns how many.
  [[nodiscard]] Result<int> accept_checksums(const std::map<std::string, std::string>& checksum_by_revision,
                                             const StopToken& stop);
  // `athanor repair --step done|redo|abandon`: records a user's decision. Done: the unfinished autocommit statement took
  // effect. Redo: it did not. Abandon: the user removed what the half-applied revision left. Usage when there is nothing to
  // resolve.
  enum class StepResolution : std::uint8_t { Done, Redo, Abandon };
  [[nodiscard]] Result<void> resolve_step(StepResolution resolution, const StopToken& stop);

  using HistoryEntry = athanor::HistoryEntry;
  // The newest `limit` rows of the ledger's history, newest first; empty without a ledger. Observes first.
  [[nodiscard]] Result<std::vector<HistoryEntry>> ledger(std::size_t limit);
  // The last upgrade or downgrade that took effect; empty when the ledger has none. Observes first if necessary.
  [[nodiscard]] Result<std::optional<LastChange>> last_change();
  // Whether the database has tables other than Athanor's (user_tables.hpp). Observes first if necessary.
  [[nodiscard]] Result<bool> has_user_tables();
  // Runs the caller's queries in the migrator's session; connects if necessary. The callback must leave the session as it found
  // it.
  using Question = std::function<Result<void>(Session& session)>;
  [[nodiscard]] Result<void> ask(const Question& question);
  // Like ask(), but under the lock, and after creating the ledger if it is missing.
  [[nodiscard]] Result<void> ask_under_lock(const Question& question, const StopToken& stop);
  // The sessions that hold the migration lock now; may be empty.
  [[nodiscard]] Result<std::vector<Blocker>> lock_holders();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor
