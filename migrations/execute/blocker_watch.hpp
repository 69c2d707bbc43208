// Finds the sessions that the migration session waits for, from a second connection while it waits.
//
// The second connection is opened at the first question, so a run that is never blocked costs none. When it fails, nobody is
// asked for half a minute: each attempt may hold up the run for a second or two.
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

  // Sessions that the backend `pid` waits for, ten at most. Empty when it is not blocked, and when the server cannot be asked:
  // naming blockers is a courtesy that must not fail a run.
  [[nodiscard]] std::vector<Blocker> blockers_of(int pid);

 private:
  SessionFactory* factory_;
  std::unique_ptr<ReadSession> observer_;
  std::optional<SteadyTime> failed_;
};

}  // namespace athanor
