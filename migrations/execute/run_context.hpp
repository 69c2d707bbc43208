// What every step runner of one run shares.
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
#include "migrations/execute/progress_sink.hpp"
#include "migrations/execute/version_table.hpp"

namespace athanor {

// Attempts after lock_timeout, deadlock and serialisation failures: exponential pauses under one total budget.
class LockRetries {
 public:
  LockRetries(Clock& clock, milliseconds budget) : clock_(&clock), budget_(budget) {}

  // The pause before the next attempt, or nothing when the error is not of that kind or the budget is used up.
  [[nodiscard]] std::optional<milliseconds> pause_after(const Error& error);
  // A step succeeded: the next one has the whole budget again.
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
  ProgressSink& sink;
  StopToken stop;
  const Plan& plan;
  ExecutionReport& report;
  BlockerWatch& watch;
  const PlannedRevision* running = nullptr;       // for the wait listener
  std::optional<SteadyTime> stop_seen = {};       // when a graceful stop was first noticed
  std::optional<UnfinishedStep> unfinished = {};  // of the plan's first revision
  bool purge = false;                             // stamp --purge: all rows go first
  const PlannedRevision* failed = nullptr;        // whose failure the ledger must record
  std::string lost_transaction = {};              // id of the transaction whose COMMIT was not answered, when known

  // The current heads before revision `index`.
  [[nodiscard]] const std::vector<std::string>& heads_before(std::size_t index) const;
  [[nodiscard]] HistoryTable::Entry entry(const PlannedRevision& revision, std::string_view outcome) const;
  // Notes where it failed and gives the error its place: "path:line".
  [[nodiscard]] Error failed_at(const PlannedRevision& revision, const SqlStatement* statement, Error error);
  // Waits before another attempt and tells the sink; false when there will be none.
  [[nodiscard]] bool wait_for_retry(LockRetries& retries, const PlannedRevision& revision, const Error& error);
  void finished(std::size_t index, milliseconds duration);
  // The wait listener: reports blockers, turns stop requests into a cancel. True: cancel now.
  [[nodiscard]] bool while_waiting(milliseconds waited);
};

[[nodiscard]] std::string_view row_direction(const PlannedRevision& revision);

// Revisions [first, last) of one transaction each (or all in one), pipelined.
[[nodiscard]] Result<void> run_transactions(RunContext& run, std::size_t first, std::size_t last);
// A revision of several steps, from where it stopped last time.
[[nodiscard]] Result<void> run_steps(RunContext& run, std::size_t index);
// One statement outside a transaction, with intent before it and a probe after a crash.
[[nodiscard]] Result<void> run_autocommit_step(RunContext& run, const PlannedRevision& revision, std::size_t step,
                                               std::size_t first_statement, bool intent_found, const std::string& state_before);
// A batch step, after the key `cursor`.
[[nodiscard]] Result<void> run_batch_step(RunContext& run, const PlannedRevision& revision, std::size_t step,
                                          std::optional<std::string> cursor, std::int64_t rows);

}  // namespace athanor
