// The client over the real transport on a real API server: the contract that the fake keeps too, and informer, Lease and
// events.
#include <gtest/gtest.h>
#include <unistd.h>

#include <mutex>
#include <thread>

#include "migrations/base/ids.hpp"
#include "operator/kube/event_recorder.hpp"
#include "operator/kube/informer.hpp"
#include "operator/kube/lease_election.hpp"
#include "operator/kube/rest_transport.hpp"
#include "tests/cluster/on_cluster.hpp"
#include "tests/unit/kube/kube_contract.hpp"

namespace athanor::controller {
namespace {

using std::chrono::seconds;

class ClusterFixture : public OnCluster {
 protected:
  ClusterFixture() : OnCluster("kube-client-") {}
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(OnCluster::SetUp());
    if (const auto listed = list_all(client(), kube::kDatabaseMigrations, {}); !listed) {
      ASSERT_EQ(listed.error().code, ErrorCode::ApiNotFound) << listed.error().describe();
      install_resources();
    }
  }
  KubeClient& client() { return *client_; }
  [[nodiscard]] std::string name_space() const { return name_space_; }
};

INSTANTIATE_TYPED_TEST_SUITE_P(ApiServer, KubeContract, ClusterFixture);

class ApiServerTest : public ClusterFixture {
 protected:
  Result<KubeObject> put(const std::string& name) {
    return client().create(kube::kConfigMaps, name_space(), config_map(name, {}));
  }
};

class Names final : public InformerHandler {
 public:
  void applied(const ResourceKey& key, const KubeObject&) override {
    const std::lock_guard lock(mutex_);
    names_.insert(key.name);
  }
  void deleted(const ResourceKey& key) override {
    const std::lock_guard lock(mutex_);
    names_.erase(key.name);
  }
  std::set<std::string> all() {
    const std::lock_guard lock(mutex_);
    return names_;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> names_;
};

TEST_F(ApiServerTest, AnInformerFollowsFromAWatchListAndStopsPromptly) {
  ASSERT_TRUE(put("a"));
  Names names;
  StopSource stop;
  Informer informer(client(), clock_, names, {.type = kube::kConfigMaps, .name_space = name_space()}, Log());
  std::thread thread([&] { informer.run(stop.token()); });
  EXPECT_TRUE(eventually([&] { return informer.synced(); }));
  EXPECT_TRUE(names.all().contains("a"));
  EXPECT_TRUE(put("b"));
  EXPECT_TRUE(client().remove(kube::kConfigMaps, name_space(), "a", {}));
  EXPECT_TRUE(eventually([&] { return names.all().contains("b") && !names.all().contains("a"); }));
  EXPECT_EQ(informer.statistics().lists, 1U);
  EXPECT_EQ(informer.statistics().watches, 1U);
  const auto asked = clock_.steady_now();
  stop.request();
  thread.join();
  EXPECT_LT(clock_.steady_now() - asked, seconds(5));
}

TEST_F(ApiServerTest, AListOfSeveralPagesIsWhole) {
  for (int i = 0; i < 620; ++i) {
    ASSERT_TRUE(put("m" + std::to_string(i)));
  }
  std::set<std::string> names;
  const auto listed = client().list(kube::kConfigMaps, {name_space(), "", "metadata.name!=kube-root-ca.crt", ""},
                                    [&](const KubeObject& object) { names.insert(object["metadata"]["name"]); });
  ASSERT_TRUE(listed) << listed.error().describe();
  EXPECT_EQ(names.size(), 620U);
}

TEST_F(ApiServerTest, AHistoryThatIsGoneIsExpired) {
  WatchOptions options;
  options.resource_version = "2";  // long before the resource was installed
  const auto ended = client().watch(kube::kDatabaseMigrations, options, [](const WatchEvent&) {}, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::ApiExpired) << ended.error().describe();
}

TEST_F(ApiServerTest, ALeaseIsTakenRenewedAndGivenBackInTheServersFormat) {
  StopSource stop;
  LeaseElection election(client(), clock_,
                         {.name_space = name_space(),
                          .identity = "one",
                          .duration = seconds(3),
                          .renew_deadline = seconds(2),
                          .retry = milliseconds(200)},
                         {}, Log());
  std::thread thread([&] { election.run(stop.token()); });
  const auto spec = [&] {
    const auto lease = client().get(kube::kLeases, name_space(), "athanor-operator");
    return lease ? lease->at("spec") : KubeObject::object();
  };
  EXPECT_TRUE(eventually([&] { return election.leading(); }));
  const KubeObject first = spec();
  EXPECT_EQ(first.value("holderIdentity", ""), "one");
  EXPECT_TRUE(eventually([&] { return spec().value("renewTime", "") != first.value("renewTime", ""); }));
  stop.request();
  thread.join();
  EXPECT_EQ(spec().value("holderIdentity", ""), "");
  EXPECT_EQ(spec().value("leaseDurationSeconds", 0), 1);
}

TEST_F(ApiServerTest, EventsAndTheirSeriesAreAccepted) {
  const EventRecord event{{kube::kDatabaseMigrations, {name_space(), "orders"}, "", ""},
                          EventType::Warning,
                          "StatementFailed",
                          "Migrate",
                          std::string(2'000, 'n')};
  {
    const auto recorder = make_event_recorder(client(), clock_, "athanor-operator", "pod-1", Log());
    for (int i = 0; i < 4; ++i) {
      recorder->record(event);
    }
    EXPECT_TRUE(eventually([&] {
      const auto events = list_all(client(), kube::kEvents, {name_space(), "", "", ""});
      return events && events->items.size() == 1 && events->items[0].contains("series");
    }));
    EXPECT_EQ(recorder->dropped(), 0U);
  }
  const auto events = list_all(client(), kube::kEvents, {name_space(), "", "", ""});
  EXPECT_EQ(events->items.at(0)["series"]["count"], 4);
}

TEST_F(ApiServerTest, ARefusedObjectIsExplainedWithoutItsValues) {
  KubeObject object = migration("m");
  object["spec"]["source"]["git"]["url"] = "https://app:hunter2@example.com/x";
  const auto made = client().create(kube::kDatabaseMigrations, name_space(), object);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::ApiInvalid);
  EXPECT_EQ(made.error().message.find("hunter2"), std::string::npos) << made.error().message;
  EXPECT_NE(made.error().message.find("spec.source"), std::string::npos) << made.error().message;
}

TEST_F(ApiServerTest, ASecretThatCannotBeDecodedIsNotQuoted) {
  const auto made = client().create(kube::kSecrets, name_space(),
                                    {{"metadata", {{"name", "db"}}}, {"data", {{"password", "hunter2 is no base64"}}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::ApiInvalid);
  EXPECT_EQ(made.error().message.find("hunter2"), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace athanor::controller
