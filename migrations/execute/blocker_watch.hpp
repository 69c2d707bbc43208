// Finds the sessions that block the migration session, through a second connection.
//
// The second connection is opened on first use, so a run that is never blocked does not pay for it. After a failure no attempt
// is made for 30 seconds: each may delay the run by a second or two.
//
// Threads: the migrator's thread. Ownership: owns its observer session; borrows the factory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/session/blocker.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class BlockerWatch {
 public:
  explicit BlockerWatch(SessionFactory& factory) : factory_(&factory) {}

  // The sessions (and prepared transactions) that the backend `pid` waits for, at most ten. Empty when it is not blocked or the
  // server cannot be queried: a failure to find blockers must not fail the run.
  [[nodiscard]] std::vector<Blocker> blockers_of(int pid);

 private:
  SessionFactory* factory_;
  std::unique_ptr<ReadSession> observer_;
  std::optional<SteadyTime> failed_;
};

}  // namespace athanor
