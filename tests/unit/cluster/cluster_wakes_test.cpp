// Who is looked at when something on the cluster changes.
#include <gtest/gtest.h>

#include <future>

#include "operator/cluster/cluster.hpp"
#include "operator/jobs/job_manifest.hpp"
#include "operator/sources/flux_source.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

KubeObject job(const std::string& name, const std::string& owner) {
  const KubeObject reference = {{"kind", "DatabaseMigration"}, {"name", owner}, {"uid", "u-1"}};
  return {{"metadata",
           {{"name", name},
            {"namespace", "shop"},
            {"labels", {{kMigrationLabel, owner}}},
            {"ownerReferences", KubeObject::array({reference})}}}};
}

const ResourceType kRepositories = flux_types().front();

class ClusterWakesTest : public testing::Test {
 protected:
  void watch() {
    ClusterOptions options;
    options.jobs = true;
    options.flux = {kRepositories};
    cluster = std::make_unique<Cluster>(ClusterParts{kube, clock, store, approvals, floors, queue}, options, Log());
    cluster->start(stop.token());
  }
  ~ClusterWakesTest() override {
    stop.request(StopLevel::Now);
    kube.end_watches();
    cluster->join();
  }
  // Whether this resource comes next.
  bool woken(const std::string& name) {
    std::optional<ResourceKey> key;
    const bool came = kube.wait_until([&] { return (key = queue.try_get()).has_value(); });
    if (came) {
      queue.done(*key);
    }
    return came && *key == ResourceKey{"shop", name};
  }

  test::FakeKube kube;
  test::FakeClock clock;
  StopSource stop;
  WorkQueue queue{clock, 8};
  NamespaceFloors floors{{}, [](const std::string&) {}};
  ApprovalIndex approvals{[this](const ResourceKey& key) { queue.add(key); }};
  ClusterStore store{kube, clock, {[](const ResourceKey&) {}, [](const ResourceKey&) {}, [] {}}, "/", Log()};
  std::unique_ptr<Cluster> cluster;
};

TEST_F(ClusterWakesTest, WakesTheOwnerOfAJobThatIsMadeAndOfOneThatIsDeleted) {
  watch();
  ASSERT_TRUE(kube.wait_until([this] { return cluster->synced(); }));
  kube.put(kube::kJobs, job("orders-1", "orders"));
  EXPECT_TRUE(woken("orders"));
  kube.put(kube::kJobs, job("billing-1", "billing"));
  EXPECT_TRUE(woken("billing"));
  kube.drop(kube::kJobs, {"shop", "orders-1"});
  EXPECT_TRUE(woken("orders"));
}

// The kind is missing twice and refused once; each time the clock moves on by the pause.
TEST_F(ClusterWakesTest, WatchesAKindThatComesLaterAndDoesNotWaitForItBefore) {
  kube.fail(
      {.verb = "list", .plural = kRepositories.plural, .error = Error(ErrorCode::ApiNotFound, "no such kind"), .times = 2});
  kube.fail({.verb = "list", .plural = kRepositories.plural, .error = Error(ErrorCode::ApiForbidden, "no")});
  std::promise<void> installed;
  clock.on_wait = [&, gate = installed.get_future().share()](milliseconds) { gate.wait(); };
  kube.put(kube::kDatabaseMigrations,
           {{"metadata", {{"name", "orders"}, {"namespace", "shop"}}},
            {"spec",
             {{"database", {{"url", "postgresql://db/orders"}}},
              {"source", {{"fluxRef", {{"kind", kRepositories.kind}, {"name", "app"}, {"path", "db"}}}}}}}});
  watch();
  ASSERT_TRUE(kube.wait_until([this] { return cluster->synced() && store.size() == 1; }));
  EXPECT_FALSE(queue.try_get()) << "the store's listener wakes nobody here";
  installed.set_value();
  kube.put(kRepositories, {{"metadata", {{"name", "app"}, {"namespace", "shop"}}}});
  EXPECT_TRUE(woken("orders"));
  EXPECT_EQ(clock.waits, std::vector<milliseconds>(3, std::chrono::minutes(5)));
}

}  // namespace
}  // namespace athanor::controller
