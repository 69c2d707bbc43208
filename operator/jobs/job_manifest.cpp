#include "operator/jobs/job_manifest.hpp"

#include <algorithm>

#include "migrations/base/sha256.hpp"
#include "operator/jobs/job_pod.hpp"
#include "operator/jobs/pod_template.hpp"
#include "operator/jobs/source_image.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kDigits = 10;
constexpr std::size_t kNameInJob =
    40;  // a pod's name is the Job's plus six characters and must fit into 63, the limit of a host name
constexpr std::size_t kLongestLabel = 63;
constexpr std::chrono::seconds kLeastTtl{60};
constexpr int kGracePeriod = 300;
constexpr int kImageGroup = 65'532;  // the group of the image's user
constexpr const char* kTerminationLog = "/dev/termination-log";

// Returns a beginning of `name` that is valid before a dash in a host name.
std::string beginning_of(const std::string& name) {
  std::string cut = name.substr(0, kNameInJob);
  std::ranges::replace(cut, '.', '-');
  while (cut.ends_with('-')) {
    cut.pop_back();
  }
  return cut;
}

std::int64_t whole_seconds(milliseconds duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

KubeObject labels_of(const DatabaseMigration& resource, const std::string& attempt) {
  return {{kMigrationLabel, migration_label(resource.metadata.name)},
          {kAttemptLabel, attempt},
          {"app.kubernetes.io/managed-by", "athanor-operator"}};
}

// With downgrades allowed, the pod finds out in which direction the target lies; otherwise it only upgrades.
std::string what_is_planned(const DatabaseMigration& resource) {
  return resource.spec.policy.downgrade == DowngradePolicy::Allow ? "to" : std::string(direction_name(Direction::Upgrade));
}

Result<JobPod> describe_pod(const DatabaseMigration& resource, const JobRequest& request, const JobFiles& files) {
  JobPod pod;
  const bool plans = request.work == JobRequest::Work::Plan;
  const Direction direction = request.plan == nullptr ? Direction::Upgrade : request.plan->operation;
  pod.add_argument(plans ? "plan" : std::string(direction_name(direction)));
  pod.add_argument("--json");
  pod.add_flag("--report", kTerminationLog);
  if (resource.spec.source.image) {
    pod.add_argument("--verify");  // only the pod can compare the applied revisions with the files in an image
  }
  if (plans) {
    pod.add_argument("--show-sql");  // the statements go to the pod's log, the hash to its report
    add_lint(resource, pod);
  } else if (request.plan != nullptr) {
    pod.add_flag("--plan-hash", request.plan->hash);
  }
  TRY(add_source(resource, files, pod));
  add_settings(resource, pod);
  // What follows is positional: a target that starts with a dash must not be read as an option.
  pod.add_argument("--");
  if (plans) {
    pod.add_argument(what_is_planned(resource));
  }
  // Pass the plan's target, not the resource's: with the revision texts from the ledger added, `head` could resolve to another
  // revision in the pod.
  pod.add_argument(request.plan != nullptr && !request.plan->target.empty() ? request.plan->target
                                                                            : resource.spec.target_revision);
  TRY(add_database(resource, pod));
  return pod;
}

KubeObject container_of(JobPod& pod, const std::string& image) {
  KubeObject container = {{"name", kJobContainer},
                          {"image", image},
                          {"command", KubeObject::array({"athanor"})},
                          {"args", std::move(pod.arguments)},
                          {"env", std::move(pod.environment)},
                          {"resources", {{"requests", {{"cpu", "100m"}, {"memory", "64Mi"}}}}},
                          {"securityContext",
                           {{"allowPrivilegeEscalation", false},
                            {"capabilities", {{"drop", KubeObject::array({"ALL"})}}},
                            {"privileged", false},
                            {"readOnlyRootFilesystem", true},
                            {"runAsNonRoot", true},
                            {"seccompProfile", {{"type", "RuntimeDefault"}}}}}};
  if (!pod.mounts.empty()) {
    container["volumeMounts"] = std::move(pod.mounts);
  }
  return container;
}

KubeObject pod_of(JobPod pod, const std::string& image) {
  KubeObject security = {{"runAsNonRoot", true}, {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  if (pod.reads_keys) {
    security["fsGroup"] = kImageGroup;
  }
  KubeObject spec = {{"automountServiceAccountToken", false},
                     {"enableServiceLinks", false},
                     {"terminationGracePeriodSeconds", kGracePeriod},
                     {"securityContext", std::move(security)}};
  if (!pod.volumes.empty()) {
    spec["volumes"] = pod.volumes;
  }
  spec["containers"] = KubeObject::array({container_of(pod, image)});
  return {{"metadata", {{"labels", KubeObject::object()}}}, {"spec", std::move(spec)}};
}

// Sets what a template must not change: without these fields the operator could not see the result of the run.
void insist(KubeObject& pod, const KubeObject& labels) {
  const KubeObject::json_pointer label_place("/metadata/labels");
  if (pod.contains(label_place) && pod[label_place].is_object()) {
    pod[label_place].update(labels);
  }
  const auto spec = pod.find("spec");
  if (spec == pod.end() || !spec->is_object()) {
    return;
  }
  (*spec)["restartPolicy"] = "Never";
  const auto containers = spec->find("containers");
  if (containers == spec->end() || !containers->is_array()) {
    return;
  }
  for (auto& container : *containers) {
    if (container.is_object() && text_of(container, "name") == kJobContainer) {
      container["terminationMessagePath"] = kTerminationLog;
      container["terminationMessagePolicy"] = "FallbackToLogsOnError";
    }
  }
}

Result<KubeObject> read_part(const std::string& text, const std::string& field) {
  KubeObject given = text.empty() ? KubeObject::object() : KubeObject::parse(text, nullptr, false);
  return given.is_object() ? Result<KubeObject>(std::move(given))
                           : fail(Error(ErrorCode::Configuration, "is not an object").at(field));
}

// Merges spec.execution.job, spec.execution.podTemplate and the operator's defaults; the first that sets a field wins.
Result<KubeObject> read_template(const DatabaseMigration& resource, const JobOptions& options) {
  const ExecutionSpec& execution = resource.spec.execution;
  TRY_ASSIGN(const KubeObject job, read_part(execution.job, "spec.execution.job"));
  TRY_ASSIGN(KubeObject given, read_part(execution.pod_template, "spec.execution.podTemplate"));
  TRY(check_job(job, options.template_rules));
  TRY(check_template(given, options.template_rules));
  return lay_over(lay_over(template_of_job(job), given), template_of_job(options.defaults));
}

KubeObject owner_of(const DatabaseMigration& resource) {
  return {{"apiVersion", kApiVersion},
          {"kind", kDatabaseMigrationKind},
          {"name", resource.metadata.name},
          {"uid", resource.metadata.uid},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

// A pod that was disrupted (evicted, or its node was lost) is not a failed attempt. The Job creates another pod, which reads
// the state of the database first.
KubeObject failure_policy() {
  KubeObject conditions = KubeObject::array({{{"type", "DisruptionTarget"}, {"status", "True"}}});
  KubeObject rules = KubeObject::array({{{"action", "Ignore"}, {"onPodConditions", std::move(conditions)}}});
  return {{"rules", std::move(rules)}};
}

KubeObject annotations_of(const DatabaseMigration& resource, const JobRequest& request, const JobFiles& files) {
  KubeObject annotations = {{kDeclarationAnnotation, request.declaration},
                            {kGenerationAnnotation, std::to_string(resource.metadata.generation)},
                            {kFromAnnotation, KubeObject(request.from).dump()}};
  if (request.work == JobRequest::Work::Plan) {
    annotations[kWorkAnnotation] = kPlanWork;
  }
  if (request.plan != nullptr) {
    annotations[kPlanAnnotation] = request.plan->hash;
    annotations[kRevisionsAnnotation] = std::to_string(request.plan->revisions.size());
  }
  if (files.size() > 0) {
    annotations[kFilesAnnotation] = files.last();
  }
  return annotations;
}

}  // namespace

std::string job_name(const DatabaseMigration& resource, const std::string& attempt) {
  const std::string whole = resource.metadata.uid + '\n' + resource.key().text() + '\n' + attempt;
  return beginning_of(resource.metadata.name) + "-" + sha256_hex(whole).substr(0, kDigits);
}

std::string migration_label(const std::string& name) {
  return name.size() <= kLongestLabel ? name : beginning_of(name) + "-" + sha256_hex(name).substr(0, kDigits);
}

std::chrono::seconds job_ttl(const DatabaseMigration& resource) {
  return std::max(kLeastTtl, std::chrono::ceil<std::chrono::seconds>(resource.spec.execution.job_ttl));
}

Result<KubeObject> job_manifest(const DatabaseMigration& resource, const JobRequest& request, const JobOptions& options,
                                const JobFiles& files) {
  if (resource.spec.source.image) {
    TRY(check_source_image(resource.spec.source.image->reference, options.source_images));
  }
  TRY_ASSIGN(JobPod parts, describe_pod(resource, request, files));
  TRY_ASSIGN(KubeObject given, read_template(resource, options));
  const KubeObject labels = labels_of(resource, request.attempt);
  KubeObject pod = lay_over(std::move(given), pod_of(std::move(parts), options.image));
  // After the template, which therefore cannot change these fields.
  insist(pod, labels);
  // No retries by the Job: the reconciler decides about the next attempt after it has read the database.
  KubeObject spec = {{"backoffLimit", 0},
                     {"ttlSecondsAfterFinished", job_ttl(resource).count()},
                     {"podFailurePolicy", failure_policy()},
                     {"template", std::move(pod)}};
  if (resource.spec.execution.active_deadline > milliseconds(0)) {
    spec["activeDeadlineSeconds"] = whole_seconds(resource.spec.execution.active_deadline);
  }
  KubeObject metadata = {{"name", job_name(resource, request.attempt)},
                         {"namespace", resource.metadata.name_space},
                         {"labels", labels},
                         {"annotations", annotations_of(resource, request, files)},
                         {"ownerReferences", KubeObject::array({owner_of(resource)})}};
  return KubeObject{{"apiVersion", kube::kJobs.api_version()},
                    {"kind", kube::kJobs.kind},
                    {"metadata", std::move(metadata)},
                    {"spec", std::move(spec)}};
}

}  // namespace athanor::controller
