// Writes statuses of reconciles that still run, on a thread of its own: a run must not wait for an API server that does not
// answer.
//
// Of one resource only the newest write waits. The first write of a reconcile is held back for its delay: one that is over
// sooner is reported by its outcome alone, which halves what a fleet of short migrations writes. flush() comes before the
// status of the outcome is written, so that no older one follows it.
//
// Threads: safe from any thread; spawns one at the first send(), which ends in the destructor, after everything sent is
// written. Ownership: owns the writes, borrows the clock and what they capture.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "migrations/base/clock.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

class StatusUpdateQueue {
 public:
  using Write = std::function<void()>;  // does not throw

  explicit StatusUpdateQueue(Clock& clock) : clock_(clock) {}
  ~StatusUpdateQueue();
  StatusUpdateQueue(const StatusUpdateQueue&) = delete;
  StatusUpdateQueue& operator=(const StatusUpdateQueue&) = delete;

  // Calls `write` soon, unless a newer one for the key comes first: `delay` from now when it is the first of its reconcile, at
  // once otherwise. Returns at once.
  void send(const ResourceKey& key, milliseconds delay, Write write);
  // Ends the key's reconcile: drops a write that is still held back, and waits for one that is due or under way.
  void flush(const ResourceKey& key);

 private:
  void work();
  // The first of the waiting keys that are due; end() when none is.
  [[nodiscard]] std::deque<ResourceKey>::iterator next_due(SteadyTime now);

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<ResourceKey, Write> waiting_;
  std::deque<ResourceKey> order_;              // of waiting_
  std::map<ResourceKey, SteadyTime> running_;  // reconciles, and when their first write is due
  std::optional<ResourceKey> writing_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace athanor::controller
