#include <gtest/gtest.h>

#include "migrations/execute/run_context.hpp"
#include "tests/support/fake_clock.hpp"

namespace athanor {
namespace {

Error with_state(const std::string& state) {
  return Error(ErrorCode::LockTimeout, "no").with_sqlstate(state);
}

TEST(LockRetries, DoublesItsPausesUpToFifteenSeconds) {
  test::FakeClock clock;
  LockRetries retries(clock, std::chrono::minutes(10));
  std::vector<std::int64_t> pauses;
  for (int i = 0; i < 8; ++i) {
    const auto pause = retries.pause_after(with_state("55P03"));
    ASSERT_TRUE(pause);
    pauses.push_back(pause->count());
    clock.advance(*pause);
  }
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{250, 500, 1000, 2000, 4000, 8000, 15000, 15000}));
}

TEST(LockRetries, EndsWithItsBudget) {
  test::FakeClock clock;
  LockRetries retries(clock, milliseconds(1'000));
  EXPECT_TRUE(retries.pause_after(with_state("55P03")));
  clock.advance(milliseconds(800));
  EXPECT_FALSE(retries.pause_after(with_state("55P03")));
}

TEST(LockRetries, HasTheWholeBudgetAgainAfterASuccess) {
  test::FakeClock clock;
  LockRetries retries(clock, milliseconds(1'000));
  EXPECT_TRUE(retries.pause_after(with_state("55P03")));
  clock.advance(milliseconds(5'000));
  retries.reset();
  EXPECT_EQ(retries.pause_after(with_state("55P03")), milliseconds(250));
}

TEST(LockRetries, RetriesDeadlocksAndSerialisationFailuresButNoOtherError) {
  test::FakeClock clock;
  LockRetries retries(clock, milliseconds(60'000));
  EXPECT_TRUE(retries.pause_after(with_state("40P01")));
  EXPECT_TRUE(retries.pause_after(with_state("40001")));
  EXPECT_FALSE(retries.pause_after(with_state("42P01")));
  EXPECT_FALSE(retries.pause_after(with_state("57014")));
}

TEST(LockRetries, NeverRetriesWithoutABudget) {
  test::FakeClock clock;
  LockRetries retries(clock, milliseconds(0));
  EXPECT_FALSE(retries.pause_after(with_state("55P03")));
}

}  // namespace
}  // namespace athanor
