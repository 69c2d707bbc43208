// Who stands in the way: looks at the migration session from a second connection while it waits.
//
// Nothing is opened until a statement has been waiting for a while, so a run that meets no one costs no connection.
//
// Threads: the migrator's thread. Ownership: owns its observer session; borrows the factory.
#pragma once

#include <memory>
#include <vector>

#include "migrations/session/blocker.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class BlockerWatch {
 public:
  explicit BlockerWatch(SessionFactory& factory) : factory_(&factory) {}

  // Sessions that the backend `pid` waits for; empty when it is simply busy or nobody can be asked.
  [[nodiscard]] std::vector<Blocker> look(int pid);

 private:
  SessionFactory* factory_;
  std::unique_ptr<ReadSession> observer_;
};

}  // namespace athanor
