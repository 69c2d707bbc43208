#include "operator/reconcile/status_update_queue.hpp"

#include <algorithm>
#include <utility>

namespace athanor::controller {

StatusUpdateQueue::~StatusUpdateQueue() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void StatusUpdateQueue::send(const ResourceKey& key, milliseconds delay, Write write) {
  {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { work(); });
    }
    // Only the first send() of a reconcile sets the time; later ones do not postpone it.
    running_.try_emplace(key, clock_.steady_now() + delay);
    if (waiting_.insert_or_assign(key, std::move(write)).second) {
      order_.push_back(key);
    }
  }
  changed_.notify_all();
}

void StatusUpdateQueue::flush(const ResourceKey& key) {
  std::unique_lock lock(mutex_);
  const auto run = running_.find(key);
  if (run == running_.end()) {
    return;
  }
  // Not due yet: drop it, because the outcome's status follows.
  if (run->second > clock_.steady_now() && waiting_.erase(key) > 0) {
    std::erase(order_, key);
  }
  // A write that is due or in progress must not be stored after the outcome's status.
  changed_.wait(lock, [&] { return !waiting_.contains(key) && writing_ != key; });
  running_.erase(key);
}

std::deque<ResourceKey>::iterator StatusUpdateQueue::next_due(SteadyTime now) {
  return std::ranges::find_if(order_, [&](const ResourceKey& key) { return ending_ || running_.at(key) <= now; });
}

void StatusUpdateQueue::work() {
  std::unique_lock lock(mutex_);
  while (!ending_ || !order_.empty()) {
    const SteadyTime now = clock_.steady_now();
    const auto turn = next_due(now);
    if (turn == order_.end()) {
      if (order_.empty()) {
        changed_.wait(lock);
      } else {
        // None is due, so each is the first write of its reconcile.
        const auto first = std::ranges::min_element(order_, {}, [this](const ResourceKey& key) { return running_.at(key); });
        changed_.wait_for(lock, running_.at(*first) - now);
      }
      continue;
    }
    writing_ = std::move(*turn);
    order_.erase(turn);
    const Write write = std::move(waiting_.extract(*writing_).mapped());
    lock.unlock();
    write();  // without the lock; flush() waits for writing_
    lock.lock();
    writing_.reset();
    changed_.notify_all();
  }
}

}  // namespace athanor::controller
