#include "operator/jobs/job_runner.hpp"

#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "migrations/base/ids.hpp"
#include "operator/jobs/job_manifest.hpp"
#include "operator/jobs/job_state.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

// How far the API server's clock may be ahead of ours.
constexpr std::chrono::seconds kClocksDiffer{30};
constexpr std::size_t kMaxFailures = 10'000;
constexpr std::size_t kDigitsOfFiles = 5;
constexpr std::chrono::seconds kPauseAfterRefusal{60};

std::string metadata_text(const KubeObject& object, const char* name) {
  const auto* const metadata = part_of(object, "metadata");
  return metadata == nullptr ? std::string() : text_of(*metadata, name);
}

bool belongs_to(const KubeObject& job, const DatabaseMigration& resource) {
  const auto* const metadata = part_of(job, "metadata");
  const auto owners = metadata == nullptr ? KubeObject() : metadata->value("ownerReferences", KubeObject::array());
  for (const auto& owner : owners) {
    if (owner.is_object() && text_of(owner, "uid") == resource.metadata.uid) {
      return true;
    }
  }
  return false;
}

bool is_not_found(const Error& error) {
  return error.code == ErrorCode::ApiNotFound;
}

// An admission webhook with side effects does not support dry runs, and the API server then refuses the dry run.
bool refuses_dry_run(const Error& error) {
  return error.code == ErrorCode::ApiInvalid && error.message.find("does not support dry run") != std::string::npos;
}

Error foreign_job(const std::string& name) {
  return Error(ErrorCode::PolicyRefused, "Job " + name + " already exists and does not belong to this resource")
      .advise("delete or rename it");
}

std::string name_space_of(const KubeObject& object) {
  return metadata_text(object, "namespace");
}

// Returns the last ConfigMap that the pod needs to start; empty when it needs none.
std::string last_file_of(const KubeObject& job) {
  const auto* const metadata = part_of(job, "metadata");
  const auto* const notes = metadata == nullptr ? nullptr : part_of(*metadata, "annotations");
  return notes == nullptr ? std::string() : text_of(*notes, kFilesAnnotation);
}

Result<JobFiles> files_for(const DatabaseMigration& resource, const JobRequest& request) {
  return JobFiles::pack(resource, request.source, job_name(resource, request.attempt) + "-" + random_hex(kDigitsOfFiles));
}

// Orders a Job that has not ended before one that has, then newer ones first. The API server's times have whole seconds: of two
// Jobs created in the same second the one that ended later is newer, and a migration is newer than its plan.
bool comes_before(const KubeObject& left, const KubeObject& right) {
  const auto age = [](const KubeObject& job) {
    const JobState state = job_state(job, {}, {});
    return std::tuple(!state.has_ended(), state.created, state.ended, state.work == JobRequest::Work::Migrate);
  };
  return age(left) > age(right);
}

}  // namespace

Result<JobState> JobRunner::newest(const DatabaseMigration& resource) {
  ListOptions options;
  options.name_space = resource.metadata.name_space;
  options.label_selector = std::string(kMigrationLabel) + "=" + migration_label(resource.metadata.name);
  // The label selects by name only, and another resource of the same name may have existed before: belongs_to() compares uids.
  // Without a resourceVersion the list is read from etcd, so it includes a Job created a moment ago.
  TRY_ASSIGN(const ObjectList jobs, list_all(client_, kube::kJobs, options));
  const KubeObject* newest = nullptr;
  for (const auto& job : jobs.items) {
    if (belongs_to(job, resource) && (newest == nullptr || comes_before(job, *newest))) {
      newest = &job;
    }
  }
  JobState memory = remembered(resource);
  if (newest == nullptr) {
    return memory;
  }
  TRY_ASSIGN(const auto pods, pods_of(*newest));
  const JobState state = job_state(*newest, pods, clock_.wall_now());
  TRY_ASSIGN(const bool incomplete, lacks_files(*newest, pods));
  if (incomplete) {
    TRY(remove(*newest));
    log_.warn("removing a Job whose ConfigMaps are missing", {{"resource", resource.key().text()}, {"job", state.name}});
    return memory;
  }
  // The newest Job of the API server is older than the remembered failure, whose own Job is already deleted.
  if (state.has_ended() && memory.created && state.created < memory.created) {
    return memory;
  }
  if (state.kind == JobState::Kind::Failed) {
    remember(resource, state);
  }
  return state;
}

// Foreground deletion keeps the Job visible until its pods have ended. With background deletion the next reconcile could start
// a second run beside a pod that is still running.
Result<void> JobRunner::withdraw(const DatabaseMigration& resource, const JobState& job) {
  DeleteOptions options;
  options.uid = job.uid;
  options.propagation = "Foreground";
  return remove({resource.metadata.name_space, job.name}, options);
}

Result<void> JobRunner::check(const DatabaseMigration& resource, const JobRequest& request) {
  TRY_ASSIGN(const JobFiles files, files_for(resource, request));
  TRY(job_manifest(resource, request, options_, files));
  return {};
}

// Checks schema, admission and quota. A name that is taken is not an error here: start() finds out whose Job it is.
Result<void> JobRunner::dry_run_create(const DatabaseMigration& resource, const JobRequest& request) {
  if (const auto refused = refusal_of(resource.metadata.name_space, job_name(resource, request.attempt))) {
    return fail(*refused);
  }
  TRY_ASSIGN(const JobFiles files, files_for(resource, request));
  TRY_ASSIGN(const KubeObject manifest, job_manifest(resource, request, options_, files));
  const auto job = client_.create(kube::kJobs, resource.metadata.name_space, manifest, {.dry_run = true});
  if (!job) {
    const bool is_no_obstacle = job.error().code == ErrorCode::ApiConflict || refuses_dry_run(job.error());
    return is_no_obstacle ? Result<void>() : fail(Error(job.error()).at("Job " + metadata_text(manifest, "name")));
  }
  for (std::size_t index = 0; index < files.size(); ++index) {
    const auto file = client_.create(kube::kConfigMaps, name_space_of(*job), files.config_map(index, *job), {.dry_run = true});
    if (!file && !refuses_dry_run(file.error())) {
      return fail(Error(file.error()).at("a ConfigMap for Job " + metadata_text(manifest, "name")));
    }
  }
  return {};
}

Result<JobState> JobRunner::start(const DatabaseMigration& resource, const JobRequest& request) {
  if (const auto refused = refusal_of(resource.metadata.name_space, job_name(resource, request.attempt))) {
    return fail(*refused);
  }
  TRY_ASSIGN(const JobFiles files, files_for(resource, request));
  TRY_ASSIGN(const KubeObject manifest, job_manifest(resource, request, options_, files));
  const auto made = client_.create(kube::kJobs, resource.metadata.name_space, manifest);
  if (made) {
    return hand_over(*made, files);
  }
  const std::string name = metadata_text(manifest, "name");
  if (made.error().code != ErrorCode::ApiConflict) {
    return fail(Error(made.error()).at("Job " + name));
  }
  // 409: the Job exists already. Another replica created it, or we did and the response was lost, or it is an earlier try of
  // the same attempt.
  TRY_ASSIGN(const KubeObject other, client_.get(kube::kJobs, resource.metadata.name_space, name));
  if (!belongs_to(other, resource)) {
    return fail(foreign_job(name));
  }
  if (has_ended(other)) {
    return take_place_of(resource, other, manifest, files);
  }
  TRY_ASSIGN(const auto pods, pods_of(other));
  return job_state(other, pods, clock_.wall_now());
}

Result<JobState> JobRunner::take_place_of(const DatabaseMigration& resource, const KubeObject& other,
                                          const KubeObject& manifest, const JobFiles& files) {
  TRY(remove(other));
  const std::string name = metadata_text(other, "name");
  const auto made = client_.create(kube::kJobs, resource.metadata.name_space, manifest);
  if (made) {
    return hand_over(*made, files);
  }
  if (made.error().code != ErrorCode::ApiConflict) {
    return fail(Error(made.error()).at("Job " + name));
  }
  // The predecessor is still being deleted. Report the attempt as running; a later reconcile creates it.
  JobState state;
  state.kind = JobState::Kind::Running;
  state.name = name;
  state.message = "it waits for the previous Job to be deleted";
  return state;
}

Result<JobState> JobRunner::hand_over(const KubeObject& job, const JobFiles& files) {
  for (std::size_t index = 0; index < files.size(); ++index) {
    const KubeObject config_map = files.config_map(index, job);
    if (const auto made = client_.create(kube::kConfigMaps, name_space_of(job), config_map); !made) {
      // A Job without all its files cannot start. If this deletion fails, newest() deletes it later.
      (void)remove(job);
      const Error error = Error(made.error()).at("a ConfigMap for Job " + metadata_text(job, "name"));
      remember_refusal(job, error);
      return fail(error);
    }
  }
  return job_state(job, {}, clock_.wall_now());
}

std::optional<Error> JobRunner::refusal_of(const std::string& name_space, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = refusals_.find({name_space, name});
  if (found == refusals_.end() || found->second.until <= clock_.steady_now()) {
    return std::nullopt;
  }
  return found->second.error;
}

void JobRunner::remember_refusal(const KubeObject& job, const Error& error) {
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(refusals_, [now](const auto& known) { return known.second.until <= now; });
  refusals_.insert_or_assign({name_space_of(job), metadata_text(job, "name")}, Refusal{error, now + kPauseAfterRefusal});
}

// The ConfigMaps are created in order, so when the last one exists, all exist. A pod that has started needs them no longer.
Result<bool> JobRunner::lacks_files(const KubeObject& job, const std::vector<KubeObject>& pods) {
  const std::string last = last_file_of(job);
  if (last.empty() || has_ended(job) || has_begun(pods) || !metadata_text(job, "deletionTimestamp").empty()) {
    return false;
  }
  ListOptions options;
  options.name_space = name_space_of(job);
  // Only existence matters: a list of metadata does not transfer the files.
  options.field_selector = "metadata.name=" + last;
  options.metadata_only = true;
  TRY_ASSIGN(const ObjectList found, list_all(client_, kube::kConfigMaps, options));
  return found.items.empty();
}

Result<void> JobRunner::remove(const KubeObject& job) {
  DeleteOptions options;
  options.uid = metadata_text(job, "uid");
  return remove({name_space_of(job), metadata_text(job, "name")}, options);
}

// A Job that is gone (404), or whose name now belongs to another Job (409 on the uid precondition), counts as removed.
Result<void> JobRunner::remove(const ResourceKey& job, const DeleteOptions& options) {
  const auto removed = client_.remove(kube::kJobs, job.name_space, job.name, options);
  if (!removed && !is_not_found(removed.error()) && removed.error().code != ErrorCode::ApiConflict) {
    return fail(removed.error());
  }
  return {};
}

Result<std::vector<KubeObject>> JobRunner::pods_of(const KubeObject& job) {
  ListOptions options;
  options.name_space = name_space_of(job);
  options.label_selector = "job-name=" + metadata_text(job, "name");
  // A predecessor of the same name may still have pods with this label: keep only pods owned by this Job.
  TRY_ASSIGN(ObjectList pods, list_all(client_, kube::kPods, options));
  std::erase_if(pods.items, [&](const KubeObject& pod) {
    const auto* const metadata = part_of(pod, "metadata");
    const auto owners = metadata == nullptr ? KubeObject() : metadata->value("ownerReferences", KubeObject::array());
    return owners.empty() || !owners.front().is_object() || text_of(owners.front(), "uid") != metadata_text(job, "uid");
  });
  return std::move(pods.items);
}

void JobRunner::remember(const DatabaseMigration& resource, const JobState& state) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kMaxFailures && !failures_.contains(resource.key())) {
    failures_.erase(failures_.begin());
  }
  failures_.insert_or_assign(
      resource.key(), Failure{state, state.ended.value_or(clock_.wall_now()) + job_ttl(resource), resource.metadata.uid});
}

// Returns the failure of a Job that Kubernetes deleted after its time to live. A Job that disappeared earlier was deleted by
// hand, which asks for another attempt: forget its failure.
JobState JobRunner::remembered(const DatabaseMigration& resource) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(resource.key());
  if (found == failures_.end()) {
    return {};
  }
  if (found->second.owner == resource.metadata.uid && clock_.wall_now() + kClocksDiffer >= found->second.gone_at) {
    return found->second.state;
  }
  failures_.erase(found);
  return {};
}

}  // namespace athanor::controller
