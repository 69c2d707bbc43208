#include "operator/cluster/job_runner.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "operator/cluster/job_manifest.hpp"
#include "operator/cluster/job_state.hpp"
#include "operator/cluster/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kPauseBeforeNext{60};
constexpr std::chrono::seconds kClocksDiffer{30};
constexpr std::size_t kMaxFailures = 10'000;

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

bool gone(const Error& error) {
  return error.code == ErrorCode::ApiNotFound;
}

Error not_ours(const std::string& name) {
  return Error(ErrorCode::PolicyRefused, "Job " + name + " exists and belongs to somebody else").advise("delete or rename it");
}

}  // namespace

Result<JobState> JobRunner::unfinished(const DatabaseMigration& resource) {
  ListOptions options;
  options.name_space = resource.metadata.name_space;
  options.label_selector = std::string(kMigrationLabel) + "=" + migration_label(resource.metadata.name);
  TRY_ASSIGN(const ObjectList jobs, list_all(client_, kube::kJobs, options));
  const KubeObject* newest = nullptr;
  for (const auto& job : jobs.items) {
    const bool running = belongs_to(job, resource) && !has_ended(job);
    if (running &&
        (newest == nullptr || metadata_text(job, "creationTimestamp") > metadata_text(*newest, "creationTimestamp"))) {
      newest = &job;
    }
  }
  return newest == nullptr ? Result<JobState>(JobState()) : look_at(resource, *newest);
}

Result<JobState> JobRunner::find(const DatabaseMigration& resource, const std::string& attempt) {
  const std::string name = job_name(resource, attempt);
  auto job = client_.get(kube::kJobs, resource.metadata.name_space, name);
  if (!job) {
    return gone(job.error()) ? Result<JobState>(remembered(resource, name)) : fail(std::move(job).error());
  }
  if (!belongs_to(*job, resource)) {
    return fail(not_ours(name));
  }
  TRY_ASSIGN(JobState state, look_at(resource, *job));
  return state.kind == JobState::Kind::Failed ? after_failure(resource, *job, std::move(state)) : state;
}

Result<JobState> JobRunner::start(const DatabaseMigration& resource, const std::string& attempt, const Plan* plan) {
  TRY_ASSIGN(const KubeObject manifest, job_manifest(resource, attempt, plan, image_));
  JobState state;
  state.kind = JobState::Kind::Running;
  state.name = metadata_text(manifest, "name");
  const auto made = client_.create(kube::kJobs, resource.metadata.name_space, manifest);
  if (made) {
    return state;
  }
  if (made.error().code != ErrorCode::ApiConflict) {
    return fail(Error(made.error()).at("Job " + state.name));
  }
  // Somebody was faster, perhaps we ourselves: an answer got lost, or the one that made way is not gone yet.
  TRY_ASSIGN(const KubeObject other, client_.get(kube::kJobs, resource.metadata.name_space, state.name));
  if (!belongs_to(other, resource)) {
    return fail(not_ours(state.name));
  }
  if (!has_ended(other)) {
    return look_at(resource, other);
  }
  state.message = "it waits until its predecessor is deleted";
  return state;
}

Result<JobState> JobRunner::look_at(const DatabaseMigration& resource, const KubeObject& job) {
  ListOptions options;
  options.name_space = resource.metadata.name_space;
  options.label_selector = "job-name=" + metadata_text(job, "name");
  TRY_ASSIGN(ObjectList pods, list_all(client_, kube::kPods, options));
  std::erase_if(pods.items, [&](const KubeObject& pod) {
    const auto* const metadata = part_of(pod, "metadata");
    const auto owners = metadata == nullptr ? KubeObject() : metadata->value("ownerReferences", KubeObject::array());
    return owners.empty() || !owners.front().is_object() || text_of(owners.front(), "uid") != metadata_text(job, "uid");
  });
  return job_state(job, pods.items, clock_.wall_now());
}

Result<JobState> JobRunner::after_failure(const DatabaseMigration& resource, const KubeObject& job, JobState state) {
  const WallTime now = clock_.wall_now();
  const WallTime ended = ended_at(job).value_or(now);
  const bool for_good = !state.error || state.error->retry == RetryClass::Terminal;
  if (for_good) {
    const std::lock_guard lock(mutex_);
    if (failures_.size() >= kMaxFailures && !failures_.contains(resource.key())) {
      failures_.erase(failures_.begin());
    }
    failures_.insert_or_assign(resource.key(), Failure{state, ended + job_ttl(resource)});
    return state;
  }
  if (now - ended < kPauseBeforeNext) {
    return state;
  }
  DeleteOptions options;
  options.uid = metadata_text(job, "uid");
  const auto removed = client_.remove(kube::kJobs, resource.metadata.name_space, state.name, options);
  if (!removed && !gone(removed.error()) && removed.error().code != ErrorCode::ApiConflict) {
    return fail(removed.error());
  }
  return JobState();
}

// A Job that is gone before its time was deleted by somebody.
JobState JobRunner::remembered(const DatabaseMigration& resource, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(resource.key());
  if (found == failures_.end() || found->second.state.name != name) {
    return {};
  }
  if (clock_.wall_now() + kClocksDiffer >= found->second.gone_at) {
    return found->second.state;
  }
  failures_.erase(found);
  return {};
}

}  // namespace athanor::controller
