// The statements of an offline script that give psql's session the state that a run's session would have.
//
// What a revision sets lasts until its end, through all its steps: settings, role, temporary objects, prepared statements,
// cursors, LISTEN, advisory locks. RESET ALL returns to the settings that psql started with, so the settings of a migration
// session follow it.
//
// Threads: plain value.
#pragma once

#include <string>

namespace athanor {

class OfflineSession {
 public:
  // As configured (execution.role, execution.search_path); empty: keep the session's own.
  OfflineSession(const std::string& role, const std::string& search_path);

  // Returns a comment and statements on a few lines, with an empty line at the end. `resets`: the script resets the session
  // later, so what psql's session has set must be reset at the start, too.
  [[nodiscard]] std::string start(bool resets) const;
  // For use in a transaction block, after the revision's statements: a rollback undoes it.
  [[nodiscard]] std::string reset() const;

 private:
  std::string settings_;
};

}  // namespace athanor
