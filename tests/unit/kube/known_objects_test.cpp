#include "operator/kube/known_objects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace athanor::controller {
namespace {

using testing::ElementsAre;

TEST(KnownObjectsTest, FindsWhatVanishedBetweenTwoLists) {
  KnownObjects known;
  known.begin_list();
  EXPECT_TRUE(known.see({"shop", "a"}, "1"));
  EXPECT_TRUE(known.see({"shop", "b"}, "2"));
  EXPECT_FALSE(known.see({"shop", "b"}, "2"));
  EXPECT_TRUE(known.finish_list().empty());
  known.begin_list();
  EXPECT_TRUE(known.see({"shop", "b"}, "3"));
  EXPECT_THAT(known.finish_list(), ElementsAre(ResourceKey{"shop", "a"}));
  EXPECT_EQ(known.size(), 1U);
  EXPECT_FALSE(known.erase({"shop", "a"}));
  EXPECT_TRUE(known.erase({"shop", "b"}));
}

TEST(KnownObjectsTest, VersionsThatAreNoNumbersAreComparedToo) {
  KnownObjects known;
  EXPECT_TRUE(known.see({"", "a"}, "v1-x"));
  EXPECT_FALSE(known.see({"", "a"}, "v1-x"));
  EXPECT_TRUE(known.see({"", "a"}, "v1-y"));
  EXPECT_TRUE(known.see({"", "a"}, "99999999999999999999999"));
}

TEST(KnownObjectsTest, AgreesWithATreeUnderRandomChanges) {
  std::minstd_rand luck(11);
  KnownObjects known;
  std::map<ResourceKey, std::string> tree;
  std::set<ResourceKey> seen;
  known.begin_list();
  for (int i = 0; i < 60'000; ++i) {
    const ResourceKey key{"n" + std::to_string(luck() % 3), "o" + std::to_string(luck() % 400)};
    const std::string version = std::to_string(luck() % 4);
    if (luck() % 3 == 0) {
      seen.erase(key);
      ASSERT_EQ(known.erase(key), tree.erase(key) == 1);
    } else {
      seen.insert(key);
      ASSERT_EQ(known.see(key, version), !tree.contains(key) || tree[key] != version);
      tree[key] = version;
    }
    if (luck() % 500 == 0) {
      std::set<ResourceKey> gone;
      for (const auto& each : tree) {
        if (!seen.contains(each.first)) {
          gone.insert(each.first);
        }
      }
      const auto reported = known.finish_list();
      ASSERT_EQ(std::set<ResourceKey>(reported.begin(), reported.end()), gone);
      for (const ResourceKey& each : gone) {
        tree.erase(each);
      }
      known.begin_list();
      seen.clear();
    }
    ASSERT_EQ(known.size(), tree.size());
  }
}

TEST(KnownObjectsTest, TenThousandTakeLessThanAHundredBytesEach) {
  KnownObjects known;
  for (int i = 0; i < 10'000; ++i) {
    known.see({"team-" + std::to_string(i % 100), "orders-database-" + std::to_string(i)}, std::to_string(1'000'000 + i));
  }
  EXPECT_LE(known.bytes(), 10'000U * 100U);
  RecordProperty("bytes_per_key", static_cast<int>(known.bytes() / 10'000));
}

}  // namespace
}  // namespace athanor::controller
