#include "operator/reconcile/work_queue.hpp"

#include <algorithm>
#include <utility>

namespace athanor::controller {
namespace {

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

WorkQueue::WorkQueue(Clock& clock, QueueLimits limits, QueueObserver* observer)
    : clock_(clock), observer_(observer), groups_({limits.per_group, limits.per_namespace, limits.failing}) {}

WorkQueue::Known& WorkQueue::known_of(const ResourceKey& key) {
  const auto [found, is_new] = entries_.try_emplace(key);
  if (is_new) {
    found->second.group = groups_.join({}, key.name_space);
  }
  return *found;
}

bool WorkQueue::set_group(const ResourceKey& key, const std::string& group) {
  const std::lock_guard lock(mutex_);
  Entry& entry = known_of(key).second;
  if (groups_.server_of(entry.group) == group) {
    return true;
  }
  // A worker may have the key already. If it exceeds the limit of its new group, it must give the key back (see the header).
  entry.group = groups_.move(entry.group, group, entry.ticket, entry.failing, entry.processing);
  wake_one();
  return !entry.processing || !groups_.over_limit(entry.group);
}

void WorkQueue::enqueue(Known& known, SteadyTime since, Ticket ticket) {
  Entry& entry = known.second;
  entry.removed = false;
  entry.ticket = ticket;
  entry.queued_at = since;
  groups_.wait(entry.group, ticket, entry.failing, known);
  ++queued_;
}

void WorkQueue::dequeue(Entry& entry) {
  groups_.cancel(entry.group, std::exchange(entry.ticket, Ticket()), entry.failing);
  --queued_;
}

// Prefers a worker that only waits for keys to the one that watches the schedule.
void WorkQueue::wake_one() {
  if (!groups_.has_next()) {
    return;
  }
  (asleep_ > 0 ? ready_ : due_).notify_one();
}

void WorkQueue::schedule(Known& known, SteadyTime when) {
  auto& scheduled = known.second.scheduled;
  if (scheduled && *scheduled <= when) {
    return;
  }
  unschedule(known);
  known.second.removed = false;
  scheduled = when;
  const auto place = schedule_.insert({when, &known}).first;
  // The watching worker sleeps until the time that was first before. Wake it.
  if (place == schedule_.begin()) {
    (watched_ ? due_ : ready_).notify_one();
  }
}

void WorkQueue::unschedule(Known& known) {
  if (auto& scheduled = known.second.scheduled) {
    schedule_.erase({*scheduled, &known});
    scheduled.reset();
  }
}

void WorkQueue::add(const ResourceKey& key) {
  bool counted = false;
  {
    const std::lock_guard lock(mutex_);
    if (shut_down_) {
      return;
    }
    Known& known = known_of(key);
    Entry& entry = known.second;
    // This run replaces a scheduled retry.
    unschedule(known);
    // Reads from before this moment may lack the change that caused this call; requested_at() makes the reconcile read again.
    entry.requested_at = clock_.steady_now();
    // The worker may already have read the old state, so queue the key again when it is done.
    if (entry.processing) {
      counted = !entry.again;
      entry.again = true;
    } else if (!entry.ticket) {
      entry.failing = false;  // the change that added it may have fixed the failure
      enqueue(known, entry.requested_at, groups_.deal(entry.group));
      counted = true;
    }
    wake_one();
  }
  if (counted && observer_ != nullptr) {
    observer_->added();
  }
}

void WorkQueue::add_after(const ResourceKey& key, milliseconds delay) {
  if (delay <= milliseconds(0)) {
    add(key);
    return;
  }
  const std::lock_guard lock(mutex_);
  if (shut_down_) {
    return;
  }
  Known& known = known_of(key);
  // A key that is queued, or will be by done(), is processed sooner anyway.
  if (!known.second.ticket && !known.second.again) {
    schedule(known, clock_.steady_now() + delay);
  }
}

void WorkQueue::remove(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  Entry& entry = found->second;
  unschedule(*found);
  if (entry.ticket) {
    dequeue(entry);
  }
  entry.again = false;
  entry.requeued = false;
  entry.removed = true;
  drop_if_removed(found);
  idle_.notify_all();
}

void WorkQueue::retire(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  Entry& entry = found->second;
  // If it was added meanwhile, keep it: the resource may have been created after the worker looked for it.
  if (!entry.again && !entry.ticket) {
    unschedule(*found);
    entry.removed = true;
    drop_if_removed(found);
  }
}

// Keeps an entry that is out, queued or scheduled; done() calls this again.
void WorkQueue::drop_if_removed(std::map<ResourceKey, Entry>::iterator place) {
  const Entry& entry = place->second;
  if (entry.removed && !entry.processing && !entry.ticket && !entry.scheduled) {
    groups_.leave(entry.group);
    entries_.erase(place);
  }
}

SteadyTime WorkQueue::requested_at(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? clock_.steady_now() : found->second.requested_at;
}

void WorkQueue::promote_due(SteadyTime now) {
  while (!schedule_.empty() && schedule_.begin()->when <= now) {
    Known& known = *schedule_.begin()->known;
    Entry& entry = known.second;
    unschedule(known);
    // A retry that reused reads from before it was due would fail with the same answer.
    entry.requested_at = now;
    if (entry.processing) {
      entry.again = true;
    } else if (!entry.ticket) {
      enqueue(known, now, groups_.deal(entry.group));
    }
  }
}

std::optional<ResourceKey> WorkQueue::take(SteadyTime now, double& waited) {
  promote_due(now);
  if (!groups_.has_next()) {
    return std::nullopt;
  }
  auto& [key, entry] = groups_.take_next();
  entry.processing = true;
  entry.taken_ticket = std::exchange(entry.ticket, Ticket());
  entry.taken_failing = entry.failing;
  --queued_;
  waited = seconds_between(entry.queued_at, now);
  out_.emplace(key, Out{now});
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
      wait_for_work(lock, now);
    }
    // This worker may have been watching the schedule. Wake another one to take a key or to watch the schedule.
    if (!watched_ && !schedule_.empty()) {
      ready_.notify_one();
    } else {
      wake_one();
    }
  }
  if (key && observer_ != nullptr) {
    observer_->taken(waited);
  }
  return key;
}

// Only one waiting worker watches the schedule; otherwise all would wake up for every key that becomes due.
void WorkQueue::wait_for_work(std::unique_lock<std::mutex>& lock, SteadyTime now) {
  if (watched_ || schedule_.empty()) {
    ++asleep_;
    ready_.wait(lock);
    --asleep_;
    return;
  }
  watched_ = true;
  due_.wait_for(lock, schedule_.begin()->when - now);
  watched_ = false;
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
    worked = seconds_between(out_.extract(key).mapped().since, now);
    entry.processing = false;
    // Release the slot that take() counted: set_failing() may have changed `failing` since.
    groups_.returned(entry.group, entry.taken_failing);
    const bool again = std::exchange(entry.again, false);
    const bool requeued = std::exchange(entry.requeued, false);
    if ((again || requeued) && !shut_down_) {
      unschedule(*found);
      // A change that arrived during the run may have fixed the failure, so the key is not counted as failing in the next run.
      entry.failing = entry.failing && !again;
      // A requeued key keeps its time and ticket: nothing was done for it, so it must not lose its turn.
      enqueue(*found, requeued ? entry.queued_at : now, requeued ? entry.taken_ticket : groups_.deal(entry.group));
    }
    drop_if_removed(found);
    wake_one();
  }
  idle_.notify_all();
  if (observer_ != nullptr) {
    observer_->finished(worked);
  }
}

void WorkQueue::requeue(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) {
    found->second.requeued = found->second.processing;
  }
}

void WorkQueue::set_failing(const ResourceKey& key, bool failing) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end() && found->second.processing) {
    found->second.failing = failing;
  }
}

void WorkQueue::expect_long(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = out_.find(key); found != out_.end()) {
    found->second.takes_long = true;
  }
}

std::size_t WorkQueue::stuck(milliseconds longest) const {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  return static_cast<std::size_t>(
      std::ranges::count_if(out_, [&](const auto& one) { return !one.second.takes_long && now - one.second.since > longest; }));
}

bool WorkQueue::is_taken(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.processing;
}

void WorkQueue::shut_down() {
  {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
    for (auto& [key, entry] : entries_) {
      entry.ticket = {};
      entry.scheduled.reset();
    }
    groups_.clear_waiting();
    schedule_.clear();
    queued_ = 0;
  }
  ready_.notify_all();
  due_.notify_all();
  idle_.notify_all();
}

void WorkQueue::wait_until_idle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queued_ == 0 && out_.empty(); });
}

std::size_t WorkQueue::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

QueueStatistics WorkQueue::statistics() const {
  const std::lock_guard lock(mutex_);
  QueueStatistics statistics;
  statistics.depth = queued_;
  statistics.processing = out_.size();
  statistics.scheduled = schedule_.size();
  statistics.waiting = asleep_ + (watched_ ? 1 : 0);
  const SteadyTime now = clock_.steady_now();
  for (const auto& [key, out] : out_) {
    const double running = seconds_between(out.since, now);
    statistics.unfinished_seconds += running;
    statistics.longest_running_seconds = std::max(statistics.longest_running_seconds, running);
  }
  return statistics;
}

}  // namespace athanor::controller
