#include "operator/cluster/cached_resource.hpp"

#include <gtest/gtest.h>

#include "operator/api/spec_codec.hpp"
#include "operator/kube/api_client.hpp"

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
            {"execution", {{"mode", "Job"}, {"tableLockTimeout", "3s"}, {"podTemplate", {{"spec", {{"nodeName", "n1"}}}}}}},
            {"targetRevision", "a1"}}},
          {"status", {{"observedGeneration", 3}, {"currentRevision", "a1"}, {"conditions", {condition}}}}};
}

DatabaseMigration read() {
  return read_object(object()).value();
}

TEST(CachedResource, GivesBackWhatItWasMadeOf) {
  const CachedResource cached(read());
  EXPECT_EQ(cached.value().metadata, read().metadata);
  EXPECT_EQ(cached.value().spec, read().spec);
  EXPECT_EQ(cached.value().status, read().status);
  EXPECT_EQ(cached.value().origin, read().origin);
  EXPECT_EQ(cached.metadata(), read().metadata);
  EXPECT_EQ(cached.mark().uid, "8c1f0a2b-7d3e");
  EXPECT_EQ(cached.mark().resource_version, "4711");
}

TEST(CachedResource, HasNoStatusBeforeOneIsWritten) {
  KubeObject fresh = object();
  fresh["status"] = {{"observedGeneration", -1}};
  EXPECT_EQ(CachedResource(read_object(fresh).value()).value().status, DatabaseMigrationStatus{});
}

TEST(CachedResource, GivesBackTheStatusItIsGiven) {
  CachedResource cached(read());
  DatabaseMigrationStatus status = read().status;
  status.current_revision = "b2";
  status.history.push_back({"2026-11-21T08:00:00+00:00", "upgrade", "a1", "b2", 1, 12, "applied", "run"});
  cached.set_status(status, "4712");
  EXPECT_EQ(cached.metadata().resource_version, "4712");
  EXPECT_EQ(cached.value().status, status);
  EXPECT_EQ(cached.value().spec, read().spec);
}

TEST(CachedResource, TakesAStatusThatIsNoUtf8) {
  CachedResource cached(read());
  DatabaseMigrationStatus status = read().status;
  status.current_revision = "\xff";
  cached.set_status(status, "4712");
  EXPECT_EQ(cached.value().status.current_revision, "\xef\xbf\xbd");
}

TEST(ReadablePart, IsWhatCanBeReadOfASpecThatCannot) {
  KubeObject later = object();
  later["spec"]["invented"] = true;
  later["spec"]["targetRevision"] = "d4";
  const auto refused = read_object(later);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().describe().find("invented"), std::string::npos) << refused.error().describe();
  const DatabaseMigration part = readable_part(later);
  EXPECT_EQ(part.key().text(), "shop/orders");
  EXPECT_EQ(part.spec.target_revision, "d4");
  EXPECT_EQ(part.status.current_revision, "a1");
}

TEST(ReadablePart, LeavesOutAStatusThatNestsTooDeeply) {
  KubeObject hostile = object();
  KubeObject deep = 1;
  for (int level = 0; level < 100; ++level) {
    deep = KubeObject::array({std::move(deep)});
  }
  hostile["status"]["plan"] = std::move(deep);
  EXPECT_EQ(read_object(hostile).value().status, DatabaseMigrationStatus{});
}

}  // namespace
}  // namespace athanor::controller
