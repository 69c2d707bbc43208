// Merges the pod template of a resource with the pod that the operator builds.
//
// The author of a resource may lack the right to create Jobs, which the operator has. So a template may set where the pod runs
// and its resource requests and limits, but not what runs in it or what it can access. A list of allowed fields decides; every
// other field is refused, also fields of future Kubernetes versions. Image, command, variables, security context and service
// account come from the operator. A template may name a service account only if the operator's settings allow it by name.
//
// Objects are merged member by member, and so is the container `athanor`. Volumes are merged by name and mounts by path. Any
// other list, and `resources`, come from the template.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

// What the operator's settings allow beyond the list.
struct PodTemplateRules {
  std::vector<std::string> service_accounts;
};

// Checks a template against the list in docs/spec/database-migration.md. Error: Configuration with the field's path.
[[nodiscard]] Result<void> check_template(const KubeObject& pod_template, const PodTemplateRules& rules);

// Returns `pod` overlaid with `pod_template`, which must have passed check_template().
[[nodiscard]] KubeObject lay_over(KubeObject pod_template, const KubeObject& pod);

}  // namespace athanor::controller
