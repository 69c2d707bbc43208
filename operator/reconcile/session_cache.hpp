// Sessions that were only observed through, kept for the next observation of the same database.
//
// Where every tenant has a schema, a database has many resources, and most reconciles find nothing to do: connecting is nearly
// all they cost (a process on the server, a password hashed thousands of times). So a session that has only run queries may
// serve another resource with the same URL and role. It never runs a migration: its start-up settings are those of whoever
// opened it, and a migration has a session of its own. It is closed two seconds after its last use, so that it does not block
// DROP DATABASE.
//
// A session is kept only for a database that several resources observe. Whoever takes one must expect it to be broken, and open
// another.
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

  // Equal for targets that may share a session.
  [[nodiscard]] static std::string key_of(const DatabaseTarget& target);
  // A kept session; null when there is none. `who`: the resource that observes.
  [[nodiscard]] std::unique_ptr<Session> take(const std::string& key, const std::string& who);
  // Takes back a session that has only run queries. Closes it when no other resource is known to observe the database.
  void give(const std::string& key, std::unique_ptr<Session> session);
  // Closes the sessions that have expired.
  void close_due();
  // Spawns the thread that does so from now on. Once.
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
  std::deque<Kept> kept_;                                // the oldest first
  std::unordered_map<std::size_t, Interest> interests_;  // by hash of the key: a collision only keeps a session in vain
  StopSource ending_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace athanor::controller
