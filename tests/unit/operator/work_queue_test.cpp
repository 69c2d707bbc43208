#include "operator/reconcile/work_queue.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_clock.hpp"

namespace athanor::controller {
namespace {

using std::chrono::seconds;

const ResourceKey kA{"shop", "a"};
const ResourceKey kB{"shop", "b"};
const ResourceKey kC{"shop", "c"};

class WorkQueueTest : public testing::Test {
 protected:
  test::FakeClock clock;
  WorkQueue queue{clock, BackOff{seconds(1), seconds(300), 0.0}, 2};
};

TEST_F(WorkQueueTest, HandsOutKeysInOrderAndOnce) {
  queue.add(kA);
  queue.add(kB);
  queue.add(kA);
  EXPECT_EQ(queue.try_get(), kA);
  EXPECT_EQ(queue.try_get(), kB);
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST_F(WorkQueueTest, NeverHandsOutAKeyThatIsBeingWorkedOn) {
  queue.add(kA);
  EXPECT_EQ(queue.try_get(), kA);
  queue.add(kA);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), kA);
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST_F(WorkQueueTest, HoldsScheduledKeysBackUntilTheirTime) {
  queue.add_after(kA, seconds(10));
  clock.advance(milliseconds(9'999));
  EXPECT_EQ(queue.try_get(), std::nullopt);
  clock.advance(milliseconds(1));
  EXPECT_EQ(queue.try_get(), kA);
}

TEST_F(WorkQueueTest, KeepsTheEarlierOfTwoSchedules) {
  queue.add_after(kA, seconds(10));
  queue.add_after(kA, seconds(20));
  queue.add_after(kA, seconds(5));
  clock.advance(seconds(5));
  EXPECT_EQ(queue.try_get(), kA);
  queue.done(kA);
  clock.advance(seconds(60));
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST_F(WorkQueueTest, AnImmediateAddReplacesASchedule) {
  queue.add_after(kA, seconds(10));
  queue.add(kA);
  EXPECT_EQ(queue.try_get(), kA);
  queue.done(kA);
  clock.advance(seconds(60));
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST_F(WorkQueueTest, AScheduleSetWhileWorkingSurvivesDone) {
  queue.add(kA);
  EXPECT_EQ(queue.try_get(), kA);
  queue.add_after(kA, seconds(1));
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  clock.advance(seconds(1));
  EXPECT_EQ(queue.try_get(), kA);
}

TEST_F(WorkQueueTest, BacksOffEachKeyByItself) {
  EXPECT_EQ(queue.add_rate_limited(kA), seconds(1));
  EXPECT_EQ(queue.add_rate_limited(kA), seconds(2));
  EXPECT_EQ(queue.add_rate_limited(kA), seconds(4));
  EXPECT_EQ(queue.add_rate_limited(kB), seconds(1));
  EXPECT_EQ(queue.failures(kA), 3);
  queue.forget(kA);
  EXPECT_EQ(queue.failures(kA), 0);
  EXPECT_EQ(queue.add_rate_limited(kA), seconds(1));
}

TEST(BackOffTest, GrowsToItsCeilingWithinItsJitter) {
  const BackOff back_off{seconds(1), seconds(300), 0.1};
  EXPECT_EQ(back_off.delay(0, 0.5), seconds(1));
  EXPECT_EQ(back_off.delay(3, 0.0), milliseconds(7'200));
  EXPECT_EQ(back_off.delay(3, 1.0), milliseconds(8'800));
  EXPECT_EQ(back_off.delay(1'000, 0.5), seconds(300));
}

TEST_F(WorkQueueTest, BoundsWhatIsOutOfAGroupAndLetsOthersOvertake) {
  const ResourceKey other{"shop", "other"};
  for (const auto& key : {kA, kB, kC}) {
    queue.set_group(key, "db:5432");
    queue.add(key);
  }
  queue.set_group(other, "elsewhere:5432");
  queue.add(other);
  EXPECT_EQ(queue.try_get(), kA);
  EXPECT_EQ(queue.try_get(), kB);
  EXPECT_EQ(queue.try_get(), other);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), kC);
}

TEST_F(WorkQueueTest, AGroupChangedWhileWorkingFreesTheRightSlot) {
  queue.set_group(kA, "one");
  queue.add(kA);
  EXPECT_EQ(queue.try_get(), kA);
  queue.set_group(kA, "two");
  queue.done(kA);
  for (const auto& key : {kA, kB, kC}) {
    queue.set_group(key, "two");
    queue.add(key);
  }
  EXPECT_TRUE(queue.try_get().has_value());
  EXPECT_TRUE(queue.try_get().has_value());
  EXPECT_FALSE(queue.try_get().has_value());
}

TEST_F(WorkQueueTest, ForgetsARemovedKey) {
  queue.add(kA);
  queue.add_after(kB, seconds(1));
  queue.remove(kA);
  queue.remove(kB);
  clock.advance(seconds(10));
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST_F(WorkQueueTest, KnowsHowLongWorkHasRun) {
  queue.add(kA);
  queue.add(kB);
  (void)queue.try_get();
  clock.advance(seconds(3));
  const auto statistics = queue.statistics();
  EXPECT_EQ(statistics.depth, 1U);
  EXPECT_EQ(statistics.processing, 1U);
  EXPECT_DOUBLE_EQ(statistics.unfinished_seconds, 3.0);
  EXPECT_DOUBLE_EQ(statistics.longest_running_seconds, 3.0);
}

TEST_F(WorkQueueTest, WakesAWaitingWorkerForAKeyAndForShutDown) {
  std::optional<ResourceKey> first;
  std::optional<ResourceKey> second = kA;
  std::thread worker([&] {
    first = queue.get();
    queue.done(*first);
    second = queue.get();
  });
  queue.add(kB);
  queue.wait_until_idle();
  queue.shut_down();
  worker.join();
  EXPECT_EQ(first, kB);
  EXPECT_EQ(second, std::nullopt);
  queue.add(kC);
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

}  // namespace
}  // namespace athanor::controller
