#include "operator/cluster/plan_config_maps.hpp"

#include <gtest/gtest.h>

#include "migrations/base/sha256.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

const std::string kHash(64, 'c');
const std::string kNext(64, 'd');

class PlanConfigMapsTest : public testing::Test {
 protected:
  PlanConfigMapsTest() {
    resource.metadata.uid = "u-1";
    plan = sketch::snapshot({sketch::revision("a1", "", "DROP TABLE old;")})->plan(Direction::Upgrade, {}, {"head"}).value();
  }
  // What the informer tells of every ConfigMap there is.
  void look() {
    for (const auto& object : kube.all(kube::kConfigMaps)) {
      texts.applied({"shop", object["metadata"]["name"]}, object);
    }
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& object : kube.all(kube::kConfigMaps)) {
      names.push_back(object["metadata"]["name"]);
    }
    return names;
  }

  test::FakeKube kube;
  PlanConfigMaps texts{kube};
  DatabaseMigration resource = sketch::resource();
  std::shared_ptr<const Plan> plan;
};

TEST_F(PlanConfigMapsTest, HoldThePlanUnderItsHashForItsResource) {
  const auto published = texts.publish(resource, *plan, kHash);
  ASSERT_TRUE(published) << published.error().describe();
  EXPECT_EQ(published->command, "kubectl get configmap -n shop orders-plan-cccccccccccc -o go-template='{{.data.sql}}'");
  const KubeObject made = kube.find(kube::kConfigMaps, {"shop", "orders-plan-cccccccccccc"}).value();
  EXPECT_EQ(sha256_hex(made["data"]["sql"].get<std::string>()), published->sha256);
  EXPECT_NE(made["data"]["sql"].get<std::string>().find("DESTRUCTIVE\nDROP TABLE old;"), std::string::npos);
  EXPECT_EQ(made["immutable"], true);
  EXPECT_EQ(made["metadata"]["ownerReferences"][0]["uid"], "u-1");
  EXPECT_EQ(made["metadata"]["labels"][kPlanOfLabel], "orders");
  EXPECT_EQ(made["metadata"]["labels"][kPlanLabel], std::string(40, 'c'));
  look();
  kube.forget_calls();
  EXPECT_TRUE(texts.publish(resource, *plan, kHash));
  EXPECT_TRUE(kube.calls().empty()) << "it is there";
}

TEST_F(PlanConfigMapsTest, GoWhenThereIsAnotherPlanOrNone) {
  ASSERT_TRUE(texts.publish(resource, *plan, kHash));
  ASSERT_TRUE(texts.publish(resource, *plan, kNext));  // before the watch told of anything
  EXPECT_EQ(names(), std::vector<std::string>{"orders-plan-dddddddddddd"});
  look();
  texts.remove(resource);
  EXPECT_TRUE(names().empty());
  texts.deleted({"shop", "orders-plan-dddddddddddd"});
  kube.forget_calls();
  texts.remove(resource);
  EXPECT_TRUE(kube.calls().empty());
}

TEST_F(PlanConfigMapsTest, AreThoseOfAnOperatorBeforeThisOne) {
  ASSERT_TRUE(texts.publish(resource, *plan, kHash));
  PlanConfigMaps restarted(kube);
  const std::string before = kube.version();
  ASSERT_TRUE(restarted.publish(resource, *plan, kHash));
  EXPECT_EQ(kube.version(), before) << "nothing is written";
  for (const auto& object : kube.all(kube::kConfigMaps)) {
    restarted.applied({"shop", object["metadata"]["name"]}, object);
  }
  restarted.remove(resource);
  EXPECT_TRUE(names().empty());
}

TEST_F(PlanConfigMapsTest, ReplaceAForeignConfigMapOfTheirName) {
  const KubeObject forged = {{"metadata", {{"name", "orders-plan-cccccccccccc"}, {"namespace", "shop"}}},
                             {"data", {{"sql", "SELECT 'harmless';"}}}};
  kube.put(kube::kConfigMaps, forged);
  ASSERT_TRUE(texts.publish(resource, *plan, kHash));
  const auto text = [this] {
    return kube.find(kube::kConfigMaps, {"shop", "orders-plan-cccccccccccc"}).value()["data"]["sql"].get<std::string>();
  };
  EXPECT_NE(text().find("DROP TABLE old;"), std::string::npos);
  look();

  kube.drop(kube::kConfigMaps, {"shop", "orders-plan-cccccccccccc"});
  kube.put(kube::kConfigMaps, forged);
  look();  // it is none of ours any more
  ASSERT_TRUE(texts.publish(resource, *plan, kHash));
  EXPECT_NE(text().find("DROP TABLE old;"), std::string::npos);
}

TEST_F(PlanConfigMapsTest, AreSplitBelowTheLimitOfOne) {
  std::string body;
  for (int number = 0; number < 5'000; ++number) {
    body += "INSERT INTO t VALUES ('" + std::string(400, 'x') + "');\n";
  }
  plan = sketch::snapshot({sketch::revision("a1", "", body)})->plan(Direction::Upgrade, {}, {"head"}).value();
  const auto published = texts.publish(resource, *plan, kHash);
  ASSERT_TRUE(published) << published.error().describe();
  EXPECT_EQ(names(), (std::vector<std::string>{"orders-plan-cccccccccccc-01", "orders-plan-cccccccccccc-02",
                                               "orders-plan-cccccccccccc-03"}));
  std::string whole;
  for (const auto& object : kube.all(kube::kConfigMaps)) {
    whole += object["data"]["sql"].get<std::string>();
    EXPECT_LT(object.dump().size(), std::size_t{1} << 20U);
  }
  EXPECT_EQ(sha256_hex(whole), published->sha256);
  EXPECT_EQ(published->command, "kubectl get configmap -n shop -l athanor.dev/plan=" + std::string(40, 'c') +
                                    " -o go-template='{{range .items}}{{.data.sql}}{{end}}'");
}

TEST_F(PlanConfigMapsTest, FailWhereTheyMayNotBeMade) {
  kube.fail({.verb = "create", .plural = "configmaps", .error = Error(ErrorCode::ApiForbidden, "no")});
  EXPECT_EQ(texts.publish(resource, *plan, kHash).error().code, ErrorCode::ApiForbidden);
  EXPECT_TRUE(texts.publish(resource, *plan, kHash)) << "tried again";
}

}  // namespace
}  // namespace athanor::controller
