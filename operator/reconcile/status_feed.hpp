// Distributes status changes to several subscribers: events, metrics, later server-sent events.
//
// Threads: publish() calls all subscribers on its own thread before it returns; different keys may be published concurrently.
// The controller publishes the changes of one key in order and one at a time, so each subscriber sees them in order. Workers
// wait for subscribers, so one that writes to a network must use its own queue. A subscriber must not throw, subscribe or
// unsubscribe during a call. Ownership: the feed must outlive its subscriptions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

// What a subscriber receives. Valid during the call.
template <typename Resource, typename Outcome>
struct StatusChange {
  const ResourceKey& key;
  const typename ResourceStore<Resource>::Status& status;
  const Outcome* outcome = nullptr;  // of an ended reconcile; null: progress of a running one
  bool ready_changed = false;        // the condition Ready changed
};

template <typename Change>
class StatusFeed {
 public:
  using Subscriber = std::function<void(const Change&)>;

  // The destructor ends the subscription: it waits for calls in progress, and there are none afterwards.
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

  // Calls `subscriber` for every change from now on, after earlier subscribers.
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
