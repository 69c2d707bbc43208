#include "operator/reconcile/work_queue.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace athanor::controller {
namespace {

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

double luck() {
  static thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

milliseconds BackOff::delay(int failures, double luck) const {
  const int doublings = std::clamp(failures, 0, 30);
  const double grown = static_cast<double>(first.count()) * std::pow(2.0, doublings);
  const double capped = std::min(grown, static_cast<double>(most.count()));
  const double jittered = capped * (1.0 + jitter * (2.0 * luck - 1.0));
  return milliseconds(static_cast<std::int64_t>(jittered));
}

WorkQueue::WorkQueue(Clock& clock, BackOff back_off, std::size_t per_group, QueueObserver* observer)
    : clock_(clock), back_off_(back_off), per_group_(per_group), observer_(observer) {}

void WorkQueue::set_group(const ResourceKey& key, std::string group) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[key];
  if (entry.group == group) {
    return;
  }
  if (entry.processing) {  // the slot moves along, or done() would free one that was never taken
    --out_by_group_[entry.group];
    ++out_by_group_[group];
  }
  entry.group = std::move(group);
  ready_.notify_all();
}

void WorkQueue::enqueue(const ResourceKey& key, Entry& entry, SteadyTime now) {
  entry.queued = true;
  entry.queued_at = now;
  queue_.push_back(key);
}

void WorkQueue::schedule(const ResourceKey& key, Entry& entry, SteadyTime when) {
  if (entry.scheduled && *entry.scheduled <= when) {
    return;
  }
  unschedule(key, entry);
  entry.scheduled = when;
  schedule_.emplace(when, key);
}

void WorkQueue::unschedule(const ResourceKey& key, Entry& entry) {
  if (entry.scheduled) {
    schedule_.erase({*entry.scheduled, key});
    entry.scheduled.reset();
  }
}

void WorkQueue::add(const ResourceKey& key) {
  bool counted = false;
  {
    const std::lock_guard lock(mutex_);
    if (shut_down_) {
      return;
    }
    Entry& entry = entries_[key];
    unschedule(key, entry);
    if (entry.processing) {
      counted = !entry.again;
      entry.again = true;
    } else if (!entry.queued) {
      enqueue(key, entry, clock_.steady_now());
      counted = true;
    }
  }
  ready_.notify_one();
  if (counted && observer_ != nullptr) {
    observer_->added();
  }
}

void WorkQueue::add_after(const ResourceKey& key, milliseconds delay) {
  if (delay <= milliseconds(0)) {
    add(key);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (shut_down_) {
      return;
    }
    Entry& entry = entries_[key];
    if (entry.queued || entry.again) {
      return;
    }
    schedule(key, entry, clock_.steady_now() + delay);
  }
  ready_.notify_one();
}

milliseconds WorkQueue::add_rate_limited(const ResourceKey& key) {
  milliseconds delay{0};
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[key];
    delay = back_off_.delay(entry.failures, luck());
    ++entry.failures;
  }
  if (observer_ != nullptr) {
    observer_->retried();
  }
  add_after(key, delay);
  return delay;
}

void WorkQueue::forget(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    found->second.failures = 0;
  }
}

void WorkQueue::remove(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  unschedule(key, found->second);
  std::erase(queue_, key);
  found->second.queued = false;
  found->second.again = false;
  found->second.failures = 0;
  if (!found->second.processing) {
    entries_.erase(found);
  }
  idle_.notify_all();
}

int WorkQueue::failures(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? 0 : found->second.failures;
}

void WorkQueue::promote_due(SteadyTime now) {
  while (!schedule_.empty() && schedule_.begin()->first <= now) {
    const ResourceKey key = schedule_.begin()->second;
    Entry& entry = entries_[key];
    unschedule(key, entry);
    if (entry.processing) {
      entry.again = true;
    } else if (!entry.queued) {
      enqueue(key, entry, now);
    }
  }
}

std::optional<ResourceKey> WorkQueue::take(SteadyTime now, double& waited) {
  promote_due(now);
  const auto has_room = [this](const ResourceKey& key) {
    const std::string& group = entries_[key].group;
    return group.empty() || per_group_ == 0 || out_by_group_[group] < per_group_;
  };
  const auto found = std::ranges::find_if(queue_, has_room);
  if (found == queue_.end()) {
    return std::nullopt;
  }
  ResourceKey key = *found;
  queue_.erase(found);
  Entry& entry = entries_[key];
  entry.queued = false;
  entry.processing = true;
  entry.taken_at = now;
  waited = seconds_between(entry.queued_at, now);
  ++out_by_group_[entry.group];
  ++processing_;
  return key;
}

std::optional<ResourceKey> WorkQueue::try_get() {
  double waited = 0;
  std::optional<ResourceKey> key;
  {
    const std::lock_guard lock(mutex_);
    if (!shut_down_) {
      key = take(clock_.steady_now(), waited);
    }
  }
  if (key && observer_ != nullptr) {
    observer_->taken(waited);
  }
  return key;
}

std::optional<ResourceKey> WorkQueue::get() {
  double waited = 0;
  std::optional<ResourceKey> key;
  {
    std::unique_lock lock(mutex_);
    while (!shut_down_) {
      const SteadyTime now = clock_.steady_now();
      key = take(now, waited);
      if (key) {
        break;
      }
      if (schedule_.empty()) {
        ready_.wait(lock);
      } else {
        ready_.wait_for(lock, schedule_.begin()->first - now);
      }
    }
  }
  if (key && observer_ != nullptr) {
    observer_->taken(waited);
  }
  return key;
}

void WorkQueue::done(const ResourceKey& key) {
  double worked = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || !found->second.processing) {
      return;
    }
    Entry& entry = found->second;
    const SteadyTime now = clock_.steady_now();
    worked = seconds_between(entry.taken_at, now);
    entry.processing = false;
    --processing_;
    if (--out_by_group_[entry.group] == 0) {
      out_by_group_.erase(entry.group);
    }
    if (std::exchange(entry.again, false) && !shut_down_) {
      unschedule(key, entry);
      enqueue(key, entry, now);
    }
  }
  ready_.notify_all();
  idle_.notify_all();
  if (observer_ != nullptr) {
    observer_->finished(worked);
  }
}

void WorkQueue::shut_down() {
  {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
    queue_.clear();
    schedule_.clear();
  }
  ready_.notify_all();
  idle_.notify_all();
}

void WorkQueue::wait_until_idle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queue_.empty() && processing_ == 0; });
}

QueueStatistics WorkQueue::statistics() const {
  const std::lock_guard lock(mutex_);
  QueueStatistics statistics;
  statistics.depth = queue_.size();
  statistics.processing = processing_;
  statistics.scheduled = schedule_.size();
  const SteadyTime now = clock_.steady_now();
  for (const auto& [key, entry] : entries_) {
    if (entry.processing) {
      const double running = seconds_between(entry.taken_at, now);
      statistics.unfinished_seconds += running;
      statistics.longest_running_seconds = std::max(statistics.longest_running_seconds, running);
    }
  }
  return statistics;
}

}  // namespace athanor::controller
