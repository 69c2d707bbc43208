#include "operator/jobs/pod_template.hpp"

#include <algorithm>
#include <string_view>

#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

void lay_beneath(KubeObject& given, const KubeObject& ours);

// Returns the member that identifies the items of a list; nullptr when the list is merged as a whole.
const char* key_of(std::string_view list) {
  if (list == "containers" || list == "volumes" || list == "env") {
    return "name";
  }
  return list == "volumeMounts" ? "mountPath" : nullptr;
}

void join_list(KubeObject& given, const KubeObject& ours, const char* key, bool containers) {
  for (const auto& item : ours) {
    const std::string name = text_of(item, key);
    const auto same = std::find_if(given.begin(), given.end(),
                                   [&](const KubeObject& other) { return other.is_object() && text_of(other, key) == name; });
    if (same == given.end()) {
      given.push_back(item);
    } else if (containers) {
      lay_beneath(*same, item);
    }
  }
}

void lay_beneath(KubeObject& given, const KubeObject& ours) {
  for (const auto& [name, value] : ours.items()) {
    const auto found = given.find(name);
    // The template wins; ours only fills in what it leaves out.
    if (found == given.end() || found->is_null()) {
      given[name] = value;
    } else if (found->is_object() && value.is_object() && name != "resources") {
      lay_beneath(*found, value);
    } else if (const char* const key = key_of(name); key != nullptr && found->is_array() && value.is_array()) {
      join_list(*found, value, key, name == "containers");
    }
  }
}

}  // namespace

KubeObject template_of_job(const KubeObject& job) {
  KubeObject spec = KubeObject::object();
  KubeObject container = {{"name", "athanor"}};
  for (const auto& [name, value] : job.items()) {
    const bool of_container = name == "resources" || name == "env" || name == "volumeMounts";
    (of_container ? container : spec)[name] = value;
  }
  if (container.size() > 1) {
    spec["containers"] = KubeObject::array({std::move(container)});
  }
  return {{"spec", std::move(spec)}};
}

KubeObject lay_over(KubeObject pod_template, const KubeObject& pod) {
  if (!pod_template.is_object()) {
    return pod;
  }
  lay_beneath(pod_template, pod);
  return pod_template;
}

}  // namespace athanor::controller
