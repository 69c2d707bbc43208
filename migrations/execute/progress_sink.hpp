// Receives the progress of a run as it happens.
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

// Every method does nothing by default; a sink overrides what it shows.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void run_started(const Plan& /*plan*/) {}
  virtual void waiting_for_lock(const std::vector<Blocker>& /*holders*/, milliseconds /*waited*/) {}
  virtual void revision_started(std::size_t /*index*/, const PlannedRevision& /*revision*/) {}
  virtual void step_started(const PlannedRevision& /*revision*/, std::size_t /*step*/) {}
  virtual void batch_progress(const PlannedRevision& /*revision*/, std::int64_t /*rows*/, milliseconds /*elapsed*/) {}
  virtual void blocked(const PlannedRevision& /*revision*/, const std::vector<Blocker>& /*blockers*/, milliseconds /*waited*/) {
  }
  // The server works on the revision, and nobody holds it up; told from time to time.
  virtual void working(const PlannedRevision& /*revision*/, milliseconds /*waited*/) {}
  // The run made the ledger, and its role is a superuser: whatever a revision calls has every right. Told once a database.
  virtual void superuser_migrates() {}
  // A batch step waits because a replica is `lag` behind, which is more than `limit`; `waited` so far.
  virtual void waiting_for_replica(const PlannedRevision& /*revision*/, milliseconds /*lag*/, milliseconds /*limit*/,
                                   milliseconds /*waited*/) {}
  virtual void retrying(const PlannedRevision& /*revision*/, const Error& /*error*/, int /*attempt*/, milliseconds /*delay*/) {}
  // An INVALID index that a statement left stays, because the role may not drop it.
  virtual void index_left(const PlannedRevision& /*revision*/, const std::string& /*index*/) {}
  // The run is over, and the ledger could not be told what the schema is now. The run itself is as its report says.
  virtual void catalog_not_recorded(const Error& /*error*/) {}
  virtual void revision_finished(std::size_t /*index*/, const PlannedRevision& /*revision*/, milliseconds /*duration*/) {}
  // A WARNING, or a NOTICE when ExecutionSettings::show_notices asks for them.
  virtual void server_message(const ServerMessage& /*message*/) {}
  virtual void run_finished(const ExecutionReport& /*report*/) {}
};

}  // namespace athanor
