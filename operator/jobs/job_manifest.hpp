// The Job of one attempt, as a pure function of resource, attempt and plan.
//
//   athanor upgrade --json --plan-hash=… --migrations=… --set=… -- TARGET
//   athanor plan --json --show-sql --migrations=… --set=… -- upgrade TARGET
//
// The plan's hash goes along, so that the pod runs the plan that was decided (and approved) on, or refuses. The way the run
// ended comes back as the pod's termination message.
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
// What a Job was made for, for the operator that sees it end.
inline constexpr const char* kPlanAnnotation = "athanor.dev/plan";
inline constexpr const char* kRevisionsAnnotation = "athanor.dev/revisions";
inline constexpr const char* kFromAnnotation = "athanor.dev/from";
inline constexpr const char* kDeclarationAnnotation = "athanor.dev/declaration";
inline constexpr const char* kWorkAnnotation = "athanor.dev/work";
inline constexpr const char* kPlanWork = "plan";
inline constexpr const char* kGenerationAnnotation = "athanor.dev/generation";

// The resource's name, cut, and ten digits that say which attempt; other resources and other attempts have other names.
[[nodiscard]] std::string job_name(const DatabaseMigration& resource, const std::string& attempt);
// Value of the label that all Jobs of a resource carry: its name, or what stands for it where a label cannot be that long.
[[nodiscard]] std::string migration_label(const std::string& name);
// What every Job of this operator has.
struct JobOptions {
  std::string image;  // of athanor
  PodTemplateRules template_rules = {};
  std::vector<std::string> source_images = {};  // check_source_image()
};
[[nodiscard]] Result<KubeObject> job_manifest(const DatabaseMigration& resource, const JobRequest& request,
                                              const JobOptions& options, const JobFiles& files = {});
// How long the Job is kept once it ended, at least a minute: its end must be seen.
[[nodiscard]] std::chrono::seconds job_ttl(const DatabaseMigration& resource);

}  // namespace athanor::controller
