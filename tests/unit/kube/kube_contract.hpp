// The contract of KubeClient, which the fake and a real API server must both pass. A suite derives from KubeContract, sets the
// client and the namespace in SetUp(), and is instantiated with the macro at the end.
//
// Threads: one thread per test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

inline KubeObject config_map(const std::string& name, const KubeObject& data) {
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", data}};
}

// The smallest DatabaseMigration that the schema accepts.
inline KubeObject migration(const std::string& name) {
  return {{"apiVersion", "athanor.dev/v1alpha1"},
          {"kind", "DatabaseMigration"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"database", {{"urlFrom", {{"secretKeyRef", {{"name", "db"}, {"key", "url"}}}}}}},
            {"source", {{"configMaps", {{{"name", "files"}}}}}},
            {"targetRevision", "head"}}}};
}

inline std::string version_of(const KubeObject& object) {
  return object.at("metadata").at("resourceVersion").get<std::string>();
}

// A fixture must provide KubeClient& client() and std::string name_space().
template <class Fixture>
class KubeContract : public Fixture {
 protected:
  Result<KubeObject> create(const KubeObject& object) {
    return this->client().create(type_of(object), this->name_space(), object);
  }
  static const ResourceType& type_of(const KubeObject& object) {
    return object.at("kind") == "ConfigMap" ? kube::kConfigMaps : kube::kDatabaseMigrations;
  }
  Result<KubeObject> merge(const ResourceType& type, const std::string& name, const KubeObject& body,
                           const std::string& subresource = {}) {
    return this->client().patch(type, this->name_space(), name, body, subresource);
  }
  // Watches until `enough` events and bookmarks have arrived, and returns one line for each.
  std::vector<std::string> watch(WatchOptions options, std::size_t enough) {
    StopSource stop;
    std::vector<std::string> reported;
    options.name_space = this->name_space();
    options.field_selector = "metadata.name!=kube-root-ca.crt";  // a controller creates it in every namespace
    options.timeout = std::chrono::seconds(20);
    const auto ended = this->client().watch(
        kube::kConfigMaps, options,
        [&](const WatchEvent& event) {
          const std::string name = event.object.at("metadata").value("name", std::string());
          reported.push_back(std::string(1, "AMDBU"[static_cast<int>(event.kind)]) + name + (event.initial_end ? "!" : ""));
          if (reported.size() >= enough) {
            stop.request();
          }
        },
        stop.token());
    EXPECT_EQ(ended ? ErrorCode::Internal : ended.error().code, ErrorCode::Interrupted);
    return reported;
  }
};

TYPED_TEST_SUITE_P(KubeContract);

TYPED_TEST_P(KubeContract, CreatesReadsAndRemoves) {
  const auto made = this->create(config_map("a", {{"k", "v"}}));
  ASSERT_TRUE(made) << made.error().describe();
  const auto read = this->client().get(kube::kConfigMaps, this->name_space(), "a");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at("data").at("k"), "v");
  EXPECT_EQ(read->at("kind"), "ConfigMap");
  EXPECT_EQ(this->create(config_map("a", {})).error().code, ErrorCode::ApiConflict);
  EXPECT_EQ(this->client().remove(kube::kConfigMaps, this->name_space(), "a", {.uid = "another"}).error().code,
            ErrorCode::ApiConflict);
  ASSERT_TRUE(this->client().remove(kube::kConfigMaps, this->name_space(), "a", {}));
  EXPECT_EQ(this->client().get(kube::kConfigMaps, this->name_space(), "a").error().code, ErrorCode::ApiNotFound);
  EXPECT_EQ(this->client().remove(kube::kConfigMaps, this->name_space(), "a", {}).error().code, ErrorCode::ApiNotFound);
}

TYPED_TEST_P(KubeContract, ADryRunOfACreationStoresNothing) {
  const auto would_be = this->client().create(kube::kConfigMaps, this->name_space(), config_map("a", {}), {.dry_run = true});
  ASSERT_TRUE(would_be) << would_be.error().describe();
  EXPECT_FALSE(would_be->at("metadata").at("uid").template get<std::string>().empty());
  EXPECT_EQ(this->client().get(kube::kConfigMaps, this->name_space(), "a").error().code, ErrorCode::ApiNotFound);
  ASSERT_TRUE(this->create(config_map("a", {})));
  EXPECT_EQ(this->client().create(kube::kConfigMaps, this->name_space(), config_map("a", {}), {.dry_run = true}).error().code,
            ErrorCode::ApiConflict);
}

TYPED_TEST_P(KubeContract, AReplacementOfAnOldVersionIsAConflict) {
  KubeObject object = *this->create(config_map("a", {{"k", "1"}}));
  const KubeObject old = object;
  object["data"]["k"] = "2";
  ASSERT_TRUE(this->client().replace(kube::kConfigMaps, this->name_space(), "a", object));
  EXPECT_EQ(this->client().replace(kube::kConfigMaps, this->name_space(), "a", old).error().code, ErrorCode::ApiConflict);
  const KubeObject conditional{{"metadata", {{"resourceVersion", version_of(old)}}}, {"data", {{"k", "3"}}}};
  EXPECT_EQ(this->merge(kube::kConfigMaps, "a", conditional).error().code, ErrorCode::ApiConflict);
  EXPECT_EQ(this->client().get(kube::kConfigMaps, this->name_space(), "a")->at("data").at("k"), "2");
}

TYPED_TEST_P(KubeContract, AChangeThatChangesNothingMakesNoVersion) {
  const KubeObject made = *this->create(config_map("a", {{"k", "1"}}));
  const auto same = this->merge(kube::kConfigMaps, "a", {{"data", {{"k", "1"}}}});
  EXPECT_EQ(version_of(*same), version_of(made));
  const auto other = this->merge(kube::kConfigMaps, "a", {{"data", {{"k", nullptr}, {"l", "2"}}}});
  EXPECT_NE(version_of(*other), version_of(made));
  EXPECT_EQ(other->at("data"), KubeObject({{"l", "2"}}));
}

TYPED_TEST_P(KubeContract, StatusAndSpecAreWrittenApart) {
  const auto made = this->create(migration("m"));
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_EQ(made->at("metadata").at("generation"), 1);
  const auto status = this->merge(kube::kDatabaseMigrations, "m",
                                  {{"spec", {{"suspend", true}}}, {"status", {{"observedGeneration", 1}}}}, "status");
  ASSERT_TRUE(status) << status.error().describe();
  EXPECT_EQ(status->at("status").at("observedGeneration"), 1);
  EXPECT_FALSE(status->at("spec").value("suspend", false));
  EXPECT_EQ(status->at("metadata").at("generation"), 1);
  const auto spec =
      this->merge(kube::kDatabaseMigrations, "m", {{"spec", {{"suspend", true}}}, {"status", {{"observedGeneration", 9}}}});
  EXPECT_EQ(spec->at("metadata").at("generation"), 2);
  EXPECT_EQ(spec->at("status").at("observedGeneration"), 1);
  const auto label = this->merge(kube::kDatabaseMigrations, "m", {{"metadata", {{"labels", {{"a", "b"}}}}}});
  EXPECT_EQ(label->at("metadata").at("generation"), 2);
}

TYPED_TEST_P(KubeContract, AFinalizerHoldsARemovedObject) {
  KubeObject object = config_map("a", {});
  object["metadata"]["finalizers"] = {"athanor.dev/test"};
  ASSERT_TRUE(this->create(object));
  ASSERT_TRUE(this->client().remove(kube::kConfigMaps, this->name_space(), "a", {}));
  const auto held = this->client().get(kube::kConfigMaps, this->name_space(), "a");
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->at("metadata").contains("deletionTimestamp"));
  ASSERT_TRUE(this->merge(kube::kConfigMaps, "a", {{"metadata", {{"finalizers", nullptr}}}}));
  EXPECT_EQ(this->client().get(kube::kConfigMaps, this->name_space(), "a").error().code, ErrorCode::ApiNotFound);
}

// A replaced status conflicts with an object of the same name that was recreated (uid) or changed (resourceVersion). Nothing
// but the status is written.
TYPED_TEST_P(KubeContract, AReplacedStatusIsHeldToUidAndVersion) {
  const auto made = this->client().create(kube::kDatabaseMigrations, this->name_space(), migration("a"));
  ASSERT_TRUE(made) << made.error().describe();
  const auto replace_status = [&](const std::string& uid, const KubeObject& version, const KubeObject& status) {
    const KubeObject body = {{"apiVersion", made->at("apiVersion")},
                             {"kind", made->at("kind")},
                             {"metadata", {{"name", "a"}, {"uid", uid}, {"resourceVersion", version}}},
                             {"status", status}};
    return this->client().replace(kube::kDatabaseMigrations, this->name_space(), "a", body, "status");
  };
  const std::string uid = made->at("metadata").at("uid");
  const KubeObject version = made->at("metadata").at("resourceVersion");
  EXPECT_EQ(replace_status("11111111-2222-4333-8444-555555555555", version, {{"phase", "Ready"}}).error().code,
            ErrorCode::ApiConflict);
  const auto first = replace_status(uid, version, {{"phase", "Ready"}, {"currentRevision", "a1"}});
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(first->at("spec"), made->at("spec"));
  EXPECT_EQ(first->at("metadata").at("generation"), made->at("metadata").at("generation"));
  EXPECT_EQ(replace_status(uid, version, {{"phase", "Stalled"}}).error().code, ErrorCode::ApiConflict);
  const auto second = replace_status(uid, first->at("metadata").at("resourceVersion"), {{"phase", "Stalled"}});
  ASSERT_TRUE(second) << second.error().describe();
  EXPECT_FALSE(second->at("status").contains("currentRevision")) << "what is no longer said goes";
}

TYPED_TEST_P(KubeContract, ListsBySelector) {
  KubeObject labelled = config_map("b", {});
  labelled["metadata"]["labels"]["team"] = "shop";
  ASSERT_TRUE(this->create(config_map("a", {})));
  ASSERT_TRUE(this->create(labelled));
  const auto by_label = list_all(this->client(), kube::kConfigMaps, {this->name_space(), "team=shop", "", ""});
  ASSERT_EQ(by_label->items.size(), 1U);
  EXPECT_EQ(by_label->items[0]["metadata"]["name"], "b");
  EXPECT_EQ(by_label->items[0]["kind"], "ConfigMap");
  const auto by_name = list_all(this->client(), kube::kConfigMaps, {this->name_space(), "", "metadata.name=a", ""});
  ASSERT_EQ(by_name->items.size(), 1U);
  EXPECT_EQ(by_name->items[0]["metadata"]["name"], "a");
}

TYPED_TEST_P(KubeContract, MetadataAloneIsListedAndWatchedWithoutTheRest) {
  KubeObject object = config_map("a", {{"k", "v"}});
  object["metadata"]["labels"]["team"] = "shop";
  ASSERT_TRUE(this->create(object));
  ListOptions listing{this->name_space(), "", "metadata.name=a", ""};
  listing.metadata_only = true;
  const auto listed = list_all(this->client(), kube::kConfigMaps, listing);
  ASSERT_TRUE(listed) << listed.error().describe();
  EXPECT_EQ(listed->items.at(0)["metadata"]["labels"]["team"], "shop");
  EXPECT_FALSE(listed->items.at(0).contains("data"));
  WatchOptions options;
  options.name_space = this->name_space();
  options.field_selector = "metadata.name=a";
  options.send_initial_events = true;
  options.metadata_only = true;
  StopSource stop;
  std::vector<WatchEvent> reported;
  static_cast<void>(this->client().watch(
      kube::kConfigMaps, options,
      [&](WatchEvent event) {
        reported.push_back(std::move(event));
        if (reported.size() == 2) {
          stop.request();
        }
      },
      stop.token()));
  ASSERT_EQ(reported.size(), 2U);
  EXPECT_EQ(reported[0].object["metadata"]["name"], "a");
  EXPECT_FALSE(reported[0].object.contains("data"));
  EXPECT_TRUE(reported[1].initial_end);
}

TYPED_TEST_P(KubeContract, AWatchGoesOnBehindTheListItFollows) {
  ASSERT_TRUE(this->create(config_map("a", {})));
  const auto listed = list_all(this->client(), kube::kConfigMaps, {this->name_space(), "", "", ""});
  ASSERT_TRUE(this->create(config_map("b", {})));
  ASSERT_TRUE(this->merge(kube::kConfigMaps, "a", {{"data", {{"k", "1"}}}}));
  ASSERT_TRUE(this->client().remove(kube::kConfigMaps, this->name_space(), "b", {}));
  WatchOptions options;
  options.resource_version = listed->resource_version;
  EXPECT_THAT(this->watch(options, 3), testing::ElementsAre("Ab", "Ma", "Db"));
}

TYPED_TEST_P(KubeContract, AWatchListTellsWhatIsThereAndThenItsEnd) {
  ASSERT_TRUE(this->create(config_map("a", {})));
  ASSERT_TRUE(this->create(config_map("b", {})));
  WatchOptions options;
  options.send_initial_events = true;
  EXPECT_THAT(this->watch(options, 3), testing::ElementsAre("Aa", "Ab", "B!"));
}

TYPED_TEST_P(KubeContract, AnObjectThatBeginsToMatchIsAddedAndOneThatCeasesIsDeleted) {
  const KubeObject made = *this->create(config_map("a", {}));
  ASSERT_TRUE(this->merge(kube::kConfigMaps, "a", {{"metadata", {{"labels", {{"team", "shop"}}}}}}));
  ASSERT_TRUE(this->merge(kube::kConfigMaps, "a", {{"metadata", {{"labels", {{"team", nullptr}}}}}}));
  WatchOptions options;
  options.resource_version = version_of(made);
  options.label_selector = "team=shop";
  EXPECT_THAT(this->watch(options, 2), testing::ElementsAre("Aa", "Da"));
}

REGISTER_TYPED_TEST_SUITE_P(KubeContract, CreatesReadsAndRemoves, ADryRunOfACreationStoresNothing,
                            AReplacementOfAnOldVersionIsAConflict, AChangeThatChangesNothingMakesNoVersion,
                            StatusAndSpecAreWrittenApart, AFinalizerHoldsARemovedObject, AReplacedStatusIsHeldToUidAndVersion,
                            ListsBySelector, MetadataAloneIsListedAndWatchedWithoutTheRest, AWatchGoesOnBehindTheListItFollows,
                            AWatchListTellsWhatIsThereAndThenItsEnd, AnObjectThatBeginsToMatchIsAddedAndOneThatCeasesIsDeleted);

}  // namespace athanor::controller
