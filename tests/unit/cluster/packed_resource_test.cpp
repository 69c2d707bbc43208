#include "operator/cluster/packed_resource.hpp"

#include <gtest/gtest.h>

#include <random>

#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"

namespace athanor::controller {
namespace {

KubeObject object() {
  KubeObject condition = {{"type", "Ready"}, {"status", "True"}, {"reason", "UpToDate"}, {"message", "é \u0001"}};
  return {{"metadata",
           {{"name", "orders"},
            {"namespace", "shop"},
            {"uid", "8c1f0a2b-7d3e"},
            {"resourceVersion", "4711"},
            {"generation", 3},
            {"labels", {{"team", "shop"}}},
            {"annotations", {{"athanor.dev/retry-now", "1"}, {"kubectl.kubernetes.io/last-applied-configuration", "{}"}}},
            {"managedFields", {{{"manager", std::string(10'000, 'x')}}}}}},
          {"spec",
           {{"database", {{"url", "postgresql://db/orders"}, {"schema", "tenant"}}},
            {"source", {{"configMaps", {{{"name", "sql"}}}}}},
            {"execution", {{"mode", "Job"}, {"lockTimeout", "3s"}, {"podTemplate", {{"spec", {{"nodeName", "n1"}}}}}}},
            {"targetRevision", "a1"}}},
          {"status", {{"observedGeneration", 3}, {"currentRevision", "a1"}, {"conditions", {condition}}}}};
}

struct PackedResourceTest : testing::Test {
  PackedResource pack(const KubeObject& object) { return {object, dictionaries}; }
  PackingDictionaries dictionaries;
};

TEST_F(PackedResourceTest, ComesOutAsTheObjectWouldBeRead) {
  const DatabaseMigration read = read_object(object()).value();
  const DatabaseMigration unpacked = pack(object()).unpack();
  EXPECT_EQ(unpacked.metadata, read.metadata);
  EXPECT_EQ(unpacked.spec, read.spec);
  EXPECT_EQ(unpacked.status, read.status);
  EXPECT_EQ(unpacked.origin, read.origin);
  EXPECT_EQ(pack(object()).metadata(), read.metadata);
}

TEST_F(PackedResourceTest, LeavesBehindWhatNobodyUses) {
  EXPECT_LT(pack(object()).bytes(), 600U);
}

TEST_F(PackedResourceTest, WritesOnlyOutWhatTheFirstOfItsFleetDidNotSay) {
  KubeObject another = object();
  another["metadata"]["name"] = "bills";
  another["spec"]["database"]["schema"] = "second";
  another["status"]["currentRevision"] = "b2";
  const std::size_t first = pack(object()).bytes() - sizeof(PackedResource);
  EXPECT_LT(pack(another).bytes() - sizeof(PackedResource), 150U) << "the first takes " << first;
  EXPECT_EQ(pack(another).unpack().key().text(), "shop/bills");
  EXPECT_EQ(pack(another).unpack().status.current_revision, "b2");
}

TEST_F(PackedResourceTest, LearnsFromAStatusThatSaysSomething) {
  KubeObject fresh = object();
  fresh["status"] = {{"observedGeneration", -1}};
  EXPECT_EQ(pack(fresh).unpack().status, DatabaseMigrationStatus{});
  KubeObject reported = object();
  reported["status"]["source"] = {{"revision", std::string(60, 'a') + "8c1f0a2b7d3e"}, {"kind", "configMaps"}};
  const auto size_of_status = [&](const KubeObject& with) { return pack(with).bytes() - pack(fresh).bytes(); };
  (void)pack(reported);
  EXPECT_LT(size_of_status(reported), 32U);
}

TEST_F(PackedResourceTest, LearnsNothingFromWhatIsTooLarge) {
  std::mt19937 random(7);
  KubeObject large = object();
  for (int number = 0; number < 1'000; ++number) {
    large["metadata"]["annotations"]["n" + std::to_string(random())] = std::to_string(random());
  }
  EXPECT_EQ(pack(large).unpack().metadata, read_object(large)->metadata);
  EXPECT_EQ(pack(object()).unpack().spec, read_object(object())->spec);
  PackingDictionaries learned;
  const PackedResource small({{"metadata", {{"name", "small"}}}}, learned);
  EXPECT_LE(pack(object()).bytes(), PackedResource(object(), learned).bytes() + 4) << "what all have in common is still known";
}

TEST_F(PackedResourceTest, KeepsALargeStatusAndOneThatDoesNotCompress) {
  PackedResource packed = pack(object());
  DatabaseMigrationStatus status = packed.unpack().status;
  std::mt19937 random(7);
  for (int number = 0; number < 500; ++number) {
    status.pending_revisions.push_back(std::to_string(random()) + std::to_string(random()));
  }
  packed.set_status(status, "4712");
  EXPECT_EQ(packed.unpack().status, status);
}

TEST_F(PackedResourceTest, KeepsWhatCanBeReadOfASpecThatCannot) {
  KubeObject later = object();
  later["spec"]["invented"] = true;
  later["spec"]["targetRevision"] = "d4";
  std::optional<Error> unreadable;
  const DatabaseMigration unpacked = pack(later).unpack(&unreadable);
  ASSERT_TRUE(unreadable);
  EXPECT_NE(unreadable->describe().find("invented"), std::string::npos) << unreadable->describe();
  EXPECT_EQ(unpacked.key().text(), "shop/orders");
  EXPECT_EQ(unpacked.spec.target_revision, "d4");
  EXPECT_EQ(unpacked.status.current_revision, "a1");
}

TEST_F(PackedResourceTest, GivesBackTheStatusItIsGiven) {
  PackedResource packed = pack(object());
  DatabaseMigrationStatus status = packed.unpack().status;
  status.current_revision = "b2";
  status.history.push_back({"2026-11-21T08:00:00+00:00", "upgrade", "a1", "b2", 1, 12, "applied", "run"});
  packed.set_status(status, "4712");
  EXPECT_EQ(packed.metadata().resource_version, "4712");
  EXPECT_EQ(packed.unpack().metadata.resource_version, "4712");
  EXPECT_EQ(packed.unpack().status, status);
  EXPECT_EQ(packed.unpack().spec, read_object(object()).value().spec);
}

}  // namespace
}  // namespace athanor::controller
