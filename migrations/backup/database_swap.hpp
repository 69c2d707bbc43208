// Renames databases after disconnecting their sessions. Only for restore.cpp.
//
// Threads: the session's. Ownership: borrows a session that is connected to another database of the server.
#pragma once

#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class DatabaseSwap {
 public:
  DatabaseSwap(Session& session, Clock& clock) : session_(session), clock_(clock) {}

  // Renames a database, waiting about ten seconds for sessions to leave it.
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to);
  // Gives `fresh` the name `name`, renames the old database to <name>_before_<time>, and returns that name. `holder` is our own
  // session in the old database, which holds the migration lock. It is closed last, when no session can connect and no other is
  // left. ConnectionLost when it no longer holds the lock, because a migration may have run; nothing is swapped then.
  [[nodiscard]] Result<std::string> replace(const std::string& name, const std::string& fresh, std::unique_ptr<Session> holder);
  // Drops a database, if it exists, and disconnects its sessions where the server can (version 13 and later).
  [[nodiscard]] Result<void> drop(const std::string& name);

 private:
  [[nodiscard]] Result<void> empty_of_others(const std::string& name, Session& holder);
  [[nodiscard]] Result<void> exchange(const std::string& name, const std::string& fresh, const std::string& previous);
  [[nodiscard]] Result<std::string> previous_name(const std::string& name);

  Session& session_;
  Clock& clock_;
};

}  // namespace athanor
