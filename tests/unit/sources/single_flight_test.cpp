// One works, the others share what came of it.
#include "operator/sources/single_flight.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

#include "tests/support/fake_clock.hpp"

namespace athanor::controller {
namespace {

const auto kAnyWillDo = [](const int&) { return true; };

TEST(SingleFlight, UsesAnEarlierValueOnlyWhileTheCallerAcceptsIt) {
  test::FakeClock clock;
  SingleFlight<int> work(clock);
  int runs = 0;
  const auto count = [&]() -> Result<int> { return ++runs; };
  EXPECT_EQ(work.get(kAnyWillDo, count).value(), 1);
  EXPECT_EQ(work.get(kAnyWillDo, count).value(), 1);
  EXPECT_EQ(work.get([](const int& value) { return value > 1; }, count).value(), 2);
}

TEST(SingleFlight, KeepsAnErrorAsLongAsItTookToComeAbout) {
  test::FakeClock clock;
  SingleFlight<int> work(clock);
  int runs = 0;
  const auto fail_slowly = [&]() -> Result<int> {
    ++runs;
    clock.advance(milliseconds(1'000));
    return fail(ErrorCode::Io, "gone");
  };
  EXPECT_FALSE(work.get(kAnyWillDo, fail_slowly));
  clock.advance(milliseconds(999));
  EXPECT_FALSE(work.get(kAnyWillDo, fail_slowly));
  EXPECT_EQ(runs, 1);
  clock.advance(milliseconds(1));
  EXPECT_FALSE(work.get(kAnyWillDo, fail_slowly));
  EXPECT_EQ(runs, 2);
}

TEST(SingleFlight, AnErrorIsTheAnswerToItsOwnSubjectOnly) {
  test::FakeClock clock;
  SingleFlight<int> shared(clock);
  const auto never = [](const int&) { return false; };
  const auto slow = [&clock]() -> Result<int> {
    clock.advance(milliseconds(1'000));
    return fail(ErrorCode::Io, "too large");
  };
  EXPECT_FALSE(shared.get(never, slow, "commit 1"));
  EXPECT_FALSE(shared.get(
      never, [] { return Result<int>(1); }, "commit 1"));
  const auto other = shared.get(
      never, [] { return Result<int>(2); }, "commit 2");
  ASSERT_TRUE(other);
  EXPECT_EQ(*other, 2);
}

TEST(SingleFlight, AnImmediateErrorIsRetriedImmediately) {
  test::FakeClock clock;
  SingleFlight<int> work(clock);
  int runs = 0;
  const auto fail_once = [&]() -> Result<int> { return ++runs == 1 ? fail(ErrorCode::Io, "gone") : Result<int>(runs); };
  EXPECT_FALSE(work.get(kAnyWillDo, fail_once));
  EXPECT_EQ(work.get(kAnyWillDo, fail_once).value(), 2);
}

TEST(SingleFlight, OneOfManyThreadsWorks) {
  SystemClock clock;
  SingleFlight<int> work(clock);
  std::atomic<int> runs{0};
  std::latch all_there(8);
  std::vector<std::thread> threads;
  std::atomic<int> sum{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      all_there.arrive_and_wait();
      sum += work.get(kAnyWillDo, [&]() -> Result<int> { return ++runs; }).value();
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(sum, 8);
}

// Whether the other one waits before the work has failed is chance, and once is enough: where it tries again, it always does.
TEST(SingleFlight, WhoWaitedForWorkThatFailedDoesNotTryAgain) {
  test::FakeClock clock;
  int fewest = 2;
  for (int attempt = 0; attempt < 1'000 && fewest > 1; ++attempt) {
    SingleFlight<int> work(clock);
    std::atomic<int> runs{0};
    std::latch begun(2);
    std::thread first([&] {
      (void)work.get(kAnyWillDo, [&]() -> Result<int> {
        ++runs;
        begun.arrive_and_wait();
        for (int turn = 0; turn < attempt; ++turn) {
          std::this_thread::yield();
        }
        return fail(ErrorCode::Io, "gone");
      });
    });
    begun.arrive_and_wait();
    (void)work.get(kAnyWillDo, [&]() -> Result<int> { return ++runs; });
    first.join();
    fewest = std::min(fewest, runs.load());
  }
  EXPECT_EQ(fewest, 1);
}

}  // namespace
}  // namespace athanor::controller
