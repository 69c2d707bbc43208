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

void StatusUpdateQueue::send(const ResourceKey& key, DatabaseMigrationStatus status) {
  {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { work(); });
    }
    runs_.try_emplace(key, clock_.steady_now() + patience_);
    if (waiting_.insert_or_assign(key, std::move(status)).second) {
      turns_.push_back(key);
    }
  }
  changed_.notify_all();
}

void StatusUpdateQueue::flush(const ResourceKey& key) {
  std::unique_lock lock(mutex_);
  const auto run = runs_.find(key);
  if (run == runs_.end()) {
    return;
  }
  if (run->second > clock_.steady_now() && waiting_.erase(key) > 0) {
    std::erase(turns_, key);
  }
  changed_.wait(lock, [&] { return !waiting_.contains(key) && writing_ != key; });
  runs_.erase(key);
}

std::deque<ResourceKey>::iterator StatusUpdateQueue::next(SteadyTime now) {
  return std::ranges::find_if(turns_, [&](const ResourceKey& key) { return ending_ || runs_.at(key) <= now; });
}

void StatusUpdateQueue::work() {
  std::unique_lock lock(mutex_);
  while (!ending_ || !turns_.empty()) {
    const SteadyTime now = clock_.steady_now();
    const auto turn = next(now);
    if (turn == turns_.end()) {
      if (turns_.empty()) {
        changed_.wait(lock);
      } else {
        // None is due, so each is its run's first; runs began in this order.
        changed_.wait_for(lock, runs_.at(turns_.front()) - now);
      }
      continue;
    }
    writing_ = std::move(*turn);
    turns_.erase(turn);
    const ResourceKey key = *writing_;
    const DatabaseMigrationStatus status = std::move(waiting_.extract(key).mapped());
    lock.unlock();
    write_(key, status);
    lock.lock();
    writing_.reset();
    changed_.notify_all();
  }
}

}  // namespace athanor::controller
