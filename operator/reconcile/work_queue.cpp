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

WorkQueue::Known& WorkQueue::known_of(const ResourceKey& key) {
  const auto [found, is_new] = entries_.try_emplace(key);
  if (is_new) {
    found->second.group = join_group({});
  }
  return *found;
}

WorkQueue::GroupPlace WorkQueue::join_group(const std::string& name) {
  const auto place = groups_.try_emplace(name).first;
  ++place->second.members;
  return place;
}

void WorkQueue::leave_group(GroupPlace place) {
  if (--place->second.members == 0) {
    groups_.erase(place);
  }
}

// After every change of what waits in a group, or of how much of it is out.
void WorkQueue::relist(GroupPlace place) {
  Group& group = place->second;
  const bool has_room = place->first.empty() || per_group_ == 0 || group.out < per_group_;
  const std::uint64_t first = has_room && !group.waiting.empty() ? group.waiting.begin()->first : 0;
  if (first == group.listed) {
    return;
  }
  if (group.listed != 0) {
    open_.erase(group.listed);
  }
  if (first != 0) {
    open_.emplace(first, place);
  }
  group.listed = first;
}

bool WorkQueue::set_group(const ResourceKey& key, const std::string& group) {
  const std::lock_guard lock(mutex_);
  Entry& entry = known_of(key).second;
  const GroupPlace before = entry.group;
  if (before->first == group) {
    return true;
  }
  const GroupPlace after = join_group(group);
  if (entry.processing) {  // the slot moves along, or done() would free one that was never taken
    --before->second.out;
    ++after->second.out;
  }
  if (entry.ticket != 0) {  // so does the place in the queue
    after->second.waiting.insert(before->second.waiting.extract(entry.ticket));
  }
  entry.group = after;
  relist(before);
  relist(after);
  leave_group(before);
  wake_one();
  return !entry.processing || group.empty() || per_group_ == 0 || after->second.out <= per_group_;
}

void WorkQueue::enqueue(Known& known, SteadyTime since, std::uint64_t ticket) {
  Entry& entry = known.second;
  entry.leaving = false;
  entry.ticket = ticket;
  entry.queued_at = since;
  entry.group->second.waiting.emplace(entry.ticket, &known);
  ++queued_;
  relist(entry.group);
}

void WorkQueue::dequeue(Entry& entry) {
  entry.group->second.waiting.erase(std::exchange(entry.ticket, 0));
  --queued_;
  relist(entry.group);
}

// A worker for the first key of open_, if there is one: preferably one that does nothing but sleep.
void WorkQueue::wake_one() {
  if (open_.empty()) {
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
  known.second.leaving = false;
  scheduled = when;
  const auto place = schedule_.insert({when, &known}).first;
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
    unschedule(known);
    entry.asked = clock_.steady_now();
    if (entry.processing) {
      counted = !entry.again;
      entry.again = true;
    } else if (entry.ticket == 0) {
      enqueue(known, entry.asked, ++tickets_);
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
  if (known.second.ticket == 0 && !known.second.again) {
    schedule(known, clock_.steady_now() + delay);
  }
}

milliseconds WorkQueue::add_rate_limited(const ResourceKey& key) {
  milliseconds delay{0};
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = known_of(key).second;
    delay = back_off_.delay(entry.failures, luck());
    ++entry.failures;
  }
  if (observer_ != nullptr) {
    observer_->retried();
  }
  add_after(key, delay);
  return delay;
}

milliseconds WorkQueue::pause_after(int failures) const {
  return back_off_.delay(std::max(failures - 1, 0), luck());
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
  Entry& entry = found->second;
  unschedule(*found);
  if (entry.ticket != 0) {
    dequeue(entry);
  }
  entry.again = false;
  entry.back = false;
  entry.failures = 0;
  entry.leaving = true;
  drop(found);
  idle_.notify_all();
}

void WorkQueue::retire(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  Entry& entry = found->second;
  entry.failures = 0;
  if (!entry.again && entry.ticket == 0) {
    unschedule(*found);
    entry.leaving = true;
    drop(found);
  }
}

// Of what is leaving, when nobody works on it and nothing more is asked of it.
void WorkQueue::drop(std::map<ResourceKey, Entry>::iterator place) {
  const Entry& entry = place->second;
  if (entry.leaving && !entry.processing && entry.ticket == 0 && !entry.scheduled) {
    leave_group(entry.group);
    entries_.erase(place);
  }
}

SteadyTime WorkQueue::asked(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? clock_.steady_now() : found->second.asked;
}

int WorkQueue::failures(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? 0 : found->second.failures;
}

void WorkQueue::promote_due(SteadyTime now) {
  while (!schedule_.empty() && schedule_.begin()->when <= now) {
    Known& known = *schedule_.begin()->known;
    Entry& entry = known.second;
    unschedule(known);
    entry.asked = now;
    if (entry.processing) {
      entry.again = true;
    } else if (entry.ticket == 0) {
      enqueue(known, now, ++tickets_);
    }
  }
}

std::optional<ResourceKey> WorkQueue::take(SteadyTime now, double& waited) {
  promote_due(now);
  if (open_.empty()) {
    return std::nullopt;
  }
  const GroupPlace group = open_.begin()->second;
  auto& [key, entry] = *group->second.waiting.begin()->second;
  entry.processing = true;
  entry.taken = entry.ticket;
  waited = seconds_between(entry.queued_at, now);
  ++group->second.out;
  out_.emplace(key, now);
  dequeue(entry);
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
    // Whoever is woken looks for a key, and watches the schedule when it finds none.
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

// One of the waiting workers watches the schedule: were it all of them, all would wake for every key that is due.
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
    worked = seconds_between(out_.extract(key).mapped(), now);
    entry.processing = false;
    --entry.group->second.out;
    relist(entry.group);
    const bool again = std::exchange(entry.again, false);
    const bool back = std::exchange(entry.back, false);
    if ((again || back) && !shut_down_) {
      unschedule(*found);
      enqueue(*found, back ? entry.queued_at : now, back ? entry.taken : ++tickets_);
    }
    drop(found);
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
    found->second.back = found->second.processing;
  }
}

void WorkQueue::shut_down() {
  {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
    for (auto& [key, entry] : entries_) {
      entry.ticket = 0;
      entry.scheduled.reset();
    }
    for (auto& [name, group] : groups_) {
      group.waiting.clear();
      group.listed = 0;
    }
    open_.clear();
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
  for (const auto& [key, since] : out_) {
    const double running = seconds_between(since, now);
    statistics.unfinished_seconds += running;
    statistics.longest_running_seconds = std::max(statistics.longest_running_seconds, running);
  }
  return statistics;
}

}  // namespace athanor::controller
