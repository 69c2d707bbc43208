// Names of databases changed, with whoever is connected sent away first; for restore.cpp.
//
// Threads: the session's. Ownership: borrows a session that is in another database of the server.
#pragma once

#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class DatabaseSwap {
 public:
  DatabaseSwap(Session& session, Clock& clock) : session_(session), clock_(clock) {}

  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to);
  // `fresh` takes the name of `name`, which is called <name>_before_<time> from then on; answers that name. `holder` is our own
  // session in the old database, which holds the migration lock: it is closed last, when nobody can come in any more and nobody
  // else is left. ConnectionLost, and nothing is swapped, when it does not hold the lock any more: somebody may have migrated.
  [[nodiscard]] Result<std::string> replace(const std::string& name, const std::string& fresh, std::unique_ptr<Session> holder);
  [[nodiscard]] Result<void> drop(const std::string& name);

 private:
  [[nodiscard]] Result<void> empty_of_others(const std::string& name, Session& holder);
  [[nodiscard]] Result<void> exchange(const std::string& name, const std::string& fresh, const std::string& previous);
  [[nodiscard]] Result<std::string> previous_name(const std::string& name);

  Session& session_;
  Clock& clock_;
};

}  // namespace athanor
