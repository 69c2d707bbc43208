// One run: what the functions that run its steps share, and those functions.
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

// Retries after lock_timeout, deadlock and serialisation failures: pauses from 250 ms, doubled up to 15 s, within one budget.
class LockRetries {
 public:
  LockRetries(Clock& clock, milliseconds budget) : clock_(&clock), budget_(budget) {}

  // The pause before the next attempt. Empty when the error is of another kind or the budget is used up.
  [[nodiscard]] std::optional<milliseconds> pause_after(const Error& error);
  // A step succeeded: the next one has the whole budget.
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
  const PlannedRevision* running = nullptr;       // which revision the server works on now
  std::optional<SteadyTime> stop_seen = {};       // when a graceful stop was first noticed
  std::optional<UnfinishedStep> unfinished = {};  // of the plan's first revision
  bool purge = false;                             // stamp --purge: all rows go first
  const Takeover* takeover = nullptr;             // of a stamp that takes over another tool's history; may be null
  const PlannedRevision* failed = nullptr;        // whose failure the ledger must record
  bool recovered = false;                         // the session is like new since the failure
  std::string lost_transaction = {};              // id of the transaction whose COMMIT was not answered, when known
  milliseconds asked_for_blockers{0};             // how long the wait was when it was last asked who blocks it
  // Of the revision of several steps that is running.
  std::optional<PartChecksums> parts = {};
  std::vector<std::string> custom_settings = {};

  // The current heads before revision `index`.
  [[nodiscard]] const std::vector<std::string>& heads_before(std::size_t index) const;
  // What the step row of this part of the running revision records of the text.
  [[nodiscard]] std::string part_checksum(std::size_t step, std::size_t statement) const { return parts->of(step, statement); }
  [[nodiscard]] HistoryTable::Entry entry(const PlannedRevision& revision, std::string_view outcome) const;
  // Records in the report where the run failed and gives the error its place ("path:line"); explains cancellations and
  // timeouts. `statement` may be null.
  [[nodiscard]] Error failed_at(const PlannedRevision& revision, const SqlStatement* statement, Error error);
  // Reports the retry to the sink and waits. False when there will be no retry: the error is final, or a stop was requested.
  [[nodiscard]] bool wait_for_retry(LockRetries& retries, const PlannedRevision& revision, const Error& error);
  // Adds the revision to the report as applied and tells the sink.
  void finished(std::size_t index, milliseconds duration);
  // Called while the session waits for the server (WaitListener). Reports blockers; returns true to cancel the running
  // statement after a stop request and its grace period.
  [[nodiscard]] bool while_waiting(milliseconds waited);

 private:
  [[nodiscard]] bool asks_for_blockers(milliseconds waited);
};

// The direction as ledger rows record it: "upgrade", "downgrade", or "stamp" for a step without a revision.
[[nodiscard]] std::string_view row_direction(const PlannedRevision& revision);

// Runs the revisions [first, last), one transaction each (or all in one), pipelined. CommitOutcomeUnknown when the connection
// was lost with a COMMIT unanswered.
[[nodiscard]] Result<void> run_transactions(RunContext& run, std::size_t first, std::size_t last);
// Runs bookkeeping commands in the middle of revision `index`, in a transaction of their own: with the role and the settings of
// a fresh session, and only while version table, ledger and lock are what they were (BookkeepingChanged). What the revision set
// is set again afterwards. One attempt. `print`, which may be null, is RevisionGuard::print() as it was when the commands
// before these had run, or empty: the ledger must still answer the same, and afterwards it holds the new answer.
[[nodiscard]] Result<void> keep_books(RunContext& run, std::size_t index, const std::vector<Command>& commands,
                                      std::string* print = nullptr);
// Runs a revision of several steps, from where it stopped last time.
[[nodiscard]] Result<void> run_steps(RunContext& run, std::size_t index);
// Runs the statements of step `step` of revision `index`, an autocommit step, from `first_statement` on, each with its intent
// recorded before it. `intent_found`: an earlier run was interrupted in the first of them; `before` is what that run recorded
// of the catalog. StepOutcomeUnknown when it is not known whether a statement took effect.
[[nodiscard]] Result<void> run_autocommit_step(RunContext& run, std::size_t index, std::size_t step,
                                               std::size_t first_statement, bool intent_found, const std::string& before);
// Runs a batch step from where its row in the step table says, or from the start, and marks it complete. VersionRowMismatch
// when the version table or that row is no longer as this run left it.
[[nodiscard]] Result<void> run_batch_step(RunContext& run, std::size_t index, std::size_t step);

}  // namespace athanor
