#include "operator/reconcile/status_update_queue.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_clock.hpp"

namespace athanor::controller {
namespace {

const ResourceKey kOrders{"shop", "orders"};
const ResourceKey kBills{"shop", "bills"};
constexpr milliseconds kAtOnce(0);

TEST(StatusUpdateQueue, LetsARunContinueWhileAWriteHangsAndKeepsOnlyTheNewest) {
  SystemClock clock;
  std::promise<void> begun;
  std::promise<void> answered;
  std::vector<std::string> written;
  StatusUpdateQueue updates(clock);
  const auto send = [&](const ResourceKey& key, const std::string& status) {
    updates.send(key, kAtOnce, [&written, status] { written.push_back(status); });
  };
  updates.send(kOrders, kAtOnce, [&] {
    begun.set_value();
    answered.get_future().wait();
    written.emplace_back("orders a1");
  });
  begun.get_future().wait();
  send(kOrders, "orders a2");  // none of these waits for the first
  send(kBills, "bills b1");
  send(kOrders, "orders a3");
  answered.set_value();
  updates.flush(kOrders);  // waits for what is due
  updates.flush(kBills);
  EXPECT_EQ(written, (std::vector<std::string>{"orders a1", "orders a3", "bills b1"}));
}

TEST(StatusUpdateQueue, DelaysTheFirstStatusOfARunAndDropsItWhenTheRunIsOver) {
  test::FakeClock clock;
  int written = 0;
  StatusUpdateQueue updates(clock);
  updates.send(kOrders, std::chrono::hours(1), [&] { ++written; });
  updates.send(kOrders, std::chrono::hours(1), [&] { ++written; });
  clock.advance(std::chrono::minutes(59));
  updates.flush(kOrders);
  EXPECT_EQ(written, 0);
}

// For the address sanitizer: the thread waits for a status while the run it belongs to is forgotten.
TEST(StatusUpdateQueue, WaitsForNothingOfARunThatIsOver) {
  SystemClock clock;
  for (int attempt = 0; attempt < 50; ++attempt) {
    StatusUpdateQueue updates(clock);
    updates.send(kOrders, std::chrono::hours(1), [] {});
    std::this_thread::yield();
    updates.flush(kOrders);
    updates.send(kBills, std::chrono::hours(1), [] {});
    updates.flush(kBills);
  }
}

TEST(StatusUpdateQueue, WritesTheStatusOfARunThatLasts) {
  SystemClock clock;
  std::promise<void> written;
  StatusUpdateQueue updates(clock);
  updates.send(kOrders, milliseconds(20), [&] { written.set_value(); });
  written.get_future().get();
  updates.flush(kOrders);
}

TEST(StatusUpdateQueue, WritesWhatItWasGivenBeforeItEnds) {
  test::FakeClock clock;
  int written = 0;
  {
    StatusUpdateQueue updates(clock);
    updates.flush({"shop", "never-sent"});
    updates.send(kOrders, kAtOnce, [&] { ++written; });
    updates.send(kBills, kAtOnce, [&] { ++written; });
  }
  EXPECT_EQ(written, 2);
}

}  // namespace
}  // namespace athanor::controller
