// Receives the progress of a run while it happens.
//
// Threads: called on the migrator's thread, partly while the server works; must not block for long and must not throw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/error.hpp"
#include "migrations/execute/execution_report.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/session/blocker.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Every method does nothing by default; override those that you display.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void run_started(const Plan& /*plan*/) {}
  virtual void waiting_for_lock(const std::vector<Blocker>& /*holders*/, milliseconds /*waited*/) {}
  virtual void revision_started(std::size_t /*index*/, const PlannedRevision& /*revision*/) {}
  virtual void step_started(const PlannedRevision& /*revision*/, std::size_t /*step*/) {}
  virtual void batch_progress(const PlannedRevision& /*revision*/, std::int64_t /*rows*/, milliseconds /*elapsed*/) {}
  // The revision waits for a lock that `blockers` hold; `waited` so far in this wait.
  virtual void blocked(const PlannedRevision& /*revision*/, const std::vector<Blocker>& /*blockers*/, milliseconds /*waited*/) {
  }
  // Called from time to time while the server works on the revision and nothing blocks it.
  virtual void working(const PlannedRevision& /*revision*/, milliseconds /*waited*/) {}
  // Called when the run creates the ledger and its role is a superuser: everything a revision calls has all rights.
  virtual void superuser_migrates() {}
  // A batch step waits because a replica lags by `lag`, which exceeds `limit`. `waited` is the time waited so far.
  virtual void waiting_for_replica(const PlannedRevision& /*revision*/, milliseconds /*lag*/, milliseconds /*limit*/,
                                   milliseconds /*waited*/) {}
  virtual void retrying(const PlannedRevision& /*revision*/, const Error& /*error*/, int /*attempt*/, milliseconds /*delay*/) {}
  // An INVALID index that a statement left stays because the role may not drop it.
  virtual void index_left(const PlannedRevision& /*revision*/, const std::string& /*index*/) {}
  // After the run, the schema could not be recorded in the ledger. The run's own result is unaffected.
  virtual void catalog_not_recorded(const Error& /*error*/) {}
  virtual void revision_finished(std::size_t /*index*/, const PlannedRevision& /*revision*/, milliseconds /*duration*/) {}
  // A WARNING; also a NOTICE when ExecutionSettings::show_notices is set.
  virtual void server_message(const ServerMessage& /*message*/) {}
  virtual void run_finished(const ExecutionReport& /*report*/) {}
};

}  // namespace athanor
