// Whoever may write a resource may write anything: it costs that resource, and nobody else.
#include <gtest/gtest.h>

#include "operator/api/manifest.hpp"
#include "operator/api/spec_codec.hpp"
#include "operator/cluster/cluster_store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

const ResourceKey kOrders{"shop", "orders"};

KubeObject migration(const KubeObject& more = KubeObject::object()) {
  KubeObject object = {{"metadata", {{"name", "orders"}, {"namespace", "shop"}, {"uid", "1"}, {"resourceVersion", "7"}}},
                       {"spec",
                        {{"database", {{"url", "postgresql://db/orders"}}},
                         {"source", {{"configMaps", {{{"name", "sql"}}}}}},
                         {"targetRevision", "head"}}}};
  object.merge_patch(more);
  return object;
}

KubeObject nested(std::size_t levels) {
  KubeObject value = "x";
  for (std::size_t level = 0; level < levels; ++level) {
    KubeObject outer = level % 2 == 0 ? KubeObject::object() : KubeObject::array();
    if (outer.is_object()) {
      outer.emplace("a", std::move(value));
    } else {
      outer.push_back(std::move(value));
    }
    value = std::move(outer);
  }
  return value;
}

KubeObject with_execution(const KubeObject& execution) {
  return migration({{"spec", {{"execution", execution}}}});
}

KubeObject with_pod_template(KubeObject pod_template) {
  KubeObject object = with_execution({{"mode", "Job"}});
  object["spec"]["execution"].emplace("podTemplate", std::move(pod_template));
  return object;
}

KubeObject with_window(const std::string& schedule, const KubeObject& duration = "1h", const std::string& zone = "UTC") {
  return with_execution({{"windows", {{{"schedule", schedule}, {"duration", duration}, {"timeZone", zone}}}}});
}

class HostileManifest : public testing::Test {
 protected:
  // What the resource is refused for; empty: it is taken.
  std::string refusal(const KubeObject& object) {
    store.applied(kOrders, object);
    EXPECT_TRUE(store.find(kOrders)) << "whoever is refused has a status that says so";
    const auto refusal = store.refusal(kOrders);
    if (refusal) {
      EXPECT_EQ(refusal->reason, Reason::InvalidManifest);
      EXPECT_NE(refusal->message, "");
    }
    return refusal ? refusal->message : std::string();
  }

  test::FakeKube kube;
  test::FakeClock clock;
  ClusterStore store{kube, clock, {[](const ResourceKey& /*key*/) {}, [](const ResourceKey& /*key*/) {}, [] {}}, "", Log()};
};

TEST_F(HostileManifest, IsRefusedForNumbersThatAreTooLarge) {
  const std::vector<KubeObject> objects{
      with_window("1/2147483647 * * * *"),
      with_window("*/99999999999999999999 * * * *"),
      with_window("0 0 4294967297 * *"),
      with_window("* * * * *", "9223372036854775807h"),
      with_window("* * * * *", "92233720368547758079223372036854775807ms"),
      with_window("* * * * *", 1e300),
      with_execution({{"tableLockTimeout", "9223372036854775807ms"}}),
      with_execution({{"statementTimeout", "106751991168d"}}),
      with_execution({{"migrationLockWait", -1}}),
      migration({{"spec", {{"backup", {{"compression", 1e99}}}}}}),
      migration({{"spec", {{"backup", {{"retention", {{"count", 18446744073709551615U}}}}}}}}),
      migration({{"spec", {{"backup", {{"retention", {{"maxAge", "9223372036854775807d"}}}}}}}}),
      migration({{"spec", {{"suspend", 1}}}}),
      migration({{"spec", {{"database", {{"port", 5432}}}}}}),
  };
  for (const auto& object : objects) {
    EXPECT_NE(refusal(object), "") << object.at("spec");
  }
}

TEST_F(HostileManifest, IsRefusedForNestingTooDeeply) {
  for (const std::size_t levels : {70U, 10'000U}) {  // the API server takes no more than 10,000
    EXPECT_NE(refusal(with_pod_template(nested(levels))).find("nested"), std::string::npos) << levels;
    KubeObject source = migration();
    source["spec"]["source"]["path"] = nested(levels);
    EXPECT_NE(refusal(source), "") << levels;
  }
  EXPECT_EQ(refusal(with_pod_template(nested(20))), "");
}

TEST_F(HostileManifest, IsRefusedForTextThatIsNone) {
  for (const auto* const text : {"\xff\xfe", "a\xc3", "\xed\xa0\x80"}) {
    EXPECT_NE(refusal(with_pod_template({{"spec", {{"nodeName", text}}}})), "");
  }
  EXPECT_EQ(refusal(migration()), "");
}

TEST_F(HostileManifest, MayHoldOddText) {
  for (const auto* const text :
       {"\xe2\x80\xae"
        "daeh",
        "\xf0\x9f\x9a\x80", "e\xcc\x81\xcc\x81\xcc\x81", "\xef\xbb\xbfhead", "\xef\xbf\xbe", "\x01\x7f"}) {
    EXPECT_EQ(refusal(migration({{"spec", {{"targetRevision", text}}}})), "") << text;
    EXPECT_EQ(store.find(kOrders)->spec.target_revision, text);
    EXPECT_NE(refusal(with_window(text)), "");
    EXPECT_NE(refusal(migration({{"spec", {{text, text}}}})), "");
  }
}

TEST_F(HostileManifest, MayHaveAnyShape) {
  const std::vector<KubeObject> values{nullptr, true,  -1,   18446744073709551615U,     1e300,
                                       "",      "\n",  "x",  KubeObject::array(),       KubeObject::object(),
                                       {1, 2},  {"a"}, {{}}, {{"name", {{"name", 1}}}}, std::string(1'000'000, 'x')};
  for (const auto& value : values) {
    for (const auto* const part : {"spec", "metadata", "status"}) {
      KubeObject object = migration();
      object[part] = value;
      (void)refusal(object);
    }
    for (const auto* const field : {"database", "source", "targetRevision", "policy", "backup", "execution", "suspend"}) {
      KubeObject object = migration();
      object["spec"][field] = value;
      (void)refusal(object);
    }
    for (const auto* const field :
         {"conditions", "history", "lastBackup", "progress", "observedGeneration", "pendingRevisions"}) {
      KubeObject object = migration();
      object["status"] = {{field, value}};
      (void)refusal(object);
    }
    for (const auto* const field : {"labels", "annotations", "generation", "creationTimestamp", "uid", "ownerReferences"}) {
      KubeObject object = migration();
      object["metadata"][field] = value;
      (void)refusal(object);
    }
  }
}

}  // namespace
}  // namespace athanor::controller
