// Approvals count only while the policy of crds/approval-policy.yaml is in force as it is there.
#include "operator/cluster/admission_policy.hpp"

#include <gtest/gtest.h>

#include "migrations/text/strict_yaml.hpp"
#include "operator/cluster/approval_index.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

KubeObject as_json(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::Mapping) {
    KubeObject object = KubeObject::object();
    for (const auto& entry : node.entries) {
      object[entry.key] = as_json(entry.value);
    }
    return object;
  }
  if (node.kind == YamlNode::Kind::Sequence) {
    KubeObject list = KubeObject::array();
    for (const auto& item : node.items) {
      list.push_back(as_json(item));
    }
    return list;
  }
  return node.text;
}

class AdmissionPolicyTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = std::string(ATHANOR_SOURCE_DIR) + "/crds/approval-policy.yaml";
    const auto documents = parse_yaml(test::read_file(path), path);
    ASSERT_TRUE(documents) << documents.error().describe();
    ASSERT_EQ(documents->size(), 2U);
    policy = as_json(documents->front());
    binding = as_json(documents->back());
    // As the API server completes them.
    policy["metadata"]["creationTimestamp"] = "2026-11-21T02:00:00Z";
    binding["metadata"]["creationTimestamp"] = "2026-11-21T02:00:05Z";
    KubeObject& constraints = policy["spec"]["matchConstraints"];
    constraints["matchPolicy"] = "Equivalent";
    constraints["namespaceSelector"] = constraints["objectSelector"] = KubeObject::object();
    constraints["resourceRules"][0]["scope"] = "*";
  }
  [[nodiscard]] std::string complaint() const {
    const auto checked = check_admission_policy(policy, binding);
    return checked ? "" : checked.error().describe();
  }

  KubeObject policy;
  KubeObject binding;
  test::FakeKube kube;
  test::FakeClock clock;
};

TEST_F(AdmissionPolicyTest, IsInForceSinceTheYoungerOfPolicyAndBinding) {
  EXPECT_EQ(complaint(), "");
  EXPECT_EQ(check_admission_policy(policy, binding).value(), parse_iso8601("2026-11-21T02:00:05Z"));
  binding["spec"]["validationActions"] = KubeObject::array({"Deny", "Audit"});
  EXPECT_EQ(complaint(), "");
}

TEST_F(AdmissionPolicyTest, IsNotInForceWhenAnyOfThisDiffers) {
  const KubeObject good_policy = policy;
  const KubeObject good_binding = binding;
  const KubeObject selector = {{"matchLabels", {{"checked", "yes"}}}};
  const std::vector<std::pair<const char*, KubeObject>> of_policy = {
      {"/spec/failurePolicy", "Ignore"},
      {"/spec/validations/0/expression", "true"},
      {"/spec/validations", KubeObject::array()},
      {"/spec/matchConditions", KubeObject::array({{{"name", "never"}, {"expression", "false"}}})},
      {"/spec/paramKind", {{"kind", "ConfigMap"}, {"apiVersion", "v1"}}},
      {"/spec/matchConstraints/namespaceSelector", selector},
      {"/spec/matchConstraints/objectSelector", selector},
      {"/spec/matchConstraints/excludeResourceRules", KubeObject::array({{{"operations", KubeObject::array({"*"})}}})},
      {"/spec/matchConstraints/resourceRules/0/operations", KubeObject::array({"UPDATE"})},
      {"/spec/matchConstraints/resourceRules/0/operations", KubeObject::array({"CREATE"})},
      {"/spec/matchConstraints/resourceRules/0/resources", KubeObject::array({"databasemigrations"})},
      {"/spec/matchConstraints/resourceRules/0/apiVersions", KubeObject::array({"v1"})},
      {"/spec/matchConstraints/resourceRules/0/resourceNames", KubeObject::array({"one"})},
      {"/spec/matchConstraints/resourceRules/0/scope", "Cluster"},
      {"/metadata/creationTimestamp", nullptr}};
  for (const auto& [path, value] : of_policy) {
    policy = good_policy;
    policy[KubeObject::json_pointer(path)] = value;
    EXPECT_NE(complaint(), "") << path;
  }
  policy = good_policy;
  const std::vector<std::pair<const char*, KubeObject>> of_binding = {
      {"/spec/policyName", "another"},
      {"/spec/validationActions", KubeObject::array({"Audit"})},
      {"/spec/matchResources", {{"namespaceSelector", selector}}},
      {"/spec/paramRef", {{"name", "x"}}}};
  for (const auto& [path, value] : of_binding) {
    binding = good_binding;
    binding[KubeObject::json_pointer(path)] = value;
    EXPECT_NE(complaint(), "") << path;
  }
}

TEST_F(AdmissionPolicyTest, IsReadOnceInHalfAMinuteAndMissedWhenItGoes) {
  AdmissionPolicy checked(kube, clock);
  EXPECT_NE(checked.in_force_since().error().message.find("ValidatingAdmissionPolicy migrationapprovals.athanor.dev does not"),
            std::string::npos);
  kube.put(kube::kAdmissionPolicies, policy);
  kube.put(kube::kAdmissionPolicyBindings, binding);
  EXPECT_FALSE(checked.in_force_since()) << "asked a moment ago";
  clock.advance(std::chrono::seconds(6));
  EXPECT_TRUE(checked.in_force_since());
  EXPECT_TRUE(checked.in_force_since());
  EXPECT_EQ(kube.count("get", "validatingadmissionpolicies"), 2U);
  kube.drop(kube::kAdmissionPolicyBindings, {"", kAdmissionPolicyName});
  clock.advance(std::chrono::seconds(31));
  EXPECT_NE(checked.in_force_since().error().message.find("Binding migrationapprovals.athanor.dev does not exist"),
            std::string::npos);
}

// The policy goes, and a moment later somebody approves in another name: the answer of before is not for that.
TEST_F(AdmissionPolicyTest, IsReadAgainForEveryApprovalThatComes) {
  AdmissionPolicy checked(kube, clock);
  ApprovalIndex index([](const ResourceKey&) {}, &checked);
  kube.put(kube::kAdmissionPolicies, policy);
  kube.put(kube::kAdmissionPolicyBindings, binding);
  EXPECT_TRUE(index.trusted_since());
  kube.drop(kube::kAdmissionPolicies, {"", kAdmissionPolicyName});
  EXPECT_TRUE(index.trusted_since());
  index.applied({"shop", "forged"}, {{"metadata", {{"name", "forged"}}}, {"spec", {{"migration", "orders"}}}});
  EXPECT_FALSE(index.trusted_since());
}

TEST_F(AdmissionPolicyTest, CountsAsMissingWhereItCannotBeRead) {
  AdmissionPolicy checked(kube, clock);
  kube.fail({.verb = "get", .error = Error(ErrorCode::ApiForbidden, "no")});
  const auto refused = checked.in_force_since();
  EXPECT_EQ(refused.error().code, ErrorCode::PolicyRefused);
  EXPECT_NE(refused.error().message.find("the operator is not allowed to read"), std::string::npos)
      << refused.error().describe();
  clock.advance(std::chrono::seconds(6));
  kube.fail({.verb = "get", .error = Error(ErrorCode::ApiUnreachable, "gone")});
  EXPECT_EQ(checked.in_force_since().error().code, ErrorCode::PolicyRefused);
}

}  // namespace
}  // namespace athanor::controller
