// Builds the Job of one attempt from the resource, the attempt and the plan.
//
//   athanor upgrade --json --plan-hash=… --migrations=… --set=… -- TARGET
//   athanor plan --json --show-sql --migrations=… --set=… -- upgrade TARGET
//
// The plan's hash is passed on, so that the pod runs the plan that was decided on (and approved), or refuses. The pod reports
// the result in its termination message.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "operator/api/database_migration.hpp"
#include "operator/jobs/job_files.hpp"
#include "operator/jobs/pod_template.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/reconcile/job_execution.hpp"

namespace athanor::controller {

inline constexpr const char* kJobContainer = "athanor";
inline constexpr const char* kMigrationLabel = "athanor.dev/migration";
inline constexpr const char* kAttemptLabel = "athanor.dev/attempt";
// These annotations record what the Job was created for. The operator reads them when the Job has ended, perhaps after a
// restart.
inline constexpr const char* kPlanAnnotation = "athanor.dev/plan";
inline constexpr const char* kRevisionsAnnotation = "athanor.dev/revisions";
inline constexpr const char* kFromAnnotation = "athanor.dev/from";
inline constexpr const char* kDeclarationAnnotation = "athanor.dev/declaration";
inline constexpr const char* kWorkAnnotation = "athanor.dev/work";
inline constexpr const char* kPlanWork = "plan";
inline constexpr const char* kGenerationAnnotation = "athanor.dev/generation";

// Returns the Job's name: the beginning of the resource's name, and ten hex digits of a digest of resource and attempt. The
// same attempt always gets the same name, so creating it twice fails with 409 instead of running it twice.
[[nodiscard]] std::string job_name(const DatabaseMigration& resource, const std::string& attempt);
// Returns the value of kMigrationLabel for the Jobs of a resource: its name, or its beginning and a digest when it is longer
// than 63 characters.
[[nodiscard]] std::string migration_label(const std::string& name);
// Settings of the operator that apply to all its Jobs.
struct JobOptions {
  std::string image;  // that contains the program athanor
  PodTemplateRules template_rules = {};
  std::vector<std::string> source_images = {};  // see check_source_image()
  KubeObject defaults = KubeObject::object();   // in the form of spec.execution.job, for what a resource leaves out
};
// Returns the Job. Errors: Configuration when the resource's pod template, image or secrets are not allowed in a Job.
[[nodiscard]] Result<KubeObject> job_manifest(const DatabaseMigration& resource, const JobRequest& request,
                                              const JobOptions& options, const JobFiles& files = {});
// How long the Job is kept after it ended, at least one minute, so that the operator sees its end.
[[nodiscard]] std::chrono::seconds job_ttl(const DatabaseMigration& resource);

}  // namespace athanor::controller
