#include "operator/reconcile/back_off.hpp"

#include <gtest/gtest.h>

#include <set>

namespace athanor::controller {
namespace {

using std::chrono::seconds;

TEST(RetryBackOff, SpacesTheFailuresOfEachKeyByItself) {
  const ResourceKey a{"shop", "a"};
  const ResourceKey b{"shop", "b"};
  RetryBackOff back_off({seconds(1), seconds(300), 0.0});
  EXPECT_EQ(back_off.failures(a), 0);
  EXPECT_EQ(back_off.failed(a), seconds(1));
  EXPECT_EQ(back_off.failed(a), seconds(2));
  EXPECT_EQ(back_off.failed(a), seconds(4));
  EXPECT_EQ(back_off.failed(b), seconds(1));
  EXPECT_EQ(back_off.failures(a), 3);
  back_off.forget(a);
  EXPECT_EQ(back_off.failures(a), 0);
  EXPECT_EQ(back_off.failed(a), seconds(1));
}

TEST(RetryBackOff, SpacesFailuresThatTheCallerCounts) {
  const RetryBackOff back_off({seconds(1), seconds(300), 0.0});
  EXPECT_EQ(back_off.delay_after(1), seconds(1));
  EXPECT_EQ(back_off.delay_after(3), seconds(4));
}

TEST(RetryBackOff, SpreadsWhatFailsTogether) {
  const RetryBackOff back_off({seconds(100), seconds(300), 0.1});
  std::set<milliseconds> delays;
  for (int i = 0; i < 50; ++i) {
    delays.insert(back_off.delay_after(1));
  }
  EXPECT_GT(delays.size(), 10U);
  EXPECT_GE(*delays.begin(), seconds(90));
  EXPECT_LE(*delays.rbegin(), seconds(110));
  EXPECT_LT(*delays.begin(), seconds(100));
  EXPECT_GT(*delays.rbegin(), seconds(100));
}

TEST(BackOff, GrowsToItsCeilingWithinItsJitter) {
  const BackOff back_off{seconds(1), seconds(300), 0.1};
  EXPECT_EQ(back_off.delay(0, 0.5), seconds(1));
  EXPECT_EQ(back_off.delay(3, 0.0), milliseconds(7'200));
  EXPECT_EQ(back_off.delay(3, 1.0), milliseconds(8'800));
  EXPECT_EQ(back_off.delay(1'000, 0.5), seconds(300));
}

}  // namespace
}  // namespace athanor::controller
