// A controller: workers take keys from the queue, reconcile them, write one status for each, and requeue the keys for when they
// are due.
//
// It is generic over the kind of resource. What is specific to a kind (how to reconcile it, how to summarise the status) is
// passed as the functions of ControlledKind; migration_controller.hpp has those of DatabaseMigration. Each kind has its own
// controller and queue.
//
// Threads: start() spawns `workers` threads, stop() ends them; one more thread writes progress reports. The queue never gives a
// key to two workers at the same time, so everything that concerns one key runs on one thread. A reconcile in progress at
// stop() ends at its next safe point, because it has the same stop token. Ownership: borrows everything in Parts.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "migrations/base/ids.hpp"
#include "migrations/base/stop.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/rescheduler.hpp"
#include "operator/reconcile/resource_store.hpp"
#include "operator/reconcile/status_feed.hpp"
#include "operator/reconcile/status_publisher.hpp"
#include "operator/reconcile/status_update_queue.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

// What a reconcile receives besides its resource. Borrows everything.
template <typename Resource>
struct ReconcileCall {
  using Status = typename ResourceStore<Resource>::Status;
  // Computes the current status from the resource with its previous status.
  using Summarise = std::function<Status(const Resource& before)>;

  const StopToken& stop;
  const Log& log;
  // Writes a status in the background while the reconcile continues; returns immediately. Empty when no reports are wanted. Do
  // not call it after the reconcile has returned.
  std::function<void(const Summarise&)> report_progress;
  // As report_progress, but sooner: the stored status is known to be outdated.
  std::function<void(const Summarise&)> report_soon;
  // As report_progress, but returns when the status is stored: for a status that must be visible before the reconcile
  // continues. May be empty.
  std::function<Result<void>(const Summarise&)> report_now;
};

// The functions of one kind. Resource: a copyable value with `metadata` (uid, resource_version), `status` (with `conditions`),
// `known_since` and key(). Outcome: what a reconcile returns. The functions are called from any worker, concurrently for
// different keys.
template <typename Resource, typename Outcome>
struct ControlledKind {
  using Status = typename ResourceStore<Resource>::Status;

  std::function<Outcome(const Resource&, const ReconcileCall<Resource>&)> reconcile;
  std::function<const ReconcileResult&(const Outcome&)> result;  // returns a part of the outcome
  // Computes the status after an outcome from the resource with its previous status.
  std::function<Status(const Resource& before, const Outcome&, const Attempt&)> summarise;
  // `lost_races`: how many times in a row the resource was already reconciled again immediately.
  std::function<Requeue(const Outcome&, int lost_races)> next_attempt;
  // Drops everything remembered of a deleted resource.
  std::function<void(const ResourceKey&)> forget;
};

template <typename Resource, typename Outcome>
class Controller {
 public:
  using Status = typename ResourceStore<Resource>::Status;
  using Kind = ControlledKind<Resource, Outcome>;
  using Change = StatusChange<Resource, Outcome>;
  using Feed = StatusFeed<Change>;

  struct Parts {
    ResourceStore<Resource>& store;
    WorkQueue& queue;
    ControllerObserver& observer;
    Clock& clock;
    const Feed& feed;  // receives every status, whether it could be written or not
  };

  Controller(Parts parts, Kind kind, const ControllerOptions& options, Log log)
      : parts_(parts),
        kind_(std::move(kind)),
        options_(options),
        log_(std::move(log)),
        rescheduler_(parts.queue, parts.observer, parts.clock, options),
        statuses_(parts.store),
        updates_(parts.clock) {}
  ~Controller() { stop(); }
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Starts the workers. Call it once. Every reconcile receives `stop`.
  void start(const StopToken& stop) {
    for (std::size_t index = 0; index < options_.workers; ++index) {
      threads_.emplace_back([this, stop] { work(stop); });
    }
  }
  // Shuts the queue down and waits until the workers have ended.
  void stop() {
    parts_.queue.shut_down();
    for (auto& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

  // Reconciles one key that was taken from the queue. Returns false when there is no such resource.
  bool process(const ResourceKey& key, const StopToken& stop);

  // Called by the store's listener when a resource was deleted. A running reconcile of it ends at its next safe point. Safe
  // from any thread.
  void removed(const ResourceKey& key) {
    parts_.queue.remove(key);
    forget(key);
    const std::lock_guard lock(running_mutex_);
    if (const auto found = running_.find(key); found != running_.end()) {
      found->second->store(true);
    }
  }

  // The number of consecutive failed reconciles of this key.
  [[nodiscard]] int failures(const ResourceKey& key) const { return rescheduler_.failures(key); }

 private:
  // Registers a flag that ends the running reconcile of a key.
  class Removal {
   public:
    Removal(Controller& controller, const ResourceKey& key) : controller_(controller), key_(key) {
      const std::lock_guard lock(controller_.running_mutex_);
      controller_.running_[key_] = &flag_;
    }
    ~Removal() {
      const std::lock_guard lock(controller_.running_mutex_);
      controller_.running_.erase(key_);
    }
    Removal(const Removal&) = delete;
    Removal& operator=(const Removal&) = delete;
    [[nodiscard]] const std::atomic<bool>& flag() const { return flag_; }

   private:
    Controller& controller_;
    ResourceKey key_;
    std::atomic<bool> flag_{false};
  };

  void work(const StopToken& stop);
  [[nodiscard]] Outcome reconcile(const Resource& resource, const StopToken& stop, const Log& log);
  std::optional<milliseconds> conclude(const Resource& resource, const Outcome& outcome, const ReconcileResult& result,
                                       const Log& log);
  void publish(const Resource& resource, const Outcome& outcome, std::optional<milliseconds> delay, const Log& log);
  void write_progress(const ResourceKey& key, const Status& status);
  [[nodiscard]] Result<void> write_now(const ResourceKey& key, const Status& status);
  [[nodiscard]] bool still_exists(const Resource& resource) const;
  void forget(const ResourceKey& key) {
    kind_.forget(key);
    rescheduler_.forget(key);
    statuses_.forget(key);
  }

  Parts parts_;
  Kind kind_;
  ControllerOptions options_;
  Log log_;
  Rescheduler rescheduler_;
  StatusPublisher<Resource> statuses_;
  StatusUpdateQueue updates_;
  std::mutex running_mutex_;
  std::map<ResourceKey, std::atomic<bool>*> running_;
  std::vector<std::thread> threads_;
};

template <typename Status>
[[nodiscard]] bool ready_differs(const Status& before, const Status& now) {
  const auto* const ready_before = find_condition(before.conditions, ConditionType::Ready);
  const auto* const ready = find_condition(now.conditions, ConditionType::Ready);
  return ready_before == nullptr || ready == nullptr || *ready_before != *ready;
}

// Logs one line per reconcile, at a level that reflects how interesting it is.
void log_result(const Log& log, const ReconcileResult& result, double seconds, int failures);

template <typename Resource, typename Outcome>
void Controller<Resource, Outcome>::work(const StopToken& stop) {
  while (const auto key = parts_.queue.get()) {
    parts_.observer.worker_started();
    try {
      process(*key, stop);
    } catch (const std::exception&
                 exception) {  // an exception must not leave the thread: one broken resource must not affect the others
      log_.error("exception in a reconcile", {{"resource", key->text()}, {"error", exception.what()}});
      rescheduler_.retry(*key);
    }
    parts_.observer.worker_finished();
    parts_.queue.done(*key);
  }
}

template <typename Resource, typename Outcome>
bool Controller<Resource, Outcome>::process(const ResourceKey& key, const StopToken& stop) {
  const Removal removal(*this, key);  // register before reading the resource, so that a later deletion is not missed
  auto resource = parts_.store.find(key);
  if (!resource) {
    parts_.queue.retire(key);
    forget(key);
    return false;
  }
  // The event that queued the resource may have changed objects it refers to, so read nothing older than the request.
  resource->known_since = std::max(resource->known_since, parts_.queue.requested_at(key));
  const Log log = log_.with({{"resource", key.text()}, {"reconcileID", new_run_id()}});
  const SteadyTime began = parts_.clock.steady_now();
  const Outcome outcome = reconcile(*resource, stop.or_once(removal.flag()), log);
  const ReconcileResult& result = kind_.result(outcome);
  if (result.requeued) {  // nothing was done, so count, log and write nothing
    parts_.queue.requeue(key);
    return true;
  }
  const auto delay = conclude(*resource, outcome, result, log);
  const double seconds = std::chrono::duration<double>(parts_.clock.steady_now() - began).count();
  const bool again = delay.has_value() || result.kind == ReconcileResult::Kind::Waiting;
  parts_.observer.reconciled(result, again, seconds);
  log_result(log, result, seconds, failures(key));
  return true;
}

template <typename Resource, typename Outcome>
Outcome Controller<Resource, Outcome>::reconcile(const Resource& resource, const StopToken& stop, const Log& log) {
  ReconcileCall<Resource> call{stop, log, {}, {}, {}};
  // Each progress report is based on the previous one; based on an older status, transition times would change.
  std::optional<Resource> reported;
  const auto next_status = [&](const typename ReconcileCall<Resource>::Summarise& summarise) -> const Status& {
    if (!reported) {
      reported = resource;
    }
    reported->status = summarise(*reported);
    return reported->status;
  };
  const auto send = [&](const typename ReconcileCall<Resource>::Summarise& summarise, milliseconds delay) {
    if (still_exists(resource)) {
      updates_.send(resource.key(), delay,
                    [this, key = resource.key(), status = next_status(summarise)] { write_progress(key, status); });
    }
  };
  if (!options_.once) {
    call.report_progress = [&](const auto& summarise) {
      parts_.queue.expect_long(resource.key());
      send(summarise, options_.report_after);
    };
    call.report_soon = [&](const auto& summarise) { send(summarise, options_.doubt_after); };
    call.report_now = [&](const typename ReconcileCall<Resource>::Summarise& summarise) -> Result<void> {
      parts_.queue.expect_long(resource.key());
      if (!still_exists(resource)) {
        return {};
      }
      updates_.flush(resource.key());  // drop pending reports, which are older
      return write_now(resource.key(), next_status(summarise));
    };
  }
  Outcome outcome = kind_.reconcile(resource, call);
  updates_.flush(resource.key());  // no progress may be written after the status of the outcome
  return outcome;
}

// Requeues the key and writes the status. Returns the delay when a back-off was chosen.
template <typename Resource, typename Outcome>
std::optional<milliseconds> Controller<Resource, Outcome>::conclude(const Resource& resource, const Outcome& outcome,
                                                                    const ReconcileResult& result, const Log& log) {
  const ResourceKey key = resource.key();
  if (!parts_.store.version(key)) {  // deleted meanwhile
    parts_.queue.retire(key);
    forget(key);
    return std::nullopt;
  }
  const Requeue next = kind_.next_attempt(outcome, rescheduler_.count_race(key, result.retry_now));
  const auto delay = rescheduler_.reschedule(key, next, result.requeue_after);
  // After a lost race the next reconcile starts immediately and writes its own status. The outcome of a deleted resource says
  // nothing about one that was created with the same name since.
  const bool lost_race = next == Requeue::AtOnce && result.retry_now;
  if (!lost_race && still_exists(resource)) {
    publish(resource, outcome, delay, log);
  }
  return delay;
}

template <typename Resource, typename Outcome>
void Controller<Resource, Outcome>::publish(const Resource& resource, const Outcome& outcome, std::optional<milliseconds> delay,
                                            const Log& log) {
  const ResourceKey key = resource.key();
  Attempt attempt;
  attempt.now = parts_.clock.wall_now();
  attempt.failures = failures(key);
  attempt.retry_in = delay;
  Resource before = resource;
  if (auto newest = statuses_.newest(resource)) {
    before.status = std::move(*newest);
  }
  const Status status = kind_.summarise(before, outcome, attempt);
  if (const auto written = statuses_.publish(resource, status); !written) {
    log.warn("failed to write the status", error_fields(written.error()));
    // With a back-off the next reconcile writes the status anyway.
    if (!delay) {
      rescheduler_.retry_status(key, statuses_.failures(key));
    }
  }
  parts_.feed.publish({key, status, &outcome, ready_differs(before.status, status)});
}

template <typename Resource, typename Outcome>
Result<void> Controller<Resource, Outcome>::write_now(const ResourceKey& key, const Status& status) {
  const auto before = parts_.store.find(key);
  auto written = statuses_.write(key, status);
  const bool ready_changed = before && ready_differs(before->status, status);
  parts_.feed.publish({key, status, nullptr, ready_changed});
  return written;
}

// Runs on the thread of `updates_`. A lost progress report does no harm: the next report or the outcome replaces it.
template <typename Resource, typename Outcome>
void Controller<Resource, Outcome>::write_progress(const ResourceKey& key, const Status& status) {
  const Log log = log_.with({{"resource", key.text()}});
  try {
    if (const auto written = write_now(key, status); !written) {
      log.warn("failed to write the status", error_fields(written.error()));
    }
  } catch (const std::exception& exception) {  // an exception must not leave the thread
    log.error("failed to write the status", {{"error", exception.what()}});
  }
}

// Returns false when the resource was deleted, and perhaps recreated with the same name, during the reconcile.
template <typename Resource, typename Outcome>
bool Controller<Resource, Outcome>::still_exists(const Resource& resource) const {
  const auto stored = parts_.store.version(resource.key());
  return stored && stored->uid == resource.metadata.uid;
}

}  // namespace athanor::controller
