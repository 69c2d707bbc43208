// Merges the pod template of a resource with the pod that the operator builds.
//
// The author of a resource may lack the right to create Jobs, which the operator has. So a template may set where the pod runs
// and its resource requests and limits, but not what runs in it or what it can access. A list of allowed fields decides; every
// other field is refused, also fields of future Kubernetes versions. Image, command, security context, variables and service
// account come from the operator. A template may set a variable or name a service account only if the operator's settings allow
// it by name.
//
// spec.execution.job contains the most common of these fields without the nesting of a pod. The operator's own defaults
// (--job-defaults) have the same form.
//
// Objects are merged member by member, and so is the container `athanor`. Volumes are merged by name and mounts by path. Any
// other list, and `resources`, come from the template.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

// What the operator's settings allow beyond the list.
struct PodTemplateRules {
  std::vector<std::string> service_accounts;
  std::vector<std::string> variables = {};
};

// Checks a template against the list in docs/spec/database-migration.md. Error: Configuration with the field's path.
[[nodiscard]] Result<void> check_template(const KubeObject& pod_template, const PodTemplateRules& rules);

// Checks spec.execution.job against the same list. Error: Configuration with the field's path.
[[nodiscard]] Result<void> check_job(const KubeObject& job, const PodTemplateRules& rules);
// Parses the value of --job-defaults: an object with the fields of spec.execution.job. Their values are not checked, because
// whoever sets them runs the operator. Error: Usage.
[[nodiscard]] Result<KubeObject> parse_job_defaults(const std::string& text);
// Returns the pod template that sets the same fields as `job`.
[[nodiscard]] KubeObject template_of_job(const KubeObject& job);
// Returns whether --job-variable may allow a variable: a valid name, and none that athanor, libpq, OpenSSL, the C library or
// the dynamic loader reads.
[[nodiscard]] bool may_be_variable(std::string_view name);

// Returns `pod` overlaid with `pod_template`, which must have passed check_template().
[[nodiscard]] KubeObject lay_over(KubeObject pod_template, const KubeObject& pod);

}  // namespace athanor::controller
