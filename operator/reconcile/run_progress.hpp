// Reports a running migration: metrics, log lines, and progress at most once a second, including a final report when nothing
// changes any more. At the same rate it checks whether the run may continue.
//
// Threads: the migrator's thread only. Ownership: borrows everything.
#pragma once

#include <functional>

#include "migrations/execute/progress_sink.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/hidden_values.hpp"
#include "operator/reconcile/reconcile_observer.hpp"
#include "operator/reconcile/run_status.hpp"

namespace athanor::controller {

class RunProgress final : public ProgressSink {
 public:
  using Listener = std::function<void(const Plan&, const RunState&)>;
  RunProgress(Clock& clock, ReconcileObserver& observer, const Log& log, Listener listener)
      : clock_(clock), observer_(observer), log_(log), listener_(std::move(listener)) {}

  void run_started(const Plan& plan) override;
  void waiting_for_lock(const std::vector<Blocker>& holders, milliseconds waited) override;
  void revision_started(std::size_t index, const PlannedRevision& revision) override;
  void batch_progress(const PlannedRevision& revision, std::int64_t rows, milliseconds elapsed) override;
  void blocked(const PlannedRevision& revision, const std::vector<Blocker>& blockers, milliseconds waited) override;
  void working(const PlannedRevision& revision, milliseconds waited) override;
  void waiting_for_replica(const PlannedRevision& revision, milliseconds lag, milliseconds limit, milliseconds waited) override;
  void superuser_migrates() override;
  void catalog_not_recorded(const Error& error) override;
  void index_left(const PlannedRevision& revision, const std::string& index) override;
  void retrying(const PlannedRevision& revision, const Error& error, int attempt, milliseconds delay) override;
  void revision_finished(std::size_t index, const PlannedRevision& revision, milliseconds duration) override;
  void server_message(const ServerMessage& message) override;

  [[nodiscard]] const std::vector<Blocker>& holders() const { return holders_; }
  // Sets the values that log lines must not contain.
  void set_hidden(const HiddenValues& hidden) { hidden_ = hidden; }
  // Sets a function that is called while the run waits for its lock (begun: false) and between its steps.
  void set_checkpoint(std::function<void(bool begun)> checkpoint) { checkpoint_ = std::move(checkpoint); }

 private:
  void report(bool at_once);
  void report_change();
  void wait_for(std::optional<LockWait> wait);
  void pass_checkpoint(bool begun);

  Clock& clock_;
  ReconcileObserver& observer_;
  const Log& log_;
  HiddenValues hidden_;
  Listener listener_;
  std::function<void(bool)> checkpoint_;
  const Plan* plan_ = nullptr;
  RunState state_;
  bool changed_ = false;  // since the last report
  int messages_ = 0;      // from the server, for this revision
  SteadyTime reported_{};
  SteadyTime asked_{};
  SteadyTime warned_{};
  std::vector<Blocker> holders_;
};

}  // namespace athanor::controller
