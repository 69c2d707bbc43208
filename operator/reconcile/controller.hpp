// A controller: workers that take keys from the queue, reconcile them, write one status each, and put the keys back for when
// they are due.
//
// It is the same for every kind of resource. What is a kind's own (how it is reconciled, what its status says then) comes as
// the functions of ControlledKind; migration_controller.hpp has those of DatabaseMigration. Each kind has a controller and a
// queue of its own.
//
// Threads: start() spawns `workers` threads, stop() ends them; one more writes progress reports. The queue hands out a key once
// at a time, so everything here that concerns one key runs on one thread. A reconcile under way at stop() ends at its next safe
// point, because it holds the same stop token. Ownership: borrows everything in ControllerParts.
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

// What one reconcile is given besides its resource. Borrows everything.
template <typename Resource>
struct ReconcileCall {
  using Status = typename ResourceStore<Resource>::Status;
  // The status now, made from the resource with the status before.
  using Summarise = std::function<Status(const Resource& before)>;

  const StopToken& stop;
  const Log& log;
  // Has a status written while the reconcile goes on; returns at once. Empty when nobody wants to know. Not to be called after
  // the reconcile has returned.
  std::function<void(const Summarise&)> report_progress;
  // The same, within a moment: what stands in the status is known to be out of date.
  std::function<void(const Summarise&)> report_soon;
  // The same, and returns once the status is stored: for what must be told before the reconcile goes on. Empty likewise.
  std::function<Result<void>(const Summarise&)> report_now;
};

// The part of one kind. Resource: a copyable value with `metadata` (uid, resource_version), `status` (with `conditions`),
// `known_since` and key(). Outcome: what a reconcile returns. The functions run on any worker, for different keys at once.
template <typename Resource, typename Outcome>
struct ControlledKind {
  using Status = typename ResourceStore<Resource>::Status;

  std::function<Outcome(const Resource&, const ReconcileCall<Resource>&)> reconcile;
  std::function<const ReconcileResult&(const Outcome&)> result;  // a part of the outcome
  // The status after the outcome, from the resource with the status before it.
  std::function<Status(const Resource& before, const Outcome&, const Attempt&)> summarise;
  // `lost_races`: how often in a row the resource was reconciled again at once already.
  std::function<Requeue(const Outcome&, int lost_races)> next_attempt;
  // The resource is gone: whatever is remembered of it may go as well.
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
    const Feed& feed;  // learns of every status, whether it could be written or not
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

  // Once. `stop` reaches every reconcile.
  void start(const StopToken& stop) {
    for (std::size_t index = 0; index < options_.workers; ++index) {
      threads_.emplace_back([this, stop] { work(stop); });
    }
  }
  // Shuts the queue down and returns when the workers have ended.
  void stop() {
    parts_.queue.shut_down();
    for (auto& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

  // What a worker does with a key it took. False when there is no such resource.
  bool process(const ResourceKey& key, const StopToken& stop);

  // For the store's listener: the resource was deleted. Its reconcile ends at the next safe point. Safe from any thread.
  void removed(const ResourceKey& key) {
    parts_.queue.remove(key);
    forget(key);
    const std::lock_guard lock(running_mutex_);
    if (const auto found = running_.find(key); found != running_.end()) {
      found->second->store(true);
    }
  }

  // Reconciles of this key that failed in a row.
  [[nodiscard]] int failures(const ResourceKey& key) const { return rescheduler_.failures(key); }

 private:
  // A flag by which the reconcile of a key is ended, for as long as it runs.
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

// One line for each reconcile, its level by how much an operator of the cluster wants to see it.
void log_result(const Log& log, const ReconcileResult& result, double seconds, int failures);

template <typename Resource, typename Outcome>
void Controller<Resource, Outcome>::work(const StopToken& stop) {
  while (const auto key = parts_.queue.get()) {
    parts_.observer.worker_started();
    try {
      process(*key, stop);
    } catch (const std::exception& exception) {  // a thread's boundary: one broken resource must not end the others
      log_.error("a reconcile threw", {{"resource", key->text()}, {"error", exception.what()}});
      rescheduler_.retry(*key);
    }
    parts_.observer.worker_finished();
    parts_.queue.done(*key);
  }
}

template <typename Resource, typename Outcome>
bool Controller<Resource, Outcome>::process(const ResourceKey& key, const StopToken& stop) {
  const Removal removal(*this, key);  // before the resource is read: a deletion after that is heard
  auto resource = parts_.store.find(key);
  if (!resource) {
    parts_.queue.retire(key);
    forget(key);
    return false;
  }
  // Whatever woke the resource may have changed what it refers to: nothing older than that is good enough.
  resource->known_since = std::max(resource->known_since, parts_.queue.requested_at(key));
  const Log log = log_.with({{"resource", key.text()}, {"reconcileID", new_run_id()}});
  const SteadyTime began = parts_.clock.steady_now();
  const Outcome outcome = reconcile(*resource, stop.or_once(removal.flag()), log);
  const ReconcileResult& result = kind_.result(outcome);
  if (result.requeued) {  // nothing happened, so nothing is counted, logged or written
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
  // With the status of the last progress report: made from an older one, transition times would move.
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
      updates_.flush(resource.key());  // what waits there is older
      return write_now(resource.key(), next_status(summarise));
    };
  }
  Outcome outcome = kind_.reconcile(resource, call);
  updates_.flush(resource.key());  // no progress is written after the status of the outcome
  return outcome;
}

// Puts the key back and writes the status. The delay, when a back-off was chosen.
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
  // After a lost race the next reconcile begins right away, and its status follows. The outcome of a resource that was deleted
  // says nothing about the one that was created under its name since.
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
    log.warn("the status cannot be written", error_fields(written.error()));
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

// Runs on the thread of `updates_`. A progress report that is lost does no harm: the next one, or the outcome, says more.
template <typename Resource, typename Outcome>
void Controller<Resource, Outcome>::write_progress(const ResourceKey& key, const Status& status) {
  const Log log = log_.with({{"resource", key.text()}});
  try {
    if (const auto written = write_now(key, status); !written) {
      log.warn("the status cannot be written", error_fields(written.error()));
    }
  } catch (const std::exception& exception) {  // a thread's boundary
    log.error("the status cannot be written", {{"error", exception.what()}});
  }
}

// False when the resource was deleted, perhaps made again under its name, while it was worked on.
template <typename Resource, typename Outcome>
bool Controller<Resource, Outcome>::still_exists(const Resource& resource) const {
  const auto stored = parts_.store.version(resource.key());
  return stored && stored->uid == resource.metadata.uid;
}

}  // namespace athanor::controller
