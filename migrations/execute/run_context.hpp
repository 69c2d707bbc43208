// The shared state of one run, and the functions that run its steps.
//
// Threads: the migrator's thread. Ownership: borrows everything; lives for one execute().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/execute/blocker_watch.hpp"
#include "migrations/execute/execution_report.hpp"
#include "migrations/execute/ledger.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/execute/observation.hpp"
#include "migrations/execute/part_checksums.hpp"
#include "migrations/execute/progress_sink.hpp"
#include "migrations/execute/revision_guard.hpp"
#include "migrations/execute/takeover.hpp"
#include "migrations/execute/version_table.hpp"

namespace athanor {

// Retries after lock_timeout, deadlock and serialisation failures: pauses of 250 ms, doubled up to 15 s, within one budget.
class LockRetries {
 public:
  LockRetries(Clock& clock, milliseconds budget) : clock_(&clock), budget_(budget) {}

  // The pause before the next attempt. Empty for other kinds of error, or when the budget is used up.
  [[nodiscard]] std::optional<milliseconds> pause_after(const Error& error);
  // Restores the whole budget after a success.
  void reset();
  [[nodiscard]] int attempts() const { return attempts_; }

 private:
  Clock* clock_;
  milliseconds budget_;
  std::optional<SteadyTime> since_;
  milliseconds next_{250};
  int attempts_ = 0;
};

struct RunContext {
  Session& session;
  Clock& clock;
  const MigratorSettings& settings;
  const VersionTable& versions;
  const Ledger& ledger;
  const RevisionGuard& guard;
  ProgressSink& sink;
  StopToken stop;
  const Plan& plan;
  ExecutionReport& report;
  BlockerWatch& watch;
  const PlannedRevision* running = nullptr;       // the revision that the server works on now
  std::optional<SteadyTime> stop_seen = {};       // when a graceful stop was first noticed
  std::optional<UnfinishedStep> unfinished = {};  // of the plan's first revision
  bool purge = false;                             // stamp --purge: delete all version rows first
  const Takeover* takeover = nullptr;             // for a stamp that takes over another tool's history; may be null
  const PlannedRevision* failed = nullptr;        // the revision whose failure the ledger must record
  bool recovered = false;                         // the session was reset after the failure
  std::string lost_transaction = {};              // id of the transaction whose COMMIT was not answered, if known
  milliseconds asked_for_blockers{0};             // length of the current wait when blockers were last queried; 0: not yet
  // For the revision of several steps that is running:
  std::optional<PartChecksums> parts = {};
  std::vector<std::string> custom_settings = {};

  // The current heads before revision `index`.
  [[nodiscard]] const std::vector<std::string>& heads_before(std::size_t index) const;
  // The text checksum that the step row of this part of the running revision records.
  [[nodiscard]] std::string part_checksum(std::size_t step, std::size_t statement) const { return parts->of(step, statement); }
  // The history row of a revision in this run. The views in it point into the plan.
  [[nodiscard]] HistoryTable::Entry entry(const PlannedRevision& revision, std::string_view outcome) const;
  // Records in the report where the run failed, sets the error's context ("path:line"), and explains cancellations and
  // timeouts. `statement` may be null.
  [[nodiscard]] Error failed_at(const PlannedRevision& revision, const SqlStatement* statement, Error error);
  // Reports the retry to the sink and waits. False when there is no retry: the error is final, or a stop was requested.
  [[nodiscard]] bool wait_for_retry(LockRetries& retries, const PlannedRevision& revision, const Error& error);
  // Adds the revision to the report as applied, and notifies the sink.
  void finished(std::size_t index, milliseconds duration);
  // The session's WaitListener. Reports blockers; returns true to cancel the running statement, after a stop request and its
  // grace period.
  [[nodiscard]] bool while_waiting(milliseconds waited);

 private:
  [[nodiscard]] bool asks_for_blockers(milliseconds waited);
};

// The direction as ledger rows record it: "upgrade", "downgrade", or "stamp" for a step without a revision.
[[nodiscard]] std::string_view row_direction(const PlannedRevision& revision);

// Runs the revisions [first, last) in pipelined transactions: one each, or one for all. CommitOutcomeUnknown when the
// connection was lost before a COMMIT was answered.
[[nodiscard]] Result<void> run_transactions(RunContext& run, std::size_t first, std::size_t last);
// Runs bookkeeping commands in the middle of revision `index`, in a separate transaction, with the role and settings of a fresh
// session, and only while version table, ledger and lock are unchanged (BookkeepingChanged). Afterwards the revision's own
// settings are in force again. One attempt. `print` may be null. If it is not empty, it is RevisionGuard::print() from the
// previous bookkeeping transaction and the ledger must still match it; afterwards it contains the new value.
[[nodiscard]] Result<void> keep_books(RunContext& run, std::size_t index, const std::vector<Command>& commands,
                                      std::string* print = nullptr);
// Runs a revision of several steps, continuing where it stopped last time.
[[nodiscard]] Result<void> run_steps(RunContext& run, std::size_t index);
// Runs the statements of autocommit step `step` of revision `index` from `first_statement` on, recording an intent before each.
// `intent_found`: an earlier run was interrupted in the first of them, and `before` is the catalog state that it recorded.
// StepOutcomeUnknown when it is unknown whether a statement took effect.
[[nodiscard]] Result<void> run_autocommit_step(RunContext& run, std::size_t index, std::size_t step,
                                               std::size_t first_statement, bool intent_found, const std::string& before);
// Runs a batch step from the cursor in its step row, or from the start, and marks it complete. VersionRowMismatch when the
// version table or that row changed under this run.
[[nodiscard]] Result<void> run_batch_step(RunContext& run, std::size_t index, std::size_t step);

}  // namespace athanor
