// The work queue: which resource is looked at next.
//
// A key is never handed out twice at once: added while it is processed, it comes back when it is done. An immediate add
// replaces a scheduled one. Failures of a key are spaced by an exponential back-off with jitter, its own and nobody else's.
// Keys belong to a group (a database server), and at most `per_group` of a group are out at a time; others overtake meanwhile.
//
// Threads: safe from any thread. Time comes from the Clock; only get() blocks. Ownership: borrows the clock.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "migrations/base/clock.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct BackOff {
  milliseconds first{1'000};
  milliseconds most{300'000};
  double jitter = 0.1;  // ± this share
  // The delay before attempt `failures` + 1; `luck` in [0, 1) decides the jitter.
  [[nodiscard]] milliseconds delay(int failures, double luck) const;
};

struct QueueStatistics {
  std::size_t depth = 0;
  std::size_t processing = 0;
  std::size_t scheduled = 0;
  double unfinished_seconds = 0;       // sum over what is out
  double longest_running_seconds = 0;  // of what is out
};

// What the queue tells whoever counts. Called without the queue's lock.
class QueueObserver {
 public:
  virtual ~QueueObserver() = default;
  virtual void added() {}
  virtual void retried() {}
  virtual void taken(double /*waited_seconds*/) {}
  virtual void finished(double /*worked_seconds*/) {}
};

class WorkQueue {
 public:
  WorkQueue(Clock& clock, BackOff back_off, std::size_t per_group, QueueObserver* observer = nullptr);

  // The group of a key from now on; empty: no limit.
  void set_group(const ResourceKey& key, std::string group);
  void add(const ResourceKey& key);
  // Not before `delay` has passed. An earlier schedule or a queued key stays.
  void add_after(const ResourceKey& key, milliseconds delay);
  // Counts a failure and schedules the next attempt; returns the delay.
  milliseconds add_rate_limited(const ResourceKey& key);
  // The key's failures are history.
  void forget(const ResourceKey& key);
  // The key is gone: not queued, not scheduled, no group.
  void remove(const ResourceKey& key);
  [[nodiscard]] int failures(const ResourceKey& key) const;

  // The next key that may be worked on; waits for one. Empty when the queue was shut down.
  [[nodiscard]] std::optional<ResourceKey> get();
  // The same without waiting.
  [[nodiscard]] std::optional<ResourceKey> try_get();
  void done(const ResourceKey& key);

  // No key is handed out from now on; waiting workers return.
  void shut_down();
  // Waits until nothing is queued or out (schedules are not waited for).
  void wait_until_idle();
  [[nodiscard]] QueueStatistics statistics() const;

 private:
  struct Entry {
    std::string group;
    int failures = 0;
    bool queued = false;
    bool processing = false;
    bool again = false;  // added while processing
    std::optional<SteadyTime> scheduled;
    SteadyTime queued_at{};
    SteadyTime taken_at{};
  };

  void enqueue(const ResourceKey& key, Entry& entry, SteadyTime now);
  void schedule(const ResourceKey& key, Entry& entry, SteadyTime when);
  void unschedule(const ResourceKey& key, Entry& entry);
  void promote_due(SteadyTime now);
  [[nodiscard]] std::optional<ResourceKey> take(SteadyTime now, double& waited);

  Clock& clock_;
  BackOff back_off_;
  std::size_t per_group_;
  QueueObserver* observer_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable idle_;
  std::map<ResourceKey, Entry> entries_;
  std::deque<ResourceKey> queue_;
  std::set<std::pair<SteadyTime, ResourceKey>> schedule_;
  std::map<std::string, std::size_t> out_by_group_;
  std::size_t processing_ = 0;
  bool shut_down_ = false;
};

}  // namespace athanor::controller
