#include "operator/reconcile/status_courier.hpp"

#include <utility>

namespace athanor::controller {

StatusCourier::~StatusCourier() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void StatusCourier::send(const ResourceKey& key, DatabaseMigrationStatus status) {
  {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { work(); });
    }
    if (waiting_.insert_or_assign(key, std::move(status)).second) {
      turns_.push_back(key);
    }
  }
  changed_.notify_all();
}

void StatusCourier::settle(const ResourceKey& key) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !waiting_.contains(key) && writing_ != key; });
}

void StatusCourier::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !turns_.empty(); });
    if (turns_.empty()) {
      return;
    }
    writing_ = std::move(turns_.front());
    turns_.pop_front();
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
