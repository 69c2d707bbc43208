// Reports a run while it is under way: metrics, log lines, and progress at most once a second, and once more when it stays as
// it is. As often it asks whether the run may go on.
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
  // What no log line may show.
  void set_hidden(const HiddenValues& hidden) { hidden_ = hidden; }
  // Called while the run waits for its lock (begun: false) and between its steps.
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
  bool changed_ = false;  // since it was reported
  int messages_ = 0;      // of the server about this revision
  SteadyTime reported_{};
  SteadyTime asked_{};
  SteadyTime warned_{};
  std::vector<Blocker> holders_;
};

}  // namespace athanor::controller
