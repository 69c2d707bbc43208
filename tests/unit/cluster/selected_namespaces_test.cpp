// Which resources are served where namespaces are selected by their labels.
#include "operator/cluster/selected_namespaces.hpp"

#include <gtest/gtest.h>

#include "operator/cluster/cluster.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

const ResourceKey kOrders{"shop", "orders"};

class SelectedNamespacesTest : public testing::Test {
 protected:
  ~SelectedNamespacesTest() override {
    stop.request(StopLevel::Now);
    kube.end_watches();
    if (cluster) {
      cluster->join();
    }
  }
  void label(const std::string& name_space, const std::string& value) {
    kube.put(kube::kNamespaces, {{"metadata", {{"name", name_space}, {"labels", {{"athanor", value}}}}}});
  }
  void declare(const ResourceKey& key, const std::string& target = "head") {
    kube.put(kube::kDatabaseMigrations, {{"apiVersion", "athanor.dev/v1alpha1"},
                                         {"kind", "DatabaseMigration"},
                                         {"metadata", {{"name", key.name}, {"namespace", key.name_space}}},
                                         {"spec",
                                          {{"database", {{"url", "postgresql://db/orders"}}},
                                           {"source", {{"configMaps", {{{"name", "sql"}}}}}},
                                           {"targetRevision", target}}}});
  }
  void watch() {
    cluster = std::make_unique<Cluster>(ClusterParts{kube, clock, store, approvals, floors, queue, nullptr, nullptr, &selected},
                                        ClusterOptions(), Log());
    cluster->start(stop.token());
    ASSERT_TRUE(kube.wait_until([this] { return cluster->synced(); }));
  }
  bool served(const ResourceKey& key) {
    return kube.wait_until([&] { return store.version(key).has_value(); });
  }
  std::string reason(const ResourceKey& key) {
    const auto status = kube.find(kube::kDatabaseMigrations, key).value().value("status", KubeObject::object());
    const auto conditions = status.value("conditions", KubeObject::array());
    return conditions.empty() ? "" : conditions[0]["reason"].get<std::string>();
  }

  test::FakeKube kube;
  test::FakeClock clock;
  StopSource stop;
  WorkQueue queue{clock, 8};
  NamespaceFloors floors{{}, [](const std::string&) {}};
  ApprovalIndex approvals{[](const ResourceKey&) {}};
  ClusterStore store{kube, clock, {[](const ResourceKey&) {}, [](const ResourceKey&) {}, [] {}}, "/", Log()};
  SelectedNamespaces selected{kube, clock, store, "athanor=yes", "", Log()};
  std::unique_ptr<Cluster> cluster;
};

TEST_F(SelectedNamespacesTest, ServeTheResourcesOfNamespacesWithTheLabelsOnly) {
  label("shop", "yes");
  label("billing", "no");
  declare(kOrders);
  declare({"billing", "orders"});
  watch();
  EXPECT_TRUE(served(kOrders));
  EXPECT_EQ(store.size(), 1U);
  EXPECT_EQ(kube.count("list", "databasemigrations"), 0U) << "a namespace that is known before the first list needs no list";
  declare({"billing", "later"});
  declare({"shop", "later"});
  EXPECT_TRUE(served({"shop", "later"}));
  EXPECT_EQ(store.size(), 2U);
}

TEST_F(SelectedNamespacesTest, ServeWhatANamespaceHasOnceItGetsTheLabels) {
  declare(kOrders);
  watch();
  EXPECT_EQ(store.size(), 0U);
  kube.fail({.verb = "list", .plural = "databasemigrations", .error = Error(ErrorCode::ApiUnreachable, "gone"), .times = 2});
  label("shop", "yes");
  EXPECT_TRUE(served(kOrders));
  EXPECT_EQ(clock.waits, std::vector<milliseconds>(2, milliseconds(1'000)));
}

TEST_F(SelectedNamespacesTest, TellTheResourcesOfANamespaceThatLosesTheLabels) {
  label("shop", "yes");
  declare(kOrders);
  watch();
  ASSERT_TRUE(served(kOrders));
  label("shop", "no");
  ASSERT_TRUE(kube.wait_until([this] { return reason(kOrders) == "NotSelected"; }));
  EXPECT_EQ(store.size(), 0U);
  declare(kOrders, "a1");
  declare({"shop", "later"});
  label("shop", "yes");
  EXPECT_TRUE(served(kOrders) && served({"shop", "later"}));
  EXPECT_EQ(store.find(kOrders)->spec.target_revision, "a1");
}

TEST_F(SelectedNamespacesTest, WriteNoStatusWhenAResourceOrItsNamespaceIsDeleted) {
  label("shop", "yes");
  declare(kOrders);
  watch();
  ASSERT_TRUE(served(kOrders));
  kube.drop(kube::kDatabaseMigrations, kOrders);
  ASSERT_TRUE(kube.wait_until([this] { return store.size() == 0; }));
  kube.drop(kube::kNamespaces, {"", "shop"});
  EXPECT_EQ(kube.count("replace"), 0U);
}

// An event that arrives while the namespace is being listed may be newer than the list.
TEST_F(SelectedNamespacesTest, KeepWhatAnEventSaidDuringTheList) {
  declare(kOrders, "old");
  const KubeObject old = kube.find(kube::kDatabaseMigrations, kOrders).value();
  selected.synced();
  ASSERT_TRUE(selected.wait_until_known(stop.token()));
  kube.on_call = [&](const test::KubeCall& call) {
    if (call.verb == "list") {
      KubeObject newer = old;
      newer["spec"]["targetRevision"] = "new";
      selected.resources().applied(kOrders, newer);
    }
  };
  selected.applied({"", "shop"}, {});
  EXPECT_EQ(store.find(kOrders)->spec.target_revision, "new");
}

TEST_F(SelectedNamespacesTest, ServeNothingElseOnceANamespaceGetsTheLabels) {
  declare(kOrders);
  declare({"billing", "orders"});
  watch();
  label("shop", "yes");
  EXPECT_TRUE(served(kOrders));
  EXPECT_EQ(store.size(), 1U);
}

TEST_F(SelectedNamespacesTest, ListOnlyTheResourcesThatTheOperatorSelects) {
  KubeObject labelled = kube.put(kube::kDatabaseMigrations,
                                 {{"metadata", {{"name", "ours"}, {"namespace", "shop"}, {"labels", {{"team", "a"}}}}}});
  declare(kOrders);
  SelectedNamespaces ours(kube, clock, store, "athanor=yes", "team=a", Log());
  ours.synced();
  ASSERT_TRUE(ours.wait_until_known(stop.token()));
  ours.applied({"", "shop"}, {});
  EXPECT_EQ(store.in_namespace("shop"), (std::vector<ResourceKey>{{"shop", "ours"}}));
}

TEST_F(SelectedNamespacesTest, DropWhatAnEventDeletedDuringTheList) {
  declare(kOrders);
  selected.synced();
  ASSERT_TRUE(selected.wait_until_known(stop.token()));
  kube.on_call = [&](const test::KubeCall& call) {
    if (call.verb == "list") {
      selected.resources().deleted(kOrders);
    }
  };
  selected.applied({"", "shop"}, {});
  EXPECT_EQ(store.size(), 0U);
}

// What events said during an earlier list, or after it, is no reason to pass over an object in the next one.
TEST_F(SelectedNamespacesTest, ServeAgainWhatAnEventHadNamedBefore) {
  declare(kOrders);
  const KubeObject object = kube.find(kube::kDatabaseMigrations, kOrders).value();
  selected.synced();
  ASSERT_TRUE(selected.wait_until_known(stop.token()));
  const auto tell = [&] { selected.resources().applied(kOrders, object); };
  const auto select_again = [&] {
    kube.on_call = {};
    selected.deleted({"", "shop"});
    ASSERT_EQ(store.size(), 0U);
    selected.applied({"", "shop"}, {});
    EXPECT_EQ(store.size(), 1U);
  };
  kube.on_call = [&](const test::KubeCall& call) {
    if (call.verb == "list") {
      tell();
    }
  };
  selected.applied({"", "shop"}, {});
  select_again();
  tell();
  select_again();
}

TEST_F(SelectedNamespacesTest, ListNothingAfterAStop) {
  declare(kOrders);
  selected.synced();
  ASSERT_TRUE(selected.wait_until_known(stop.token()));
  stop.request(StopLevel::Now);
  selected.applied({"", "shop"}, {});
  EXPECT_EQ(kube.count("list"), 0U);
}

}  // namespace
}  // namespace athanor::controller
