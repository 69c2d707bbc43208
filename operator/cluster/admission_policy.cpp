#include "operator/cluster/admission_policy.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kKept{30};
constexpr std::chrono::seconds kKeptWhenBad{5};  // shorter, so that a repaired policy takes effect soon

// The expression in crds/approval-policy.yaml; a test compares the two.
constexpr std::string_view kExpression =
    "(request.operation == 'UPDATE' && object.spec.approvedBy == oldObject.spec.approvedBy) "
    "|| object.spec.approvedBy == request.userInfo.username";

Error not_in_force(const std::string& what) {
  return Error(ErrorCode::PolicyRefused, what + ", so the names of approvers cannot be trusted")
      .advise("apply crds/approval-policy.yaml (chart: crds.enabled)");
}

bool names(const KubeObject& list, const std::string& wanted) {
  return list.is_array() && std::ranges::any_of(list, [&](const KubeObject& item) {
           return item.is_string() && (item.get<std::string>() == wanted || item.get<std::string>() == "*");
         });
}

bool is_empty(const KubeObject& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() || found->empty();
}

KubeObject list_in(const KubeObject& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? KubeObject::array() : *found;
}

// Whether the constraints match every create and update of an approval, in any namespace and with any labels.
bool catches_every_approval(const KubeObject& constraints) {
  if (!is_empty(constraints, "namespaceSelector") || !is_empty(constraints, "objectSelector") ||
      !is_empty(constraints, "excludeResourceRules")) {
    return false;
  }
  return std::ranges::any_of(list_in(constraints, "resourceRules"), [](const KubeObject& rule) {
    if (!rule.is_object() || !is_empty(rule, "resourceNames")) {
      return false;
    }
    const std::string scope = text_of(rule, "scope");
    return names(list_in(rule, "apiGroups"), kube::kMigrationApprovals.group) &&
           names(list_in(rule, "apiVersions"), kube::kMigrationApprovals.version) &&
           names(list_in(rule, "resources"), kube::kMigrationApprovals.plural) &&
           names(list_in(rule, "operations"), "CREATE") && names(list_in(rule, "operations"), "UPDATE") &&
           (scope.empty() || scope == "*" || scope == "Namespaced");
  });
}

bool requires_own_name(const KubeObject& spec) {
  return std::ranges::any_of(list_in(spec, "validations"), [](const KubeObject& validation) {
    return validation.is_object() && text_of(validation, "expression") == kExpression;
  });
}

std::optional<WallTime> created(const KubeObject& object) {
  const auto* const metadata = part_of(object, "metadata");
  return metadata == nullptr ? std::nullopt : parse_iso8601(text_of(*metadata, "creationTimestamp"));
}

Result<KubeObject> read(KubeReader& reader, const ResourceType& type) {
  auto object = reader.get(type, "", kAdmissionPolicyName);
  if (object) {
    return std::move(*object);
  }
  const std::string named = type.kind + " " + kAdmissionPolicyName;
  if (object.error().code == ErrorCode::ApiNotFound) {
    return fail(not_in_force(named + " does not exist"));
  }
  if (object.error().code == ErrorCode::ApiForbidden) {
    return fail(Error(ErrorCode::PolicyRefused,
                      "the operator is not allowed to read " + named + ", so the names of approvers cannot be trusted")
                    .advise("allow its service account to get that object, as the chart's roles do"));
  }
  return fail(Error(ErrorCode::PolicyRefused, named + " cannot be read: " + object.error().message));
}

}  // namespace

Result<WallTime> check_admission_policy(const KubeObject& policy, const KubeObject& binding) {
  const std::string named = "ValidatingAdmissionPolicy " + std::string(kAdmissionPolicyName);
  const auto* const spec = part_of(policy, "spec");
  const auto* const constraints = spec == nullptr ? nullptr : part_of(*spec, "matchConstraints");
  // Additional validations only refuse more requests. Match conditions and parameters could exempt some.
  if (constraints == nullptr || !catches_every_approval(*constraints) || !requires_own_name(*spec) ||
      !is_empty(*spec, "matchConditions") || !is_empty(*spec, "paramKind") ||
      (spec->contains("failurePolicy") && text_of(*spec, "failurePolicy") != "Fail")) {
    return fail(not_in_force(named + " was changed"));
  }
  const auto* const bound = part_of(binding, "spec");
  if (bound == nullptr || text_of(*bound, "policyName") != kAdmissionPolicyName || !is_empty(*bound, "matchResources") ||
      !is_empty(*bound, "paramRef") || !names(list_in(*bound, "validationActions"), "Deny")) {
    return fail(not_in_force("the binding of " + named + " was changed"));
  }
  const auto of_policy = created(policy);
  const auto of_binding = created(binding);
  if (!of_policy || !of_binding) {
    return fail(not_in_force(named + " or its binding has no creation time"));
  }
  return std::max(*of_policy, *of_binding);
}

Result<WallTime> AdmissionPolicy::in_force_since() {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  // Read before the request: an approval that arrives while the request is running must not be covered by its answer.
  const std::uint64_t approvals = approvals_;
  if (answer_ && answered_ == approvals && now - requested_at_ <= (answer_->has_value() ? kKept : kKeptWhenBad)) {
    return *answer_;
  }
  answer_ = [this]() -> Result<WallTime> {
    TRY_ASSIGN(const KubeObject policy, read(reader_, kube::kAdmissionPolicies));
    TRY_ASSIGN(const KubeObject binding, read(reader_, kube::kAdmissionPolicyBindings));
    return check_admission_policy(policy, binding);
  }();
  requested_at_ = now;
  answered_ = approvals;
  return *answer_;
}

}  // namespace athanor::controller
