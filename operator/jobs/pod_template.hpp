// The pod template of a resource, laid over the pod that the operator would make by itself.
//
// The operator may create Jobs, and who writes a resource perhaps may not. So a template says where and with how much a pod
// runs, and nothing about what runs in it or what it can reach: it is checked against a list of fields, and whatever is not on
// the list is refused, fields of later versions of Kubernetes included. Image, command, variables, security context and service
// account are the operator's own. A service account may be named if whoever runs the operator allows it by name.
//
// Objects are joined member by member; the container `athanor` member by member; volumes by name, mounts by path; any other
// list, and resources, are the template's.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

// What whoever runs the operator allows beyond the list.
struct PodTemplateRules {
  std::vector<std::string> service_accounts;
};

// Configuration, with the field's path: the template asks for something that is not on the list. The list is in
// docs/spec/database-migration.md.
[[nodiscard]] Result<void> check_template(const KubeObject& pod_template, const PodTemplateRules& rules);

// `pod_template` has passed check_template().
[[nodiscard]] KubeObject lay_over(KubeObject pod_template, const KubeObject& pod);

}  // namespace athanor::controller
