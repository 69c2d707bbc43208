#include "operator/cluster/status_withdrawals.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

const ResourceKey kOrders{"shop", "orders"};

class StatusWithdrawalsTest : public testing::Test {
 protected:
  StatusWithdrawalsTest() {
    KubeObject object{
        {"apiVersion", "athanor.dev/v1alpha1"},
        {"kind", "DatabaseMigration"},
        {"metadata", {{"name", "orders"}, {"namespace", "shop"}, {"generation", 1}}},
        {"spec", {{"database", {{"url", "postgresql://db/orders"}}}, {"source", {{"configMaps", {{{"name", "sql"}}}}}}}}};
    store.applied(kOrders, kube.put(kube::kDatabaseMigrations, object));
    DatabaseMigrationStatus status;
    status.observed_generation = store.find(kOrders)->metadata.generation;
    status.source = SourceStatus{"configMaps", "sql@7, more@8", 2, ""};
    status.pending_count = 0;
    set_condition(status.conditions, {ConditionType::Ready, ConditionStatus::True, Reason::UpToDate, "fine", "", 1}, "");
    EXPECT_TRUE(store.write_status(kOrders, status));
    of_the_old_source = status;
  }
  [[nodiscard]] bool becomes_unready() const {
    for (int tries = 0; ready() && tries < 200; ++tries) {
      pass_time();
    }
    return !ready();
  }
  [[nodiscard]] bool ready() const { return store.find(kOrders)->ready(); }
  void pass_time() const { std::this_thread::sleep_for(std::chrono::milliseconds(60)); }

  DatabaseMigrationStatus of_the_old_source;
  SystemClock clock;
  test::FakeKube kube;
  ClusterStore store{kube, clock, {[](const ResourceKey&) {}, [](const ResourceKey&) {}, [] {}}, "/", Log()};
  WorkQueue queue{clock, 8};
  StatusWithdrawals withdrawals{store, queue, clock, Log()};
};

TEST_F(StatusWithdrawalsTest, WithdrawsAStatusOfAnotherVersionWhetherAWorkerComesOrNot) {
  withdrawals.noticed(kOrders, {"more", "more@9"});
  EXPECT_TRUE(becomes_unready());
  const auto resource = store.find(kOrders);
  EXPECT_TRUE(is_true(resource->status.conditions, ConditionType::Reconciling));
  EXPECT_EQ(resource->status.pending_count, std::nullopt);
}

TEST_F(StatusWithdrawalsTest, FollowsOnlyTheNewestVersionOfAnObject) {
  queue.add(kOrders);
  ASSERT_TRUE(queue.try_get());
  withdrawals.noticed(kOrders, {"more", "more@9"});
  EXPECT_TRUE(becomes_unready());
  withdrawals.noticed(kOrders, {"more", "more@10"});
  DatabaseMigrationStatus status = of_the_old_source;
  status.source->revision = "sql@7, more@10";
  ASSERT_TRUE(store.write_status(kOrders, status));  // the outcome of that worker
  for (int tries = 0; tries < 5; ++tries) {
    pass_time();
    EXPECT_TRUE(ready());
  }
  queue.done(kOrders);
}

TEST_F(StatusWithdrawalsTest, QueuesTheResourceOfAWithdrawnStatus) {
  withdrawals.noticed(kOrders, {"more", "more@9"});
  EXPECT_TRUE(becomes_unready());
  auto queued = queue.try_get();
  for (int tries = 0; !queued && tries < 200; ++tries) {
    pass_time();
    queued = queue.try_get();
  }
  EXPECT_EQ(queued, kOrders);
}

TEST_F(StatusWithdrawalsTest, LeavesAStatusOfThisVersion) {
  withdrawals.noticed(kOrders, {"more", "more@8"});
  pass_time();
  EXPECT_TRUE(ready());
}

TEST_F(StatusWithdrawalsTest, ChecksAgainWhenAWorkerHasReadTheSourceBeforeItChanged) {
  queue.add(kOrders);
  ASSERT_TRUE(queue.try_get());
  withdrawals.noticed(kOrders, {"more", "more@9"});
  EXPECT_TRUE(becomes_unready());
  ASSERT_TRUE(store.write_status(kOrders, of_the_old_source));  // the outcome of that worker
  EXPECT_TRUE(becomes_unready());
  queue.done(kOrders);
}

TEST_F(StatusWithdrawalsTest, WritesNothingWithoutTheLease) {
  store.set_fence([] { return false; });
  withdrawals.noticed(kOrders, {"more", "more@9"});
  pass_time();
  EXPECT_TRUE(ready());
}

TEST_F(StatusWithdrawalsTest, DropsAWriteThatLostARace) {
  const auto read = store.find(kOrders).value();
  kube.put_status(kube::kDatabaseMigrations, kOrders, {{"currentRevision", "a9"}});
  EXPECT_EQ(store.write_status_of(read, read.status).error().code, ErrorCode::ApiConflict);
  EXPECT_EQ(kube.find(kube::kDatabaseMigrations, kOrders).value()["status"]["currentRevision"], "a9");
}

TEST_F(StatusWithdrawalsTest, LeavesAResourceThatIsSuspendedOrBeingDeleted) {
  const KubeObject object = kube.find(kube::kDatabaseMigrations, kOrders).value();
  KubeObject suspended = object;
  suspended["spec"]["suspend"] = true;
  KubeObject deleting = object;
  deleting["metadata"]["deletionTimestamp"] = "2026-11-21T02:10:00Z";
  for (const KubeObject& each : {suspended, deleting}) {
    store.applied(kOrders, each);
    ASSERT_TRUE(ready());
    withdrawals.noticed(kOrders, {"more", "more@9"});
    pass_time();
    EXPECT_TRUE(ready()) << each.dump();
  }
}

TEST_F(StatusWithdrawalsTest, LeavesAStatusThatNamesOnlyADigest) {
  DatabaseMigrationStatus status = of_the_old_source;
  status.source->revision = "40 ConfigMaps, sha256:0123";
  ASSERT_TRUE(store.write_status(kOrders, status));
  withdrawals.noticed(kOrders, {"more", "more@9"});
  pass_time();
  EXPECT_TRUE(ready());
}

TEST_F(StatusWithdrawalsTest, FollowsEachObjectOfASource) {
  queue.add(kOrders);
  ASSERT_TRUE(queue.try_get());
  withdrawals.noticed(kOrders, {"more", "more@9"});
  EXPECT_TRUE(becomes_unready());
  withdrawals.noticed(kOrders, {"sql", "sql@7"});
  ASSERT_TRUE(store.write_status(kOrders, of_the_old_source));
  EXPECT_TRUE(becomes_unready()) << "the version of another object says nothing about this one";
  queue.done(kOrders);
}

}  // namespace
}  // namespace athanor::controller
