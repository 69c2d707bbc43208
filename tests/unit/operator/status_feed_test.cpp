#include "operator/reconcile/status_feed.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace athanor::controller {
namespace {

struct Change {
  std::string text;
};
using Feed = StatusFeed<Change>;

TEST(StatusFeed, ShowsEveryChangeToEverySubscriberInOrder) {
  Feed feed;
  std::vector<std::string> seen;
  const auto events = feed.subscribe([&](const Change& change) { seen.push_back("events " + change.text); });
  const auto metrics = feed.subscribe([&](const Change& change) { seen.push_back("metrics " + change.text); });
  feed.publish({"1"});
  feed.publish({"2"});
  EXPECT_EQ(seen, (std::vector<std::string>{"events 1", "metrics 1", "events 2", "metrics 2"}));
}

TEST(StatusFeed, ShowsNothingBeforeASubscriptionAndNothingAfterIt) {
  Feed feed;
  std::vector<std::string> seen;
  feed.publish({"before"});
  {
    auto first = feed.subscribe([&](const Change& change) { seen.push_back(change.text); });
    feed.publish({"during"});
    const auto moved = std::move(first);
    feed.publish({"moved"});
  }
  feed.publish({"after"});
  EXPECT_EQ(seen, (std::vector<std::string>{"during", "moved"}));
}

TEST(StatusFeed, CallsNobodyWhoseSubscriptionHasEnded) {
  Feed feed;
  std::atomic<bool> over{false};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 3; ++worker) {
    workers.emplace_back([&] {
      while (!over) {
        feed.publish({"change"});
      }
    });
  }
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> subscribed{true};
    {
      const auto subscription = feed.subscribe([&](const Change&) { EXPECT_TRUE(subscribed); });
      std::this_thread::yield();
    }
    subscribed = false;
  }
  over = true;
  for (auto& worker : workers) {
    worker.join();
  }
}

}  // namespace
}  // namespace athanor::controller
