// What an offline script does to psql's session around the revisions, so that they find the session a run would give them.
//
// What a revision sets lasts to its end, through all its steps, and no longer: settings, role, temporary objects, prepared
// statements, cursors, LISTEN, advisory locks. RESET ALL leads back to what psql was started with, which is why the settings
// of a migration session follow once more.
//
// Threads: plain value.
#pragma once

#include <string>

namespace athanor {

class OfflineSession {
 public:
  // As configured (execution.role, execution.search_path); empty: the session's own.
  OfflineSession(const std::string& role, const std::string& search_path);

  // Both are a comment and statements on a few lines, an empty line at the end. `resets`: the script resets the session later,
  // so it must not begin with what psql's session has set.
  [[nodiscard]] std::string start(bool resets) const;
  // For inside a transaction block, behind the revision's statements: a rollback undoes it.
  [[nodiscard]] std::string reset() const;

 private:
  std::string settings_;
};

}  // namespace athanor
