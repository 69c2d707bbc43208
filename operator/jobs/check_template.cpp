#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "operator/jobs/job_manifest.hpp"
#include "operator/jobs/pod_template.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kTemplate = "spec.execution.podTemplate";
constexpr std::array<std::string_view, 2> kParts{"metadata", "spec"};
constexpr std::array<std::string_view, 2> kMetadata{"labels", "annotations"};
// Accepted unchanged: they decide where the pod runs, not what it may do there.
constexpr std::array<std::string_view, 9> kPlacement{
    "nodeSelector",     "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "imagePullSecrets",
    "runtimeClassName", "dnsPolicy",   "dnsConfig"};
constexpr std::array<std::string_view, 2> kAccount{"serviceAccountName", "automountServiceAccountToken"};
constexpr const char* kJob = "spec.execution.job";
constexpr std::array<std::string_view, 8> kJobMembers{
    "serviceAccountName", "imagePullSecrets", "resources", "nodeSelector", "tolerations", "env", "volumes", "volumeMounts"};
constexpr std::array<std::string_view, 4> kContainer{"name", "resources", "volumeMounts", "env"};
constexpr std::array<std::string_view, 2> kVariable{"name", "value"};
constexpr std::array<std::string_view, 2> kResources{"requests", "limits"};  // not claims: they give access to devices
constexpr std::array<std::string_view, 3> kMount{"name", "mountPath", "readOnly"};
// Kinds that contain no secrets: a volume of their kind shows nothing that its author could not read anyway.
constexpr std::array<std::string_view, 3> kVolumes{"emptyDir", "configMap", "downwardAPI"};
// Annotations that switch off AppArmor or seccomp.
constexpr std::array<std::string_view, 3> kUnconfined{"container.apparmor.security.beta.kubernetes.io/",
                                                      "container.seccomp.security.alpha.kubernetes.io/",
                                                      "seccomp.security.alpha.kubernetes.io/"};

bool is_in(std::string_view name, std::span<const std::string_view> list) {
  return std::ranges::find(list, name) != list.end();
}

Error not_allowed(const std::string& field, const std::string& why = "may not be set in a pod template") {
  return Error(ErrorCode::Configuration, why).at(field).advise("remove it: a template sets only placement and resources");
}

Result<void> require_object(const KubeObject& value, const std::string& field) {
  return value.is_object() ? Result<void>() : fail(Error(ErrorCode::Configuration, "is not an object").at(field));
}

Result<void> require_list(const KubeObject& value, const std::string& field) {
  return value.is_array() ? Result<void>() : fail(Error(ErrorCode::Configuration, "is not a list").at(field));
}

Result<void> check_members(const KubeObject& object, const std::string& field, std::span<const std::string_view> allowed) {
  TRY(require_object(object, field));
  // A list of what is allowed, not of what is forbidden: a field that a later Kubernetes version adds is rejected until it was
  // considered.
  for (const auto& [name, value] : object.items()) {
    if (!is_in(name, allowed)) {
      return fail(not_allowed(field + "." + name));
    }
  }
  return {};
}

Result<void> check_metadata(const KubeObject& metadata) {
  const std::string field = std::string(kTemplate) + ".metadata";
  TRY(check_members(metadata, field, kMetadata));
  for (const auto& [part, texts] : metadata.items()) {
    TRY(require_object(texts, field + "." + part));
    for (const auto& [name, value] : texts.items()) {
      const bool lifts =
          std::ranges::any_of(kUnconfined, [&, &name = name](std::string_view prefix) { return name.starts_with(prefix); });
      if (lifts || !value.is_string()) {
        return fail(not_allowed(field + "." + part + "." + name));
      }
    }
  }
  return {};
}

Result<void> check_volumes(const KubeObject& volumes, const std::string& field) {
  TRY(require_list(volumes, field));
  for (std::size_t index = 0; index < volumes.size(); ++index) {
    const KubeObject& volume = volumes[index];
    const std::string here = field + "[" + std::to_string(index) + "]";
    TRY(require_object(volume, here));
    for (const auto& [name, value] : volume.items()) {
      if (name != "name" && !is_in(name, kVolumes)) {
        return fail(not_allowed(here + "." + name, "is a type of volume that is not allowed in a pod template"));
      }
    }
    if (text_of(volume, "name").starts_with(kJobContainer)) {
      return fail(not_allowed(here + ".name", "is reserved for the operator"));
    }
  }
  return {};
}

// A mount must not cover a file of the image or a volume of the operator, least of all a program.
bool is_free_place(const std::string& path) {
  const bool below = path == "/tmp" || path.starts_with("/tmp/") || (path.starts_with("/mnt/") && path.size() > 5);
  return below && path.find("..") == std::string::npos;
}

Result<void> check_mounts(const KubeObject& mounts, const std::string& field) {
  TRY(require_list(mounts, field));
  for (std::size_t index = 0; index < mounts.size(); ++index) {
    const std::string here = field + "[" + std::to_string(index) + "]";
    TRY(check_members(mounts[index], here, kMount));
    if (!is_free_place(text_of(mounts[index], "mountPath"))) {
      return fail(not_allowed(here + ".mountPath", "must be /tmp, or below /tmp/ or /mnt/"));
    }
    if (text_of(mounts[index], "name").starts_with(kJobContainer)) {
      return fail(not_allowed(here + ".name", "is a volume of the operator"));
    }
  }
  return {};
}

// Allows plain values only. `valueFrom` would read Secrets that the author of the resource may not read, and `$(NAME)` would
// copy a variable of the operator, such as the database URL.
Result<void> check_variables(const KubeObject& variables, const std::string& field, const PodTemplateRules& rules) {
  TRY(require_list(variables, field));
  for (std::size_t index = 0; index < variables.size(); ++index) {
    const std::string here = field + "[" + std::to_string(index) + "]";
    TRY(check_members(variables[index], here, kVariable));
    if (std::ranges::find(rules.variables, text_of(variables[index], "name")) == rules.variables.end()) {
      return fail(not_allowed(here + ".name", "is not a variable that the operator allows by name"));
    }
    const auto value = variables[index].find("value");
    if (value != variables[index].end() && (!value->is_string() || value->get<std::string>().find("$(") != std::string::npos)) {
      return fail(not_allowed(here + ".value", "is not plain text"));
    }
  }
  return {};
}

Result<void> check_resources(const KubeObject& container, const std::string& field) {
  const auto resources = container.find("resources");
  return resources == container.end() ? Result<void>() : check_members(*resources, field + ".resources", kResources);
}

Result<void> check_inside(const KubeObject& container, const std::string& field, const PodTemplateRules& rules) {
  TRY(check_resources(container, field));
  if (const auto mounts = container.find("volumeMounts"); mounts != container.end()) {
    TRY(check_mounts(*mounts, field + ".volumeMounts"));
  }
  const auto variables = container.find("env");
  return variables == container.end() ? Result<void>() : check_variables(*variables, field + ".env", rules);
}

Result<void> check_containers(const KubeObject& containers, const std::string& field, const PodTemplateRules& rules) {
  TRY(require_list(containers, field));
  for (std::size_t index = 0; index < containers.size(); ++index) {
    const KubeObject& container = containers[index];
    const std::string here = field + "[" + std::to_string(index) + "]";
    TRY(require_object(container, here));
    if (text_of(container, "name") != kJobContainer || index > 0) {
      return fail(not_allowed(here, std::string("is not the container ") + kJobContainer + ", the only one of the pod"));
    }
    TRY(check_members(container, here, kContainer));
    TRY(check_inside(container, here, rules));
  }
  return {};
}

Result<void> check_account(const KubeObject& spec, const std::string& field, const PodTemplateRules& rules) {
  const std::string account = text_of(spec, "serviceAccountName");
  const bool allowed = std::ranges::find(rules.service_accounts, account) != rules.service_accounts.end();
  for (const std::string_view name : kAccount) {
    if (spec.contains(std::string(name)) && !allowed) {
      return fail(not_allowed(field + "." + std::string(name), "needs a service account that the operator allows"));
    }
  }
  return {};
}

Result<void> check_spec(const KubeObject& spec, const PodTemplateRules& rules) {
  const std::string field = std::string(kTemplate) + ".spec";
  TRY(require_object(spec, field));
  TRY(check_account(spec, field, rules));
  for (const auto& [name, value] : spec.items()) {
    const std::string here = field + "." + name;
    if (name == "volumes") {
      TRY(check_volumes(value, here));
    } else if (name == "containers") {
      TRY(check_containers(value, here, rules));
    } else if (!is_in(name, kPlacement) && !is_in(name, kAccount)) {
      return fail(not_allowed(here));
    }
  }
  return {};
}

}  // namespace

Result<void> check_job(const KubeObject& job, const PodTemplateRules& rules) {
  TRY(check_members(job, kJob, kJobMembers));
  TRY(check_account(job, kJob, rules));
  if (const auto volumes = job.find("volumes"); volumes != job.end()) {
    TRY(check_volumes(*volumes, std::string(kJob) + ".volumes"));
  }
  return check_inside(job, kJob, rules);
}

Result<KubeObject> parse_job_defaults(const std::string& text) {
  KubeObject defaults = KubeObject::parse(text, nullptr, false);
  if (!defaults.is_object() || !check_members(defaults, kJob, kJobMembers)) {
    std::string names;
    for (const std::string_view name : kJobMembers) {
      names += (names.empty() ? "" : ", ") + std::string(name);
    }
    return fail(Error(ErrorCode::Usage, "is not a JSON object of " + names));
  }
  return defaults;
}

bool may_be_variable(std::string_view name) {
  constexpr std::array<std::string_view, 16> kOwn{"ATHANOR_", "PG",      "LD_",         "DATABASE_URL", "OPENSSL_", "SSL_CERT_",
                                                  "PYTHON",   "BASH_",   "KUBERNETES_", "GCONV_PATH",   "GLIBC_",   "MALLOC_",
                                                  "NLSPATH",  "LOCPATH", "HOSTALIASES", "RES_OPTIONS"};
  constexpr std::array<std::string_view, 5> kWhole{"PATH", "HOME", "USER", "ENV", "TMPDIR"};
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); }) && !is_in(name, kWhole) &&
         std::ranges::none_of(kOwn, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

Result<void> check_template(const KubeObject& pod_template, const PodTemplateRules& rules) {
  TRY(check_members(pod_template, kTemplate, kParts));
  if (const auto metadata = pod_template.find("metadata"); metadata != pod_template.end()) {
    TRY(check_metadata(*metadata));
  }
  if (const auto spec = pod_template.find("spec"); spec != pod_template.end()) {
    TRY(check_spec(*spec, rules));
  }
  return {};
}

}  // namespace athanor::controller
