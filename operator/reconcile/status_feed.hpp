// A feed of status changes that several subscribers follow: events, metrics, later server-sent events.
//
// Threads: publish() calls every subscriber on its own thread, before it returns; different keys may be published at once. The
// controller publishes all changes of one key in order and never two at once, so that each subscriber sees them so. Workers
// wait for subscribers: one that writes to a network hands the change to a queue of its own. A subscriber does not throw, and
// neither subscribes nor unsubscribes from within a call. Ownership: the feed outlives its subscriptions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

// What a subscriber sees. Valid during the call.
template <typename Resource, typename Outcome>
struct StatusChange {
  const ResourceKey& key;
  const typename ResourceStore<Resource>::Status& status;
  const Outcome* outcome = nullptr;  // of a reconcile that ended; null: progress of one that still runs
  bool ready_changed = false;        // the condition Ready differs from the one before
};

template <typename Change>
class StatusFeed {
 public:
  using Subscriber = std::function<void(const Change&)>;

  // Ends when destroyed: waits for calls under way, and there are none afterwards.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept : feed_(std::exchange(other.feed_, nullptr)), id_(other.id_) {}
    Subscription& operator=(Subscription&& other) noexcept {
      if (this != &other) {
        end();
        feed_ = std::exchange(other.feed_, nullptr);
        id_ = other.id_;
      }
      return *this;
    }
    ~Subscription() { end(); }
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    friend class StatusFeed;
    Subscription(StatusFeed& feed, std::uint64_t id) : feed_(&feed), id_(id) {}
    void end() {
      if (auto* const feed = std::exchange(feed_, nullptr)) {
        const std::unique_lock lock(feed->mutex_);
        feed->subscribers_.erase(id_);
      }
    }
    StatusFeed* feed_ = nullptr;
    std::uint64_t id_ = 0;
  };

  // Calls `subscriber` for every change from now on, after those that subscribed before.
  [[nodiscard]] Subscription subscribe(Subscriber subscriber) {
    const std::unique_lock lock(mutex_);
    subscribers_.emplace(++last_id_, std::move(subscriber));
    return Subscription(*this, last_id_);
  }

  void publish(const Change& change) const {
    const std::shared_lock lock(mutex_);
    for (const auto& [id, subscriber] : subscribers_) {
      subscriber(change);
    }
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::uint64_t, Subscriber> subscribers_;
  std::uint64_t last_id_ = 0;
};

}  // namespace athanor::controller
