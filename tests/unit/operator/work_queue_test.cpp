#include "operator/reconcile/work_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <set>
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

TEST_F(WorkQueueTest, KnowsSinceWhenAKeyIsQueued) {
  queue.add(kA);
  clock.advance(seconds(5));
  queue.add(kA);  // it still waits: its request is newer now
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

TEST_F(WorkQueueTest, RequeuesAKeyWhoseGroupIsFullAndHandsItOutWhenThereIsRoom) {
  for (const auto& key : {kA, kB, kC}) {
    queue.add(key);
    clock.advance(seconds(1));
  }
  for (const auto& key : {kA, kB, kC}) {
    ASSERT_EQ(queue.try_get(), key);  // nobody knows yet where they belong
  }
  EXPECT_TRUE(queue.set_group(kA, "db:5432"));
  EXPECT_TRUE(queue.set_group(kB, "db:5432"));
  const SteadyTime requested = queue.requested_at(kC);
  EXPECT_FALSE(queue.set_group(kC, "db:5432"));
  queue.requeue(kC);
  queue.done(kC);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  EXPECT_EQ(queue.statistics().depth, 1U);
  EXPECT_EQ(queue.requested_at(kC), requested);
  const ResourceKey late{"shop", "late"};
  queue.add(late);
  queue.done(kA);
  EXPECT_EQ(queue.try_get(), kC) << "it has waited longer";
  EXPECT_TRUE(queue.set_group(kC, "db:5432"));
  EXPECT_EQ(queue.try_get(), late);
  EXPECT_TRUE(queue.set_group(late, ""));
}

TEST_F(WorkQueueTest, LetsNamespacesTakeTurns) {
  for (int number = 0; number < 100; ++number) {
    queue.add({"crowd", std::to_string(number)});
  }
  queue.add(kA);
  queue.add({"other", "x"});
  queue.add(kB);
  std::vector<std::string> order;
  for (int count = 0; count < 6; ++count) {
    order.push_back(queue.try_get()->text());
  }
  EXPECT_EQ(order, (std::vector<std::string>{"crowd/0", "shop/a", "other/x", "crowd/1", "shop/b", "crowd/2"}));
  // Whoever comes late waits for one turn, not for the whole crowd.
  queue.add(kC);
  EXPECT_EQ(queue.try_get(), (ResourceKey{"crowd", "3"}));
  EXPECT_EQ(queue.try_get(), kC);
}

TEST_F(WorkQueueTest, BoundsWhatIsOutOfANamespace) {
  WorkQueue bounded(clock, QueueLimits{0, 2, 0});
  const ResourceKey other{"other", "x"};
  for (const auto& key : {kA, kB, kC, other}) {
    bounded.add(key);
  }
  EXPECT_EQ(bounded.try_get(), kA);
  EXPECT_EQ(bounded.try_get(), other);
  EXPECT_EQ(bounded.try_get(), kB);
  EXPECT_EQ(bounded.try_get(), std::nullopt);
  bounded.done(other);
  EXPECT_EQ(bounded.try_get(), std::nullopt);
  bounded.done(kA);
  EXPECT_EQ(bounded.try_get(), kC);
}

TEST_F(WorkQueueTest, LeavesRoomBesideKeysThatFailed) {
  WorkQueue bounded(clock, QueueLimits{0, 0, 1});
  const auto fail = [&](const ResourceKey& key) {
    bounded.add(key);
    ASSERT_EQ(bounded.try_get(), key);
    bounded.set_failing(key, true);
    bounded.add_after(key, seconds(1));
    bounded.done(key);
  };
  fail(kA);
  fail(kB);
  clock.advance(seconds(2));
  EXPECT_EQ(bounded.try_get(), kA);
  bounded.add(kC);
  EXPECT_EQ(bounded.try_get(), kC) << "kB waits for the one place of those that failed";
  EXPECT_EQ(bounded.try_get(), std::nullopt);
  bounded.set_failing(kA, false);
  bounded.done(kA);
  EXPECT_EQ(bounded.try_get(), kB);
  bounded.add_after(kA, seconds(1));
  clock.advance(seconds(2));
  EXPECT_EQ(bounded.try_get(), kA) << "it succeeded";
}

TEST_F(WorkQueueTest, AKeyThatIsAddedAgainIsNoLongerFailing) {
  WorkQueue bounded(clock, QueueLimits{0, 0, 1});
  for (const auto& key : {kA, kB}) {
    bounded.add(key);
    ASSERT_EQ(bounded.try_get(), key);
    bounded.set_failing(key, true);
    bounded.done(key);
    bounded.add_after(key, seconds(1));
  }
  clock.advance(seconds(2));
  ASSERT_EQ(bounded.try_get(), kA);
  ASSERT_EQ(bounded.try_get(), std::nullopt);
  bounded.done(kA);
  ASSERT_EQ(bounded.try_get(), kB);
  bounded.add(kA);  // its declaration changed
  EXPECT_EQ(bounded.try_get(), kA);
}

TEST_F(WorkQueueTest, CountsWhatIsStuck) {
  queue.add(kA);
  queue.add(kB);
  ASSERT_EQ(queue.try_get(), kA);
  ASSERT_EQ(queue.try_get(), kB);
  clock.advance(seconds(600));
  EXPECT_EQ(queue.stuck(seconds(700)), 0U);
  clock.advance(seconds(200));
  EXPECT_EQ(queue.stuck(seconds(700)), 2U);
  queue.expect_long(kA);  // a migration began
  EXPECT_EQ(queue.stuck(seconds(700)), 1U);
  queue.done(kB);
  EXPECT_EQ(queue.stuck(seconds(700)), 0U);
}

// Against a plain list that is searched for the first that may go.
TEST_F(WorkQueueTest, KeepsAllLimitsInAnyOrderOfEvents) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](int below) { return std::uniform_int_distribution<int>(0, below - 1)(random); };
    const QueueLimits limits{static_cast<std::size_t>(pick(4)), static_cast<std::size_t>(pick(4)),
                             static_cast<std::size_t>(pick(3))};
    WorkQueue any(clock, limits);
    std::vector<ResourceKey> keys;
    std::map<ResourceKey, std::string> groups;
    for (int number = 0; number < 12; ++number) {
      keys.push_back({"n" + std::to_string(pick(3)), std::to_string(number)});
      groups[keys.back()] = pick(4) == 0 ? std::string() : "s" + std::to_string(pick(3));
      any.set_group(keys.back(), groups[keys.back()]);
    }
    std::set<ResourceKey> waiting;
    std::set<ResourceKey> due;  // scheduled, and not handed out since
    std::set<ResourceKey> failing;
    std::map<ResourceKey, bool> out;  // whether it was failing when it was taken
    const auto may_go = [&](const ResourceKey& key) {
      const auto count = [&](const auto& same) { return static_cast<std::size_t>(std::ranges::count_if(out, same)); };
      return (limits.per_group == 0 || groups[key].empty() ||
              count([&](const auto& one) { return groups[one.first] == groups[key]; }) < limits.per_group) &&
             (limits.per_namespace == 0 ||
              count([&](const auto& one) { return one.first.name_space == key.name_space; }) < limits.per_namespace) &&
             (limits.failing == 0 || !failing.contains(key) ||
              count([](const auto& one) { return one.second; }) < limits.failing);
    };
    for (int step = 0; step < 400; ++step) {
      const ResourceKey& key = keys[static_cast<std::size_t>(pick(12))];
      const int event = pick(5);
      if (event == 0 && !out.contains(key)) {
        any.add(key);
        if (waiting.insert(key).second) {
          failing.erase(key);
        }
        due.erase(key);
      } else if (event == 1 && out.contains(key)) {
        const bool fails = pick(2) == 0;
        any.set_failing(key, fails);
        any.add_after(key, seconds(1));
        any.done(key);
        clock.advance(seconds(2));
        if (fails) {
          failing.insert(key);
        } else {
          failing.erase(key);
        }
        out.erase(key);
        due.insert(key);
      } else {
        waiting.merge(due);
        due.clear();
        const auto taken = any.try_get();
        ASSERT_EQ(taken.has_value(), std::ranges::any_of(waiting, may_go)) << "seed " << seed << ", step " << step;
        if (taken) {
          ASSERT_TRUE(waiting.contains(*taken) && may_go(*taken)) << "seed " << seed << ", step " << step;
          waiting.erase(*taken);
          out[*taken] = failing.contains(*taken);
        }
      }
    }
  }
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

TEST_F(WorkQueueTest, RetiresAKeyWithoutLosingLaterRequests) {
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
