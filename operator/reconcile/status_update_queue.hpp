// Writes statuses of running reconciles on a separate thread: a run must not wait for an API server that does not answer.
//
// For each resource only the newest write is pending. The first write of a reconcile is delayed: a reconcile that ends sooner
// is reported only by its outcome, which halves the writes of a fleet with short migrations. Call flush() before writing the
// status of the outcome, so that no older status is written after it.
//
// Threads: safe from any thread; starts a thread at the first send(), which ends in the destructor after everything sent is
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
  using Write = std::function<void()>;  // must not throw

  explicit StatusUpdateQueue(Clock& clock) : clock_(clock) {}
  ~StatusUpdateQueue();
  StatusUpdateQueue(const StatusUpdateQueue&) = delete;
  StatusUpdateQueue& operator=(const StatusUpdateQueue&) = delete;

  // Calls `write` on the other thread, unless a newer one for the key replaces it: after `delay` for the first write of a
  // reconcile, otherwise immediately. Does not block.
  void send(const ResourceKey& key, milliseconds delay, Write write);
  // Ends the key's reconcile: drops a delayed write, and waits for one that is due or in progress.
  void flush(const ResourceKey& key);

 private:
  void work();
  // Returns the first pending key that is due; end() when none is.
  [[nodiscard]] std::deque<ResourceKey>::iterator next_due(SteadyTime now);

  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<ResourceKey, Write> waiting_;
  std::deque<ResourceKey> order_;              // the keys of waiting_, in order
  std::map<ResourceKey, SteadyTime> running_;  // running reconciles, and when their first write is due
  std::optional<ResourceKey> writing_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace athanor::controller
