#include "operator/cluster/cluster_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "operator/cluster/event_reporter.hpp"
#include "operator/cluster/namespace_floors.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

const ResourceKey kOrders{"shop", "orders"};
const ResourceKey kCopy{"shop", "copy"};

KubeObject migration(const ResourceKey& key, const std::string& target = "head",
                     const std::string& created = "2026-11-21T08:00:00Z") {
  return {{"apiVersion", "athanor.dev/v1alpha1"},
          {"kind", "DatabaseMigration"},
          {"metadata", {{"name", key.name}, {"namespace", key.name_space}, {"creationTimestamp", created}}},
          {"spec",
           {{"database", {{"url", "postgresql://db/orders"}}},
            {"source", {{"configMaps", {{{"name", "sql"}}}}}},
            {"targetRevision", target}}}};
}

class ClusterStoreTest : public testing::Test {
 protected:
  // What an informer would do with what the server holds now.
  void tell(const ResourceKey& key) { store.applied(key, kube.find(kube::kDatabaseMigrations, key).value()); }
  void put(const ResourceKey& key, const std::string& target = "head", const std::string& created = "2026-11-21T08:00:00Z") {
    auto object = kube.put(kube::kDatabaseMigrations, migration(key, target, created));
    object["metadata"]["creationTimestamp"] = created;  // the server would stamp its own
    store.applied(key, object);
  }
  void put_older_orders_and_younger_copy() {
    put(kOrders, "head", "2026-11-21T08:00:00Z");
    put(kCopy, "head", "2026-11-21T09:00:00Z");
  }
  DatabaseMigrationStatus status(const std::string& revision) const {
    DatabaseMigrationStatus status;
    status.observed_generation = 1;
    status.current_revision = revision;
    return status;
  }
  // A look: at the place it declares, on a server that calls the version table this.
  std::string claim(const ResourceKey& key, const std::string& identity = "1/orders#public.alembic_version") {
    return store.claim(store.find(key).value(), {"db:5432/orders", identity});
  }

  test::FakeKube kube;
  test::FakeClock clock;
  std::vector<std::string> woken;
  std::vector<std::string> removed;
  ClusterStore store{kube,
                     clock,
                     {[this](const ResourceKey& key) { woken.push_back(key.text()); },
                      [this](const ResourceKey& key) { removed.push_back(key.text()); }, [] {}},
                     "/revisions",
                     Log()};
};

TEST_F(ClusterStoreTest, KeepsTheDeclarationAndWakesItsResource) {
  put(kOrders, "a1");
  const auto resource = store.find(kOrders);
  ASSERT_TRUE(resource);
  EXPECT_EQ(resource->spec.target_revision, "a1");
  EXPECT_EQ(resource->spec.source.config_maps, std::vector<std::string>{"sql"});
  EXPECT_EQ(resource->folder, "/revisions");
  EXPECT_EQ(woken, std::vector<std::string>{"shop/orders"});
}

TEST_F(ClusterStoreTest, IsNotWokenByItsOwnStatus) {
  put(kOrders);
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  tell(kOrders);
  EXPECT_EQ(woken.size(), 1U);
  EXPECT_EQ(store.find(kOrders)->status.current_revision, "a1");
}

TEST_F(ClusterStoreTest, KnowsWhenADeclarationWasMade) {
  clock.advance(std::chrono::seconds(10));
  put({"shop", "orders"});
  const SteadyTime reported = clock.steady_now();
  clock.advance(std::chrono::seconds(10));
  ASSERT_TRUE(store.write_status({"shop", "orders"}, status("a1")));
  tell({"shop", "orders"});
  EXPECT_EQ(store.find({"shop", "orders"})->known_since, reported);
  put({"shop", "orders"}, "a2");
  EXPECT_EQ(store.find({"shop", "orders"})->known_since, clock.steady_now());
}

TEST_F(ClusterStoreTest, IsWokenByASpecALabelOrAnAnnotation) {
  put(kOrders, "a1");
  put(kOrders, "a2");
  auto object = kube.find(kube::kDatabaseMigrations, kOrders).value();
  object["metadata"]["annotations"] = {{"athanor.dev/retry-now", "1"}};
  kube.put(kube::kDatabaseMigrations, object);
  tell(kOrders);
  EXPECT_EQ(woken.size(), 3U);
  object["metadata"]["labels"] = {{"team", "shop"}};
  kube.put(kube::kDatabaseMigrations, object);
  tell(kOrders);
  EXPECT_EQ(woken.size(), 4U);
}

TEST_F(ClusterStoreTest, WritesTheStatusAloneAndDropsWhatIsNoLongerSaid) {
  put(kOrders);
  auto failed = status("a1");
  failed.next_retry = "2026-11-21T09:00:00+00:00";
  ASSERT_TRUE(store.write_status(kOrders, failed));
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  const auto object = kube.find(kube::kDatabaseMigrations, kOrders).value();
  EXPECT_EQ(object["status"]["currentRevision"], "a1");
  EXPECT_FALSE(object["status"].contains("nextRetryTime"));
  EXPECT_EQ(object["spec"], migration(kOrders)["spec"]);
  EXPECT_EQ(kube.calls().back().subresource, "status");
  EXPECT_EQ(kube.calls().back().body["metadata"]["uid"], object["metadata"]["uid"]);
}

TEST_F(ClusterStoreTest, PassesOverAStatusForAResourceThatIsGone) {
  put(kOrders);
  kube.drop(kube::kDatabaseMigrations, kOrders);
  EXPECT_TRUE(store.write_status(kOrders, status("a1")));
}

TEST_F(ClusterStoreTest, WritesNoStatusToARecreatedResource) {
  put(kOrders);
  kube.drop(kube::kDatabaseMigrations, kOrders);
  kube.put(kube::kDatabaseMigrations, migration(kOrders));
  EXPECT_TRUE(store.write_status(kOrders, status("a1"))) << "nobody waits for it";
  EXPECT_FALSE(kube.find(kube::kDatabaseMigrations, kOrders)->contains("status"));
  EXPECT_EQ(store.find(kOrders)->status.current_revision, "");
}

TEST_F(ClusterStoreTest, WritesAStatusBesideAChangeOfTheSpec) {
  put(kOrders);
  kube.put(kube::kDatabaseMigrations, migration(kOrders, "a2"));
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  const auto object = kube.find(kube::kDatabaseMigrations, kOrders).value();
  EXPECT_EQ(object["status"]["currentRevision"], "a1");
  EXPECT_EQ(object["spec"]["targetRevision"], "a2");
}

TEST_F(ClusterStoreTest, WritesOneStatusAfterTheOtherWithoutReading) {
  put(kOrders);
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  ASSERT_TRUE(store.write_status(kOrders, status("a2")));  // the informer has told nothing yet
  EXPECT_EQ(kube.count("get"), 0U);
  EXPECT_EQ(kube.count("update"), 2U);
}

TEST_F(ClusterStoreTest, ReportsAResourceThatKeepsChanging) {
  put(kOrders);
  kube.fail({.verb = "update", .error = Error(ErrorCode::ApiConflict, "the object has been modified"), .times = 100});
  EXPECT_EQ(store.write_status(kOrders, status("a1")).error().code, ErrorCode::ApiConflict);
}

TEST_F(ClusterStoreTest, ReportsWhyAStatusCannotBeWritten) {
  put(kOrders);
  kube.fail({.verb = "update", .error = Error(ErrorCode::ApiUnreachable, "gone")});
  const auto written = store.write_status(kOrders, status("a1"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::ApiUnreachable);
}

TEST_F(ClusterStoreTest, GivesTheDatabaseToTheOlderOfTwoResources) {
  put_older_orders_and_younger_copy();
  EXPECT_EQ(claim(kCopy), "");  // it came first, and nobody else has said anything yet
  woken.clear();
  EXPECT_EQ(claim(kOrders), "");
  EXPECT_EQ(woken, std::vector<std::string>{"shop/copy"});  // to learn that it lost
  EXPECT_EQ(store.lost_to(kCopy), "shop/orders");           // whatever it has begun to prepare
  EXPECT_EQ(store.lost_to(kOrders), "");
  EXPECT_EQ(claim(kCopy), "shop/orders");
}

TEST_F(ClusterStoreTest, LetsTwoDatabasesBeWhateverTheyAreCalled) {
  put_older_orders_and_younger_copy();
  EXPECT_EQ(claim(kOrders, "1/orders#public.alembic_version"), "");
  EXPECT_EQ(claim(kCopy, "2/orders#public.alembic_version"), "");  // a copy of the server, under its own name
}

TEST_F(ClusterStoreTest, ARestartOfTheServerAdmitsNoRefusedResource) {
  put_older_orders_and_younger_copy();
  (void)claim(kOrders, "1");
  EXPECT_EQ(claim(kCopy, "1"), "shop/orders");
  woken.clear();
  EXPECT_EQ(claim(kCopy, "2"), "shop/orders");  // nobody knows yet where the other one is now
  EXPECT_NE(std::ranges::find(woken, "shop/orders"), woken.end());
  EXPECT_EQ(claim(kCopy, "2"), "shop/orders");
  woken.clear();
  EXPECT_EQ(claim(kOrders, "2"), "");
  EXPECT_NE(std::ranges::find(woken, "shop/copy"), woken.end());
  EXPECT_EQ(claim(kCopy, "2"), "shop/orders");
}

TEST_F(ClusterStoreTest, AResourceOnAnotherServerAfterTheRestartBlocksNobody) {
  put_older_orders_and_younger_copy();
  (void)claim(kOrders, "1");
  EXPECT_EQ(claim(kCopy, "1"), "shop/orders");
  EXPECT_EQ(claim(kCopy, "2"), "shop/orders");
  woken.clear();
  EXPECT_EQ(claim(kOrders, "1"), "");  // it is the younger's host name that leads elsewhere now
  EXPECT_EQ(woken, std::vector<std::string>{"shop/copy"});
  EXPECT_EQ(claim(kCopy, "2"), "");
}

TEST_F(ClusterStoreTest, AResourceMovedToItsOwnDatabaseIsAdmitted) {
  put_older_orders_and_younger_copy();
  (void)claim(kOrders, "1");
  EXPECT_EQ(claim(kCopy, "1"), "shop/orders");
  EXPECT_EQ(store.claim(store.find(kCopy).value(), {"db:5432/copy", "3"}), "");
}

TEST_F(ClusterStoreTest, ARestartOfTheOperatorAdmitsNoRefusedResource) {
  put_older_orders_and_younger_copy();
  auto refused = kube.find(kube::kDatabaseMigrations, kCopy).value();
  refused["metadata"]["creationTimestamp"] = "2026-11-21T09:00:00Z";
  refused["metadata"]["generation"] = 1;
  refused["status"] = {{"observedGeneration", 1},
                       {"conditions",
                        {{{"type", "Ready"},
                          {"status", "False"},
                          {"reason", "DatabaseClaimed"},
                          {"message", "the database is already managed by shop/orders"},
                          {"lastTransitionTime", "2026-11-21T09:00:00Z"},
                          {"observedGeneration", 1}}}}};
  store.applied(kCopy, refused);
  EXPECT_EQ(claim(kCopy), "shop/orders");
  EXPECT_EQ(woken.back(), "shop/orders");
  store.deleted(kOrders);
  EXPECT_EQ(woken.back(), "shop/copy");
  EXPECT_EQ(claim(kCopy), "");
}

TEST_F(ClusterStoreTest, DoesNotLetASuspendedResourceKeepTheDatabaseFromAnother) {
  put_older_orders_and_younger_copy();
  (void)claim(kOrders);
  EXPECT_EQ(claim(kCopy), "shop/orders");
  auto suspended = kube.find(kube::kDatabaseMigrations, kOrders).value();
  suspended["spec"]["suspend"] = true;
  store.applied(kOrders, suspended);
  EXPECT_EQ(woken.back(), "shop/copy");
  EXPECT_EQ(claim(kCopy), "");
}

TEST_F(ClusterStoreTest, ARecreatedResourceHasNoClaimUntilItsDatabaseIsKnown) {
  put_older_orders_and_younger_copy();
  (void)claim(kOrders);
  EXPECT_EQ(claim(kCopy), "shop/orders");
  auto anew = migration(kOrders, "head", "2026-11-21T08:00:00Z");
  anew["metadata"]["uid"] = "another";
  store.applied(kOrders, anew);
  EXPECT_EQ(claim(kCopy), "");
}

TEST_F(ClusterStoreTest, HandsTheDatabaseOnWhenItsOwnerGoes) {
  put_older_orders_and_younger_copy();
  (void)claim(kOrders);
  (void)claim(kCopy);
  woken.clear();
  store.deleted(kOrders);
  EXPECT_EQ(removed, std::vector<std::string>{"shop/orders"});
  EXPECT_EQ(woken, std::vector<std::string>{"shop/copy"});
  EXPECT_EQ(claim(kCopy), "");
}

TEST_F(ClusterStoreTest, KnowsWhoNamesAConfigMap) {
  put(kOrders);
  EXPECT_EQ(store.naming("ConfigMap shop/sql"), std::vector<ResourceKey>{kOrders});
  EXPECT_TRUE(store.naming("ConfigMap other/sql").empty());
  store.deleted(kOrders);
  EXPECT_TRUE(store.naming("ConfigMap shop/sql").empty());
}

TEST_F(ClusterStoreTest, ForgetsTheConfigMapThatAResourceNoLongerNames) {
  put(kOrders);
  KubeObject object = kube.find(kube::kDatabaseMigrations, kOrders).value();
  object["spec"]["source"]["configMaps"] = KubeObject::array({{{"name", "other"}}});
  store.applied(kOrders, object);
  EXPECT_TRUE(store.naming("ConfigMap shop/sql").empty());
  EXPECT_EQ(store.naming("ConfigMap shop/other"), std::vector<ResourceKey>{kOrders});
}

TEST_F(ClusterStoreTest, ShowsTheStatusThatItWroteBeforeTheWatchDoes) {
  put(kOrders);
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  store.for_each([](const ResourceKey&, const StatusDigest& digest) { EXPECT_EQ(digest.current, "a1"); });
}

TEST_F(ClusterStoreTest, StallsAResourceThatCannotBeRead) {
  auto object = migration(kOrders);
  object["spec"]["database"] = {{"host", "db"}};
  kube.put(kube::kDatabaseMigrations, object);
  tell(kOrders);
  const auto refusal = store.refusal(kOrders);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, Reason::InvalidManifest);
  EXPECT_NE(refusal->message.find("spec.database.name"), std::string::npos) << refusal->message;
  put(kOrders);
  EXPECT_FALSE(store.refusal(kOrders));
}

TEST(EventOf, ReportsWhatHappenedAndNotThatNothingDid) {
  Outcome outcome;
  outcome.kind = Verdict::Kind::Done;
  outcome.reason = Reason::UpToDate;
  EXPECT_FALSE(event_of(outcome, true));
  outcome.reason = Reason::Applied;
  outcome.message = "the database is at a3";
  EXPECT_EQ(event_of(outcome, true)->reason, "Applied");
  EXPECT_EQ(event_of(outcome, true)->note, "the database is at a3");
  outcome.kind = Verdict::Kind::Stalled;
  outcome.reason = Reason::StatementFailed;
  EXPECT_EQ(event_of(outcome, true)->type, EventType::Warning);
  outcome.repeated = true;
  EXPECT_FALSE(event_of(outcome, true));
}

TEST(EventOf, ReportsABackupThatWasTakenAndOneThatFailedUnrequired) {
  Outcome outcome;
  outcome.kind = Verdict::Kind::Done;
  outcome.reason = Reason::Applied;
  EXPECT_FALSE(backup_event_of(outcome));
  outcome.review.emplace().backup.emplace().location = "/backups/shop/orders/x.dump";
  EXPECT_EQ(backup_event_of(outcome)->reason, "BackupTaken");
  EXPECT_EQ(backup_event_of(outcome)->type, EventType::Normal);
  outcome.review->backup_accepted = true;
  EXPECT_FALSE(backup_event_of(outcome)) << "it was taken before, and told";
  outcome.review->backup.reset();
  outcome.review->backup_error = Error(ErrorCode::BackupFailed, "no space");
  EXPECT_EQ(backup_event_of(outcome)->reason, "BackupFailed");
  EXPECT_EQ(backup_event_of(outcome)->type, EventType::Warning);
  EXPECT_EQ(event_of(outcome, true)->reason, "Applied") << "the run is told too";
}

TEST(EventOf, ReportsAStateOnceAndEveryAttempt) {
  Outcome outcome;
  for (const auto& [kind, reason] :
       {std::pair(Verdict::Kind::Waiting, Reason::ApprovalRequired), std::pair(Verdict::Kind::Waiting, Reason::OutsideWindow),
        std::pair(Verdict::Kind::Stalled, Reason::DatabaseAhead), std::pair(Verdict::Kind::Stalled, Reason::BackupFailed)}) {
    outcome.kind = kind;
    outcome.reason = reason;
    EXPECT_TRUE(event_of(outcome, true)) << reason_name(reason);
    EXPECT_FALSE(event_of(outcome, false)) << reason_name(reason);
  }
  outcome.kind = Verdict::Kind::Failed;
  outcome.reason = Reason::DatabaseUnreachable;
  EXPECT_TRUE(event_of(outcome, false));
}

TEST_F(ClusterStoreTest, FreesTheClaimOfAResourceThatIsBeingDeleted) {
  put_older_orders_and_younger_copy();
  EXPECT_EQ(claim(kOrders), "");
  EXPECT_EQ(claim(kCopy), "shop/orders");
  woken.clear();
  auto object = kube.find(kube::kDatabaseMigrations, kOrders).value();
  object["metadata"]["creationTimestamp"] = "2026-11-21T08:00:00Z";
  object["metadata"]["deletionTimestamp"] = "2026-11-21T10:00:00Z";
  store.applied(kOrders, object);
  EXPECT_TRUE(store.find(kOrders)->metadata.deleting);
  EXPECT_EQ(woken, (std::vector<std::string>{"shop/orders", "shop/copy"}));
  EXPECT_EQ(claim(kCopy), "");
}

TEST_F(ClusterStoreTest, WritesNothingOnceTheLeaseIsLost) {
  put(kOrders);
  bool holds = true;
  store.set_fence([&] { return holds; });
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  holds = false;
  EXPECT_FALSE(store.may_act());
  EXPECT_EQ(store.write_status(kOrders, status("a2")).error().code, ErrorCode::Interrupted);
  EXPECT_EQ(kube.find(kube::kDatabaseMigrations, kOrders).value()["status"]["currentRevision"], "a1");
}

TEST_F(ClusterStoreTest, ChecksTheLeaseBeforeEveryAttemptToWrite) {
  put(kOrders);
  int asked = 0;
  store.set_fence([&] { return ++asked == 1; });
  kube.fail({.verb = "update", .plural = "databasemigrations", .error = Error(ErrorCode::ApiConflict, "changed")});
  EXPECT_EQ(store.write_status(kOrders, status("a1")).error().code, ErrorCode::Interrupted);
  EXPECT_EQ(store.write_status_of(*store.find(kOrders), status("a1")).error().code, ErrorCode::Interrupted);
}

TEST_F(ClusterStoreTest, ReportsAResourceThatLeavesTheSelection) {
  store.set_selector("team=shop");
  put(kOrders);
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  store.deleted(kOrders);  // so says a watch with a selector
  const auto told = kube.find(kube::kDatabaseMigrations, kOrders).value()["status"];
  EXPECT_EQ(told["conditions"][0]["reason"], "NotSelected");
  EXPECT_EQ(told["conditions"][0]["status"], "Unknown");
  EXPECT_EQ(removed, std::vector<std::string>{"shop/orders"});
}

TEST_F(ClusterStoreTest, LeavesTheStatusToAnotherOperatorThatServesTheResourceByNow) {
  store.set_selector("team=shop");
  put(kOrders);
  ASSERT_TRUE(store.write_status(kOrders, status("a1")));
  kube.put_status(kube::kDatabaseMigrations, kOrders, {{"currentRevision", "a2"}, {"observedGeneration", 1}});
  store.deleted(kOrders);
  const auto left = kube.find(kube::kDatabaseMigrations, kOrders).value()["status"];
  EXPECT_EQ(left["currentRevision"], "a2");
  EXPECT_FALSE(left.contains("conditions")) << left.dump();
}

TEST_F(ClusterStoreTest, WritesNoLastStatusWithoutTheLease) {
  store.set_selector("team=shop");
  store.set_fence([] { return false; });
  put(kOrders);
  store.deleted(kOrders);
  EXPECT_EQ(kube.count("get"), 0U) << "another replica decides about it";
}

TEST_F(ClusterStoreTest, ServesTheOldestOfANamespaceThatHasMoreThanItsQuota) {
  store.set_quota(2);
  put({"shop", "b"}, "head", "2026-11-21T08:00:00Z");
  put({"shop", "a"}, "head", "2026-11-21T08:00:00Z");
  put({"shop", "0-younger"}, "head", "2026-11-21T09:00:00Z");
  put({"other", "c"}, "head", "2026-11-21T10:00:00Z");
  EXPECT_EQ(store.refusal({"shop", "0-younger"})->reason, Reason::QuotaExceeded);
  EXPECT_EQ(store.refusal({"shop", "0-younger"})->kind, Verdict::Kind::Stalled);
  for (const ResourceKey& served : {ResourceKey{"shop", "a"}, ResourceKey{"shop", "b"}, ResourceKey{"other", "c"}}) {
    EXPECT_FALSE(store.refusal(served)) << served.text();
  }
  store.deleted({"shop", "b"});
  EXPECT_FALSE(store.refusal({"shop", "0-younger"}));
}

TEST_F(ClusterStoreTest, LetsNoSecondResourceEscapeThePolicyOfADatabase) {
  KubeObject strict = migration(kOrders);
  strict["spec"]["policy"] = {{"approval", "Always"}, {"approvals", 2}};
  strict["spec"]["suspend"] = true;
  store.applied(kOrders, kube.put(kube::kDatabaseMigrations, strict));
  put(kCopy);
  const auto copy_needs = [this] { return store.find(kCopy)->spec.policy.approval; };
  EXPECT_EQ(claim(kOrders, "1/app/77#public.alembic_version"), "");
  woken.clear();
  const DatabaseMigration read_before = store.find(kCopy).value();
  EXPECT_EQ(claim(kCopy, "1/app/77#evil#x.other"), "") << "another version table: no conflict";
  EXPECT_FALSE(store.policy_holds(read_before)) << "nothing may begin with what was read before";
  EXPECT_EQ(copy_needs(), ApprovalPolicy::Always);
  EXPECT_EQ(store.find(kCopy)->spec.policy.approvals, 2);
  EXPECT_TRUE(store.policy_holds(store.find(kCopy).value()));
  EXPECT_NE(store.find(kCopy)->policy->raised.at(0).find("required by shop/orders"), std::string::npos);
  EXPECT_FALSE(store.find(kOrders)->policy) << "its own";

  KubeObject going = kube.find(kube::kDatabaseMigrations, kOrders).value();
  going["metadata"]["deletionTimestamp"] = "2026-11-21T10:00:00Z";
  store.applied(kOrders, going);
  EXPECT_EQ(copy_needs(), ApprovalPolicy::Always) << "it is still there";
  woken.clear();
  store.deleted(kOrders);
  EXPECT_EQ(copy_needs(), ApprovalPolicy::Never);
  EXPECT_NE(std::ranges::find(woken, kCopy.text()), woken.end());
}

TEST_F(ClusterStoreTest, KnowsADatabaseWhoseSystemOneOfTheUsersMayNotSee) {
  KubeObject strict = migration(kOrders);
  strict["spec"]["policy"] = {{"approval", "Always"}};
  store.applied(kOrders, kube.put(kube::kDatabaseMigrations, strict));
  put(kCopy);
  const auto copy_needs = [this] { return store.find(kCopy)->spec.policy.approval; };
  EXPECT_EQ(claim(kCopy, "1.5/app#public.other"), "");
  EXPECT_EQ(copy_needs(), ApprovalPolicy::Never);
  woken.clear();
  EXPECT_EQ(claim(kOrders, "1.5/app/77#public.alembic_version"), "");
  EXPECT_EQ(copy_needs(), ApprovalPolicy::Always) << "the server was not restarted between the two";
  EXPECT_NE(std::ranges::find(woken, kCopy.text()), woken.end());
  EXPECT_EQ(claim(kCopy, "1.5/app#public.other"), "");
  EXPECT_EQ(copy_needs(), ApprovalPolicy::Always);
  EXPECT_EQ(claim(kCopy, "2.5/app#public.other"), "") << "another server, or the same one later";
  EXPECT_EQ(copy_needs(), ApprovalPolicy::Never);
}

TEST_F(ClusterStoreTest, KnowsTheDatabaseOfAResourceFromItsStatusAfterARestart) {
  KubeObject strict = migration(kOrders);
  strict["spec"]["policy"] = {{"approval", "Always"}};
  strict["spec"]["suspend"] = true;  // so nobody looks at its database
  kube.put(kube::kDatabaseMigrations, strict);
  const std::string database = database_id({"db:5432/app", "1/app/77#public.alembic_version"});
  kube.put_status(kube::kDatabaseMigrations, kOrders, {{"databaseID", database}, {"observedGeneration", 1}});
  tell(kOrders);
  put(kCopy);
  EXPECT_EQ(claim(kCopy, "2/app/77#public.other"), "");
  EXPECT_EQ(store.find(kCopy)->spec.policy.approval, ApprovalPolicy::Always);
}

TEST_F(ClusterStoreTest, LetsNothingBeginThatWasReadBeforeTheFloorWasRaised) {
  NamespaceFloors floors({}, [&](const std::string& name_space) { store.floor_changed(name_space); });
  store.set_floor([&](const std::string& name_space) { return floors.of(name_space); });
  put(kOrders);
  const DatabaseMigration read_before = store.find(kOrders).value();
  EXPECT_TRUE(store.policy_holds(read_before));
  floors.applied({"", "shop"}, {{"metadata", {{"name", "shop"}, {"labels", {{"athanor.dev/minimum-approval", "Always"}}}}}});
  EXPECT_FALSE(store.policy_holds(read_before));
  EXPECT_TRUE(store.policy_holds(store.find(kOrders).value()));
}

TEST_F(ClusterStoreTest, CountsTheFloorOfTheOtherNamespaceAsItIsNow) {
  NamespaceFloors floors({}, [&](const std::string& name_space) { store.floor_changed(name_space); });
  store.set_floor([&](const std::string& name_space) { return floors.of(name_space); });
  const ResourceKey elsewhere{"other", "orders"};
  put(kOrders);
  put(elsewhere);
  EXPECT_EQ(claim(kOrders, "1/app/77#public.alembic_version"), "");
  EXPECT_EQ(claim(elsewhere, "1/app/77#public.other"), "");
  woken.clear();
  floors.applied({"", "shop"}, {{"metadata", {{"name", "shop"}, {"labels", {{"athanor.dev/minimum-approval", "Always"}}}}}});
  EXPECT_EQ(store.find(elsewhere)->spec.policy.approval, ApprovalPolicy::Always);
  EXPECT_NE(std::ranges::find(woken, elsewhere.text()), woken.end());
  EXPECT_NE(std::ranges::find(woken, kOrders.text()), woken.end());
}

TEST_F(ClusterStoreTest, TakesAnUnreadableNeighbourForOneThatAsksForApprovals) {
  put(kOrders);
  put(kCopy);
  EXPECT_EQ(claim(kOrders, "1/app/77#public.alembic_version"), "");
  EXPECT_EQ(claim(kCopy, "1/app/77#public.other"), "");
  KubeObject broken = migration(kOrders);
  broken["spec"]["database"] = 7;
  store.applied(kOrders, kube.put(kube::kDatabaseMigrations, broken));
  EXPECT_EQ(store.find(kCopy)->spec.policy.approval, ApprovalPolicy::Always);
}

TEST_F(ClusterStoreTest, RaisesEveryResourceToTheFloorOfItsNamespace) {
  std::vector<std::string> changed;
  NamespaceFloors floors({}, [&](const std::string& name_space) { changed.push_back(name_space); });
  store.set_floor([&](const std::string& name_space) { return floors.of(name_space); });
  put(kOrders);
  EXPECT_EQ(store.find(kOrders)->spec.policy.approval, ApprovalPolicy::Never);
  KubeObject shop{{"metadata", {{"name", "shop"}, {"labels", {{"athanor.dev/minimum-approval", "Always"}}}}}};
  floors.applied({"", "shop"}, shop);
  floors.applied({"", "shop"}, shop);
  EXPECT_EQ(changed, std::vector<std::string>{"shop"});
  EXPECT_EQ(store.find(kOrders)->spec.policy.approval, ApprovalPolicy::Always);
  EXPECT_EQ(store.in_namespace("shop"), std::vector<ResourceKey>{kOrders});
  EXPECT_TRUE(store.in_namespace("sho").empty());

  shop["metadata"]["labels"] = {{"athanor.dev/inline-passwords", "refuse"}};
  floors.applied({"", "shop"}, shop);
  EXPECT_FALSE(store.refusal(kOrders));
  KubeObject object = migration(kOrders);
  object["spec"]["database"]["url"] = "postgresql://app:secret@db/orders";
  store.applied(kOrders, kube.put(kube::kDatabaseMigrations, object));
  EXPECT_EQ(store.refusal(kOrders)->reason, Reason::InvalidManifest);
}

}  // namespace
}  // namespace athanor::controller
