// Statuses of runs that are under way, written beside them: a run must not wait for an API server that does not answer.
//
// One thread writes, in the order of sending; of one resource only the newest status waits. flush() comes before the status of
// the outcome is written, so that no older one is written after it. The first status of a run is held back for a while: a run
// that is over sooner is told by its outcome alone, which halves what a fleet of short migrations writes.
//
// Threads: safe from any thread; spawns one at the first send(), which ends in the destructor, after what was sent is written.
// Ownership: owns the statuses, borrows the clock and what `write` captures.
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
  using Write = std::function<void(const ResourceKey&, const DatabaseMigrationStatus&)>;
  // `write` does not throw.
  StatusUpdateQueue(Clock& clock, Write write, milliseconds patience = milliseconds(0))
      : clock_(clock), write_(std::move(write)), patience_(patience) {}
  ~StatusUpdateQueue();
  StatusUpdateQueue(const StatusUpdateQueue&) = delete;
  StatusUpdateQueue& operator=(const StatusUpdateQueue&) = delete;

  void send(const ResourceKey& key, DatabaseMigrationStatus status);
  // Ends the run: what is held back is dropped. Returns when nothing that was sent for this resource is still to be written.
  void flush(const ResourceKey& key);

 private:
  void work();
  // Of those that wait and are due, the first; empty: none is.
  [[nodiscard]] std::deque<ResourceKey>::iterator next(SteadyTime now);

  Clock& clock_;
  Write write_;
  milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<ResourceKey, DatabaseMigrationStatus> waiting_;
  std::deque<ResourceKey> turns_;           // of those that wait
  std::map<ResourceKey, SteadyTime> runs_;  // that are under way, and when their first status is due
  std::optional<ResourceKey> writing_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace athanor::controller
