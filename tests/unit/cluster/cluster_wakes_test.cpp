// Who is looked at when something on the cluster changes.
#include <gtest/gtest.h>

#include "operator/cluster/cluster.hpp"
#include "operator/cluster/job_manifest.hpp"
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

class ClusterWakesTest : public testing::Test {
 protected:
  ClusterWakesTest() {
    ClusterOptions options;
    options.jobs = true;
    cluster = std::make_unique<Cluster>(ClusterParts{kube, clock, store, approvals, queue}, options, Log());
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
  WorkQueue queue{clock, BackOff{}, 8};
  ApprovalBook approvals{[this](const ResourceKey& key) { queue.add(key); }};
  ClusterStore store{kube, clock, {[](const ResourceKey&) {}, [](const ResourceKey&) {}, [] {}}, "/", Log()};
  std::unique_ptr<Cluster> cluster;
};

TEST_F(ClusterWakesTest, WakesTheOwnerOfAJobThatIsMadeAndOfOneThatIsDeleted) {
  cluster->start(stop.token());
  ASSERT_TRUE(kube.wait_until([this] { return cluster->synced(); }));
  kube.put(kube::kJobs, job("orders-1", "orders"));
  EXPECT_TRUE(woken("orders"));
  kube.put(kube::kJobs, job("billing-1", "billing"));
  EXPECT_TRUE(woken("billing"));
  kube.drop(kube::kJobs, {"shop", "orders-1"});
  EXPECT_TRUE(woken("orders"));
}

}  // namespace
}  // namespace athanor::controller
