// What a namespace may take of the cache.
#include "operator/sources/cache_quota.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace athanor::controller {
namespace {

using Use = CacheQuota::Item::Use;

class CacheQuotaTest : public testing::Test {
 protected:
  SteadyTime now_ = SteadyTime(std::chrono::hours(1));
  CacheQuota quota_{100, std::chrono::minutes(15)};
};

TEST_F(CacheQuotaTest, RefusesWhatGoesBeyondTheShareOfANamespace) {
  CacheQuota::Item first(quota_, Use::Own);
  CacheQuota::Item second(quota_, Use::Own);
  EXPECT_TRUE(first.hold("shop", 60, now_));
  EXPECT_TRUE(second.hold("shop", 40, now_));
  const auto refused = second.hold("shop", 41, now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::FileTooLarge);
  EXPECT_EQ(refused.error().message, "the sources of namespace shop use more than 100 bytes of the operator's cache");
  CacheQuota::Item elsewhere(quota_, Use::Own);
  EXPECT_TRUE(elsewhere.hold("other", 100, now_)) << "another namespace has a share of its own";
  first.empty();
  EXPECT_TRUE(second.hold("shop", 100, now_));
}

TEST_F(CacheQuotaTest, CountsASharedItemForEachThatAskedForItLately) {
  CacheQuota::Item shared(quota_, Use::Shared);
  std::optional<CacheQuota::Item> own(std::in_place, quota_, Use::Own);
  EXPECT_TRUE(shared.hold("shop", 80, now_));
  EXPECT_TRUE(shared.hold("other", 80, now_));
  EXPECT_FALSE(own->hold("other", 30, now_));
  now_ += std::chrono::minutes(16);
  EXPECT_TRUE(shared.hold("shop", 80, now_));
  EXPECT_TRUE(own->hold("other", 30, now_)) << "it went on to something else";
  now_ += std::chrono::minutes(16);
  EXPECT_FALSE(shared.hold("other", 80, now_)) << "its own folder counts while it exists";
  own.reset();
  EXPECT_TRUE(shared.hold("other", 100, now_)) << "what is gone does not count";
}

TEST_F(CacheQuotaTest, LimitsNothingWithoutANumber) {
  const CacheQuota none(0, std::chrono::minutes(15));
  CacheQuota::Item item(none, Use::Own);
  EXPECT_TRUE(item.hold("shop", std::uint64_t{1} << 50U, now_));
}

}  // namespace
}  // namespace athanor::controller
