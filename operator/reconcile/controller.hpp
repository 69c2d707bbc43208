// The controller: workers that take keys from the queue, reconcile them, write one status, and put the key back when it is due.
//
// Threads: start() spawns `workers` threads, stop() ends them; one more writes what runs tell on their way. A reconcile under
// way at stop() ends at its next safe point, because it holds the same stop token. Ownership: borrows store, reconciler, queue,
// observer and clock.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "operator/log/log.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "operator/reconcile/resource_store.hpp"
#include "operator/reconcile/status_update_queue.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

struct ControllerOptions {
  std::size_t workers = 8;
  // Every resource is looked at again so often, at times that are spread evenly over the period; but no more of them in a
  // second than this, so that a large fleet is looked at less often instead of keeping databases and operator busy. 0: no
  // limit.
  milliseconds resync{300'000};
  double resyncs_per_second = 2;
  milliseconds wait_again{2'000};  // after a lock held elsewhere
  milliseconds report_after{500};  // that a run is under way
  bool once = false;               // nothing is scheduled again, no progress is written
};

struct ControllerParts {
  ResourceStore& store;
  Reconciler& reconciler;
  WorkQueue& queue;
  ReconcileObserver& observer;
  Clock& clock;
  // After the status was written; may be empty. `news`: the condition Ready says something else than before.
  std::function<void(const ResourceKey&, const Outcome&, bool news)> reported = {};
};

class Controller {
 public:
  Controller(ControllerParts parts, ControllerOptions options, Log log);
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  void start(const StopToken& stop);
  // No key is taken from now on; returns when the workers have ended.
  void stop();

  // What a worker does with one key. False when the resource no longer exists.
  bool process(const ResourceKey& key, const StopToken& stop);

 private:
  void work(const StopToken& stop);
  void forget(const ResourceKey& key);
  std::optional<milliseconds> conclude(const DatabaseMigration& resource, const Outcome& outcome, const Log& log);
  [[nodiscard]] milliseconds until_resync(const ResourceKey& key) const;
  // Puts the key where the outcome says; returns the delay when a back-off was chosen.
  std::optional<milliseconds> requeue(const ResourceKey& key, Requeue next, const Outcome& outcome);
  // True when the condition Ready says something new.
  bool publish(const DatabaseMigration& resource, const Outcome& outcome, std::optional<milliseconds> delay, const Log& log);
  void report(const ResourceKey& key, const Outcome& outcome, double seconds, const Log& log) const;
  [[nodiscard]] bool is_still(const DatabaseMigration& resource) const;
  [[nodiscard]] DeclarationState declaration_state(const DatabaseMigration& resource) const;
  [[nodiscard]] int count_conflict(const ResourceKey& key, bool conflict);
  void write_note(const ResourceKey& key, const DatabaseMigrationStatus& status);

  // A status that could not be written. The next one goes on from it, or a run that ended while the API server was down would
  // never be told.
  struct PendingStatus {
    std::string uid;
    DatabaseMigrationStatus status;
    int failures = 0;  // to write one, in a row
  };
  [[nodiscard]] std::optional<PendingStatus> take_pending(const DatabaseMigration& resource);
  void keep_pending(const DatabaseMigration& resource, PendingStatus take_pending);

  ControllerParts parts_;
  ControllerOptions options_;
  Log log_;
  StatusWriter writer_;
  StatusUpdateQueue updates_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::map<ResourceKey, int> conflicts_;
  std::map<ResourceKey, PendingStatus> pending_;
};

}  // namespace athanor::controller
