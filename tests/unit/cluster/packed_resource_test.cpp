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

TEST(PackedResource, ComesOutAsTheObjectWouldBeRead) {
  const DatabaseMigration read = read_object(object()).value();
  const DatabaseMigration unpacked = PackedResource(object()).unpack();
  EXPECT_EQ(unpacked.metadata, read.metadata);
  EXPECT_EQ(unpacked.spec, read.spec);
  EXPECT_EQ(unpacked.status, read.status);
  EXPECT_EQ(unpacked.origin, read.origin);
  EXPECT_EQ(PackedResource(object()).metadata(), read.metadata);
}

TEST(PackedResource, LeavesBehindWhatNobodyUses) {
  EXPECT_LT(PackedResource(object()).bytes(), 600U);
}

TEST(PackedResource, KeepsALargeStatusAndOneThatDoesNotCompress) {
  PackedResource packed(object());
  DatabaseMigrationStatus status = packed.unpack().status;
  std::mt19937 random(7);
  for (int number = 0; number < 500; ++number) {
    status.pending_revisions.push_back(std::to_string(random()) + std::to_string(random()));
  }
  packed.set_status(status, "4712");
  EXPECT_EQ(packed.unpack().status, status);
}

TEST(PackedResource, KeepsWhatCanBeReadOfASpecThatCannot) {
  KubeObject later = object();
  later["spec"]["invented"] = true;
  std::optional<Error> unreadable;
  const DatabaseMigration unpacked = PackedResource(later).unpack(&unreadable);
  ASSERT_TRUE(unreadable);
  EXPECT_NE(unreadable->describe().find("invented"), std::string::npos) << unreadable->describe();
  EXPECT_EQ(unpacked.key().text(), "shop/orders");
  EXPECT_EQ(unpacked.status.current_revision, "a1");
}

TEST(PackedResource, GivesBackTheStatusItIsGiven) {
  PackedResource packed(object());
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
