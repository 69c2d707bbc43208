// Sessions that only looked, kept for the next who looks at the same database.
//
// Where every tenant has a schema, a database has many resources, and most reconciles find nothing to do: connecting is nearly
// all they cost (a process on the server, a password hashed thousands of times). So a session that has looked and done nothing
// else may be looked through by another resource with the same URL and role. It never runs anything: its start-up settings are
// those of whoever opened it, and a migration has a session of its own with its own settings. Nor is it kept for long: two
// seconds after its last look it is closed, so that it stands in nobody's way (DROP DATABASE).
//
// A session is kept only for a database that several resources have looked at. Who takes one must be prepared to find it
// broken, and open another.
//
// Threads: safe from any thread; one thread closes what is due, from the first session kept to the destructor. Ownership: owns
// the sessions it keeps, borrows the clock. Keys are hashes: no URL stays in memory.
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

  // What two looks must have in common to go through one session.
  [[nodiscard]] static std::string key_of(const DatabaseTarget& target);
  // A kept session; null when there is none. `who` looks.
  [[nodiscard]] std::unique_ptr<Session> take(const std::string& key, const std::string& who);
  // Of a session that has done nothing but query. It is closed when nobody is expected to want it.
  void give(const std::string& key, std::unique_ptr<Session> session);
  // Closes what nobody took in time.
  void close_due();
  // From now on that happens by itself.
  void start();

 private:
  struct Kept {
    std::string key;
    std::unique_ptr<Session> session;
    SteadyTime until;
  };
  struct Interest {
    std::size_t first = 0;  // who looked first, as a hash
    bool shared = false;    // somebody else has looked since
  };
  void watch();

  Clock& clock_;
  std::mutex mutex_;
  std::deque<Kept> kept_;                                // the oldest first
  std::unordered_map<std::size_t, Interest> interests_;  // by hash of the key: a mistake keeps a session in vain
  StopSource ending_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace athanor::controller
