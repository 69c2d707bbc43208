#include "operator/cluster/resource_wait.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

class ResourceWaitTest : public testing::Test {
 protected:
  Result<std::string> wait() {
    return wait_for_resource(
        kube, clock, {key, milliseconds(10'000), milliseconds(2'000)},
        [this](const std::string& text) { told.push_back(text); }, stop.token());
  }
  void put() {
    kube.put(kube::kDatabaseMigrations, {{"metadata", {{"name", "orders"}, {"namespace", "shop"}}},
                                         {"spec", {{"targetRevision", std::to_string(++specs)}}}});
  }
  static KubeObject condition(const std::string& type, const std::string& status, const std::string& reason) {
    return {{"type", type}, {"status", status}, {"reason", reason}, {"message", "because"}};
  }
  void tell(std::int64_t generation, const KubeObject& conditions) {
    kube.put_status(kube::kDatabaseMigrations, key, {{"observedGeneration", generation}, {"conditions", conditions}});
  }

  test::FakeKube kube;
  test::FakeClock clock;
  StopSource stop;
  ResourceKey key{"shop", "orders"};
  std::vector<std::string> told;
  int specs = 0;
};

TEST_F(ResourceWaitTest, PassesAtAReadyStatusOfTheNewestGeneration) {
  put();
  tell(1, KubeObject::array({condition("Ready", "True", "UpToDate")}));
  EXPECT_EQ(wait().value(), "UpToDate: because");
  put();  // another declaration: the old Ready counts for nothing
  clock.on_wait = [this](milliseconds) {
    if (clock.waits.size() == 3) {
      tell(2, KubeObject::array({condition("Ready", "True", "AheadAccepted")}));
    }
  };
  EXPECT_EQ(wait().value(), "AheadAccepted: because");
  EXPECT_EQ(clock.waits.size(), 3U);
  EXPECT_EQ(told,
            std::vector<std::string>{"waiting for DatabaseMigration shop/orders: no operator has observed generation 2 yet"});
}

TEST_F(ResourceWaitTest, WaitsForAResourceThatIsNotThereAndForAServerThatIsAway) {
  kube.fail({.verb = "get", .error = Error(ErrorCode::ApiUnreachable, "gone"), .times = 1});
  clock.on_wait = [this](milliseconds) {
    if (clock.waits.size() == 2) {
      put();
      tell(1, KubeObject::array({condition("Ready", "True", "Applied")}));
    }
  };
  EXPECT_TRUE(wait());
  EXPECT_EQ(told.size(), 2U);
}

TEST_F(ResourceWaitTest, EndsImmediatelyWhenTheResourceIsStalled) {
  put();
  tell(1, KubeObject::array({condition("Ready", "False", "StatementFailed"), condition("Stalled", "True", "StatementFailed")}));
  const auto ended = wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::NotUpToDate);
  EXPECT_EQ(ended.error().message, "DatabaseMigration shop/orders is stalled: StatementFailed: because");
  EXPECT_TRUE(clock.waits.empty());
  kube.fail({.verb = "get", .error = Error(ErrorCode::ApiForbidden, "no"), .times = 1});
  EXPECT_EQ(wait().error().code, ErrorCode::ApiForbidden);
}

TEST_F(ResourceWaitTest, EndsWhenTheTimeIsOverOrAStopComes) {
  put();
  tell(1, KubeObject::array(
              {condition("Ready", "False", "ApprovalRequired"), condition("Reconciling", "True", "ApprovalRequired")}));
  const auto ended = wait();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "DatabaseMigration shop/orders is not ready after 10s: ApprovalRequired: because");
  EXPECT_EQ(clock.waits.size(), 5U);
  stop.request();
  EXPECT_EQ(wait().error().code, ErrorCode::Interrupted);
}

}  // namespace
}  // namespace athanor::controller
