#include "operator/reconcile/status_update_queue.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "tests/support/fake_clock.hpp"

namespace athanor::controller {
namespace {

DatabaseMigrationStatus at(const std::string& revision) {
  DatabaseMigrationStatus status;
  status.current_revision = revision;
  return status;
}

TEST(StatusUpdateQueue, LetsARunGoOnWhileAWriteHangsAndKeepsOnlyTheNewest) {
  SystemClock clock;
  std::promise<void> begun;
  std::promise<void> answered;
  std::vector<std::string> written;
  StatusUpdateQueue courier(clock, [&](const ResourceKey& key, const DatabaseMigrationStatus& status) {
    if (written.empty()) {
      begun.set_value();
      answered.get_future().wait();
    }
    written.push_back(key.name + " " + status.current_revision);
  });
  const ResourceKey orders{"shop", "orders"};
  const ResourceKey bills{"shop", "bills"};
  courier.send(orders, at("a1"));
  begun.get_future().wait();
  courier.send(orders, at("a2"));  // none of these waits for the first
  courier.send(bills, at("b1"));
  courier.send(orders, at("a3"));
  answered.set_value();
  courier.flush(orders);  // waits for what is due
  courier.flush(bills);
  EXPECT_EQ(written, (std::vector<std::string>{"orders a1", "orders a3", "bills b1"}));
}

TEST(StatusUpdateQueue, HoldsTheFirstStatusOfARunBackAndDropsItWhenTheRunIsOver) {
  std::vector<std::string> written;
  test::FakeClock clock;
  StatusUpdateQueue courier(
      clock,
      [&](const ResourceKey& key, const DatabaseMigrationStatus& status) {
        written.push_back(key.name + " " + status.current_revision);
      },
      std::chrono::hours(1));
  courier.send({"shop", "orders"}, at("a1"));
  courier.send({"shop", "orders"}, at("a2"));
  clock.advance(std::chrono::minutes(59));
  courier.flush({"shop", "orders"});
  EXPECT_TRUE(written.empty());
}

// For the address sanitizer: the thread waits for a status while the run it belongs to is forgotten.
TEST(StatusUpdateQueue, WaitsForNothingOfARunThatIsOver) {
  SystemClock clock;
  for (int attempt = 0; attempt < 50; ++attempt) {
    StatusUpdateQueue courier(
        clock, [](const ResourceKey&, const DatabaseMigrationStatus&) {}, std::chrono::hours(1));
    courier.send({"shop", "orders"}, at("a1"));
    std::this_thread::yield();
    courier.flush({"shop", "orders"});
    courier.send({"shop", "bills"}, at("b1"));
    courier.flush({"shop", "bills"});
  }
}

TEST(StatusUpdateQueue, TellsOfARunThatLasts) {
  SystemClock clock;
  std::promise<std::string> reported;
  StatusUpdateQueue courier(
      clock, [&](const ResourceKey& key, const DatabaseMigrationStatus&) { reported.set_value(key.name); }, milliseconds(20));
  courier.send({"shop", "orders"}, at("a1"));
  EXPECT_EQ(reported.get_future().get(), "orders");
  courier.flush({"shop", "orders"});
}

TEST(StatusUpdateQueue, WritesWhatItWasGivenBeforeItEnds) {
  test::FakeClock clock;
  int written = 0;
  {
    StatusUpdateQueue courier(clock, [&](const ResourceKey&, const DatabaseMigrationStatus&) { ++written; });
    courier.flush({"shop", "never-sent"});
    courier.send({"shop", "orders"}, at("a1"));
    courier.send({"shop", "bills"}, at("b1"));
  }
  EXPECT_EQ(written, 2);
}

}  // namespace
}  // namespace athanor::controller
