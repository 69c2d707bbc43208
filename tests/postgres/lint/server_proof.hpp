// Measures what a statement does to a table on a real server: the locks it takes, whether it scans the table and whether it
// rewrites its file.
//
// Threads: one thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "migrations/lint/lock_mode.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor::test {

struct Seen {
  LockMode table = LockMode::None;
  LockMode other = LockMode::None;
  bool scanned = false;
  bool rewritten = false;
  std::string sqlstate;
};

inline LockMode mode_named(const std::string& name) {
  for (int mode = 0; mode <= static_cast<int>(LockMode::AccessExclusive); ++mode) {
    if (catalog_lock_name(static_cast<LockMode>(mode)) == name) {
      return static_cast<LockMode>(mode);
    }
  }
  return LockMode::None;
}

class ProofTable {
 public:
  ProofTable(Client& client, const std::string& name)
      : oid_(name.empty() ? "" : client.value("SELECT '" + name + "'::regclass::oid")) {
    file_ = file(client);
  }

  [[nodiscard]] const std::string& oid() const { return oid_; }
  [[nodiscard]] std::string file(Client& client) const {
    return oid_.empty() ? "" : client.value("SELECT coalesce(pg_relation_filenode(" + oid_ + "), 0)");
  }
  [[nodiscard]] bool rewritten(Client& client) const {
    const std::string now = file(client);
    return now != file_ && now != "0";  // 0: the table was dropped
  }
  [[nodiscard]] LockMode strongest(Client& client, int pid) const {
    LockMode strongest = LockMode::None;
    if (!oid_.empty()) {
      for (const std::string& name : client.column("SELECT mode FROM pg_locks WHERE locktype = 'relation' AND relation = " +
                                                   oid_ + " AND pid = " + std::to_string(pid))) {
        strongest = std::max(strongest, mode_named(name));
      }
    }
    return strongest;
  }
  [[nodiscard]] int scans(Client& client) const {
    return oid_.empty() ? 0 : std::stoi(client.value("SELECT pg_stat_get_xact_numscans(" + oid_ + ")"));
  }

 private:
  std::string oid_;
  std::string file_;
};

// Runs the statement in a transaction that is rolled back.
inline Seen look(TestDatabase& database, const std::string& sql, const std::string& table, const std::string& other) {
  Client client = database.connect();
  const ProofTable first(client, table);
  const ProofTable second(client, other);
  client.run("BEGIN");
  Seen seen;
  seen.sqlstate = client.attempt(sql);
  if (!seen.sqlstate.empty()) {
    client.run("ROLLBACK");
    return seen;
  }
  seen.table = first.strongest(client, client.backend_pid());
  seen.other = second.strongest(client, client.backend_pid());
  seen.scanned = first.scans(client) + second.scans(client) > 0;
  seen.rewritten = first.rewritten(client);
  client.run("ROLLBACK");
  return seen;
}

// Runs the statement outside a transaction, for those that refuse one. Another session holds a lock on the table, so that the
// statement waits and pg_locks shows the lock it has or wants.
inline Seen look_alone(TestDatabase& database, const std::string& sql, const std::string& table) {
  Client holder = database.connect();
  Client client = database.connect();
  Client watcher = database.connect();
  const ProofTable watched(watcher, table);
  holder.run("BEGIN; LOCK TABLE " + table + " IN ROW EXCLUSIVE MODE; SELECT txid_current()");
  const int pid = client.backend_pid();
  client.start(sql);
  Seen seen;
  for (int tries = 0; tries < 200 && seen.table < LockMode::ShareUpdateExclusive; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    seen.table = watched.strongest(watcher, pid);
  }
  holder.run("COMMIT");
  seen.sqlstate = client.finish();
  seen.rewritten = watched.rewritten(watcher);
  return seen;
}

}  // namespace athanor::test
