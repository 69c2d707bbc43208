// Keeps sessions that were used only for observing for the next observation of the same database.
//
// If every tenant has a schema, one database has many resources. Most reconciles find nothing to do, and connecting is nearly
// all their cost (a server process, a password hashed thousands of times). So a session that has only run queries may serve
// another resource with the same URL and role. It never runs a migration, which has its own session, because its start-up
// settings are those of the resource that opened it. It is closed two seconds after its last use, so that it does not block
// DROP DATABASE.
//
// Sessions are kept only for databases that several resources observe. A caller must expect a cached session to be broken, and
// then open another.
//
// Threads: safe from any thread; one thread closes expired sessions, from start() to the destructor. Ownership: owns the
// sessions it keeps, borrows the clock. Keys are hashes: no URL stays in memory.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "migrations/base/clock.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/session/session.hpp"
#include "operator/reconcile/database_access.hpp"

namespace athanor::controller {

class SessionCache {
 public:
  explicit SessionCache(Clock& clock) : clock_(clock) {}
  ~SessionCache();
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;

  // Returns a key that is equal for targets that may share a session.
  [[nodiscard]] static std::string key_of(const DatabaseTarget& target);
  // Returns a cached session; null when there is none. `who`: the resource that observes.
  [[nodiscard]] std::unique_ptr<Session> take(const std::string& key, const std::string& who);
  // Stores a session that has only run queries. Closes it when no other resource is known to observe the database.
  void give(const std::string& key, std::unique_ptr<Session> session);
  // Closes expired sessions.
  void close_due();
  // Starts the thread that calls close_due(). Call it once.
  void start();

 private:
  struct Kept {
    std::string key;
    std::unique_ptr<Session> session;
    SteadyTime until;
  };
  struct Interest {
    std::size_t first = 0;  // hash of the first resource that observed it
    bool shared = false;    // another resource observed it too
  };
  void watch();

  Clock& clock_;
  std::mutex mutex_;
  std::deque<Kept> kept_;                                // oldest first
  std::unordered_map<std::size_t, Interest> interests_;  // by hash of the key; a collision only keeps a session unnecessarily
  StopSource ending_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace athanor::controller
