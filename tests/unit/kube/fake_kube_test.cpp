#include "tests/support/fake_kube.hpp"

#include "tests/unit/kube/kube_contract.hpp"

namespace athanor::controller {
namespace {

class FakeKubeFixture : public testing::Test {
 protected:
  KubeClient& client() { return kube_; }
  static std::string name_space() { return "shop"; }
  test::FakeKube kube_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(FakeKube, KubeContract, FakeKubeFixture);

TEST_F(FakeKubeFixture, AnAnswerThatGetsLostLeavesTheChange) {
  kube_.fail({.verb = "create", .error = Error(ErrorCode::ApiUnreachable, "reset"), .afterwards = true});
  EXPECT_EQ(kube_.create(kube::kConfigMaps, "shop", config_map("a", {})).error().code, ErrorCode::ApiUnreachable);
  EXPECT_TRUE(kube_.find(kube::kConfigMaps, {"shop", "a"}));
  EXPECT_EQ(kube_.count("create", "configmaps"), 1U);
}

TEST_F(FakeKubeFixture, ACompactedHistoryIsExpired) {
  const std::string before = kube_.version();
  kube_.compact();
  WatchOptions options;
  options.resource_version = before;
  EXPECT_EQ(kube_.watch(kube::kConfigMaps, options, [](const WatchEvent&) {}, {}).error().code, ErrorCode::ApiExpired);
}

}  // namespace
}  // namespace athanor::controller
