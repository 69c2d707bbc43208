// Statuses of resources that change, go, or are made anew while they are worked on.
#include <gtest/gtest.h>

#include "operator/api/status_limits.hpp"
#include "operator/cluster/cluster_store.hpp"
#include "tests/cluster/resources/resource_on_cluster.hpp"
#include "tests/unit/operator/overlong_status.hpp"

namespace athanor::controller {
namespace {

class StatusClusterTest : public ResourceOnCluster {
 protected:
  void SetUp() override {
    ResourceOnCluster::SetUp();
    if (!HasFatalFailure()) {
      store_ = std::make_unique<ClusterStore>(
          *client_, clock_, ClusterStore::Listener{[](const ResourceKey&) {}, [](const ResourceKey&) {}, [] {}}, "/", Log());
      store_->applied(resource_.key(), object_);
    }
  }
  Result<void> write(const std::string& revision) {
    DatabaseMigrationStatus status;
    status.observed_generation = 1;
    status.current_revision = revision;
    return store_->write_status(resource_.key(), status);
  }
  KubeObject read() { return client_->get(kube::kDatabaseMigrations, name_space_, "orders").value(); }

  std::unique_ptr<ClusterStore> store_;
};

TEST_F(StatusClusterTest, GoesOntoNoResourceThatWasMadeAnew) {
  ASSERT_TRUE(client_->remove(kube::kDatabaseMigrations, name_space_, "orders"));
  const std::string old_uid = resource_.metadata.uid;
  ASSERT_NO_FATAL_FAILURE(make_resource());
  ASSERT_NE(resource_.metadata.uid, old_uid);
  const auto written = write("a1");
  EXPECT_TRUE(written) << written.error().describe();
  EXPECT_FALSE(read()["status"].contains("currentRevision")) << read()["status"];
}

TEST_F(StatusClusterTest, OfAResourceThatIsGoneIsNobodysBusiness) {
  ASSERT_TRUE(client_->remove(kube::kDatabaseMigrations, name_space_, "orders"));
  const auto written = write("a1");
  EXPECT_TRUE(written) << written.error().describe();
}

TEST_F(StatusClusterTest, IsWrittenBesideAChangeOfTheSpec) {
  ASSERT_TRUE(client_->patch(kube::kDatabaseMigrations, name_space_, "orders", {{"spec", {{"suspend", true}}}}, {}));
  const auto written = write("a1");
  ASSERT_TRUE(written) << written.error().describe();
  ASSERT_TRUE(write("a2"));
  EXPECT_EQ(read()["status"]["currentRevision"], "a2");
  EXPECT_EQ(read()["spec"]["suspend"], true);
}

TEST_F(StatusClusterTest, IsTakenHoweverMuchThereIsToTell) {
  DatabaseMigrationStatus status = sketch::overlong_status();
  const auto refused = store_->write_status(resource_.key(), status);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::ApiInvalid) << refused.error().describe();
  fit(status);
  const auto written = store_->write_status(resource_.key(), status);
  ASSERT_TRUE(written) << written.error().describe();
  EXPECT_EQ(read()["status"]["currentRevisions"].size(), 256U);
}

}  // namespace
}  // namespace athanor::controller
