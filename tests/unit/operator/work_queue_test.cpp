#include "operator/reconcile/work_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

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
  WorkQueue queue{clock, 2};
};

TEST_F(WorkQueueTest, KnowsSinceWhenAKeyIsAskedFor) {
  queue.add(kA);
  clock.advance(seconds(5));
  queue.add(kA);  // it still waits: what it is asked for is newer now
  const SteadyTime again = clock.steady_now();
  clock.advance(seconds(5));
  ASSERT_EQ(queue.try_get(), kA);
  EXPECT_EQ(queue.requested_at(kA), again);
  queue.add(kA);  // while it is worked on
  EXPECT_EQ(queue.requested_at(kA), clock.steady_now());
  queue.add_after(kB, seconds(1));
  clock.advance(seconds(3));
  ASSERT_EQ(queue.try_get(), kB);
  EXPECT_EQ(queue.requested_at(kB), clock.steady_now());
  EXPECT_EQ(queue.requested_at(kC), clock.steady_now());
}

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

TEST_F(WorkQueueTest, TakesWhatHasWaitedLongestOfWhatMayGo) {
  const ResourceKey early{"shop", "early"};
  const ResourceKey late{"shop", "late"};
  for (const auto& key : {kA, kB, kC, early}) {
    queue.set_group(key, "db:5432");
    queue.add(key);
  }
  queue.set_group(late, "elsewhere:5432");
  queue.add(late);
  EXPECT_EQ(queue.try_get(), kA);
  EXPECT_EQ(queue.try_get(), kB);
  queue.done(kB);  // before `late` is asked for: its server has room again, and kC came first
  EXPECT_EQ(queue.try_get(), kC);
  EXPECT_EQ(queue.try_get(), late);
  queue.remove(kC);
  queue.done(kC);
  EXPECT_EQ(queue.try_get(), early);
}

TEST_F(WorkQueueTest, AKeyKeepsItsPlaceWhenItsGroupBecomesKnown) {
  for (const auto& key : {kA, kB, kC}) {
    queue.add(key);
  }
  queue.set_group(kC, "db:5432");
  queue.set_group(kA, "db:5432");
  queue.set_group(kB, "db:5432");
  EXPECT_EQ(queue.try_get(), kA);
  EXPECT_EQ(queue.try_get(), kB);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  EXPECT_EQ(queue.statistics().depth, 1U);
  queue.remove(kC);
  EXPECT_EQ(queue.statistics().depth, 0U);
  EXPECT_EQ(queue.size(), 2U);
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

TEST_F(WorkQueueTest, TakesBackWhatFindsItsGroupFullAndHandsItOutWhenThereIsRoom) {
  for (const auto& key : {kA, kB, kC}) {
    queue.add(key);
    clock.advance(seconds(1));
  }
  for (const auto& key : {kA, kB, kC}) {
    ASSERT_EQ(queue.try_get(), key);  // nobody knows yet where they belong
  }
  EXPECT_TRUE(queue.set_group(kA, "db:5432"));
  EXPECT_TRUE(queue.set_group(kB, "db:5432"));
  const SteadyTime asked = queue.requested_at(kC);
  EXPECT_FALSE(queue.set_group(kC, "db:5432"));
  queue.requeue(kC);
  queue.done(kC);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  EXPECT_EQ(queue.statistics().depth, 1U);
  EXPECT_EQ(queue.requested_at(kC), asked);
  const ResourceKey late{"shop", "late"};
  queue.add(late);
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), kC) << "it has waited longer";
  EXPECT_TRUE(queue.set_group(kC, "db:5432"));
  EXPECT_EQ(queue.try_get(), late);
  EXPECT_TRUE(queue.set_group(late, ""));
}

TEST_F(WorkQueueTest, ARemovedKeyDoesNotComeBack) {
  queue.add(kA);
  ASSERT_EQ(queue.try_get(), kA);
  queue.requeue(kA);
  queue.remove(kA);
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(WorkQueueTest, ForgetsARemovedKey) {
  queue.add(kA);
  queue.add_after(kB, seconds(1));
  queue.remove(kA);
  queue.remove(kB);
  clock.advance(seconds(10));
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST_F(WorkQueueTest, KeepsNoEntryOfAKeyThatWasRemovedWhileItWasOut) {
  queue.add(kA);
  ASSERT_EQ(queue.try_get(), kA);
  queue.remove(kA);
  queue.done(kA);
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(WorkQueueTest, KeepsARemovedKeyThatIsAddedOrScheduledBeforeItIsDone) {
  queue.add(kA);
  queue.add(kB);
  ASSERT_EQ(queue.try_get(), kA);
  ASSERT_EQ(queue.try_get(), kB);
  queue.remove(kA);
  queue.remove(kB);
  queue.add(kA);  // made anew under its name
  queue.add_after(kB, seconds(1));
  queue.done(kA);
  queue.done(kB);
  EXPECT_EQ(queue.try_get(), kA);
  queue.done(kA);
  clock.advance(seconds(1));
  EXPECT_EQ(queue.try_get(), kB);
  queue.done(kB);
  EXPECT_EQ(queue.size(), 2U);  // both live on
}

TEST_F(WorkQueueTest, RetiresAKeyWithoutLosingWhatWasAskedOfItMeanwhile) {
  queue.set_group(kA, "db:5432");
  queue.add(kA);
  ASSERT_EQ(queue.try_get(), kA);
  queue.retire(kA);
  EXPECT_EQ(queue.size(), 1U);
  queue.done(kA);
  EXPECT_EQ(queue.size(), 0U);
  queue.add(kA);
  ASSERT_EQ(queue.try_get(), kA);
  queue.add(kA);  // it came into being while somebody found that it is not there
  queue.retire(kA);
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), kA);
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

TEST(WorkQueueThreads, KeepTheTimeOfAKeyThatIsScheduledBeforeWhatTheyWaitFor) {
  for (const std::size_t workers : {1U, 3U}) {
    SystemClock clock;
    WorkQueue queue{clock, 0};
    queue.add_after(kA, std::chrono::hours(1));
    std::promise<ResourceKey> first;
    std::atomic<bool> reported{false};
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < workers; ++worker) {
      threads.emplace_back([&] {
        while (const auto key = queue.get()) {
          if (!reported.exchange(true)) {
            first.set_value(*key);
          }
          queue.done(*key);
        }
      });
    }
    while (queue.statistics().waiting < workers) {
      std::this_thread::yield();
    }
    queue.add_after(kB, milliseconds(5));
    auto taken = first.get_future();
    const bool in_time = taken.wait_for(seconds(20)) == std::future_status::ready;
    EXPECT_TRUE(in_time) << workers << " workers slept on";
    queue.shut_down();
    for (auto& thread : threads) {
      thread.join();
    }
    if (in_time) {
      EXPECT_EQ(taken.get(), kB);
    }
  }
}

TEST(WorkQueueThreads, KeepTheLimitOfAGroupThatTheyLearnOfOnTheWay) {
  SystemClock clock;
  WorkQueue queue{clock, 2};
  constexpr std::size_t kKeys = 200;
  for (std::size_t number = 0; number < kKeys; ++number) {
    queue.add({"shop", std::to_string(number)});
  }
  std::atomic<int> at_work{0};
  std::atomic<int> most{0};
  std::atomic<std::size_t> finished{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 6; ++worker) {
    workers.emplace_back([&] {
      while (const auto key = queue.get()) {
        if (queue.set_group(*key, "db:5432")) {
          const int together = ++at_work;
          for (int seen = most; seen < together && !most.compare_exchange_weak(seen, together);) {
          }
          std::this_thread::yield();
          --at_work;
          ++finished;
        } else {
          queue.requeue(*key);
        }
        queue.done(*key);
      }
    });
  }
  queue.wait_until_idle();
  queue.shut_down();
  for (auto& worker : workers) {
    worker.join();
  }
  EXPECT_EQ(finished, kKeys);
  EXPECT_LE(most, 2);
}

TEST(WorkQueueThreads, HandOutEveryKeyOnceAndAreNeverAsleepWhileOneIsDue) {
  SystemClock clock;
  WorkQueue queue{clock, 2};
  std::mutex mutex;
  std::map<ResourceKey, int> taken;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 6; ++worker) {
    workers.emplace_back([&] {
      while (const auto key = queue.get()) {
        bool again = false;
        {
          const std::lock_guard lock(mutex);
          again = ++taken[*key] == 1;
        }
        if (again) {
          queue.add_after(*key, milliseconds(1 + std::hash<std::string>{}(key->name) % 20));
        }
        queue.done(*key);
      }
    });
  }
  constexpr std::size_t kKeys = 500;
  for (std::size_t number = 0; number < kKeys; ++number) {
    const ResourceKey key{"shop", std::to_string(number)};
    queue.set_group(key, "db" + std::to_string(number % 7));
    queue.add(key);
  }
  const auto all_twice = [&] {
    const std::lock_guard lock(mutex);
    return taken.size() == kKeys && std::ranges::all_of(taken, [](const auto& entry) { return entry.second == 2; });
  };
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (!all_twice() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(all_twice());
  queue.shut_down();
  for (auto& worker : workers) {
    worker.join();
  }
}

}  // namespace
}  // namespace athanor::controller
