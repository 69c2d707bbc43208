#include "operator/cluster/job_runner.hpp"

#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "operator/cluster/job_manifest.hpp"
#include "operator/cluster/job_state.hpp"
#include "operator/cluster/object_fields.hpp"

namespace athanor::controller {
namespace {

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

// Running before ended, and then the newest. Times of the API server are whole seconds: of two of the same one that which ended
// later is the newer, and a run follows its plan.
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
  TRY_ASSIGN(JobState state, look_at(resource, *newest));
  if (state.has_ended() && memory.created && state.created < memory.created) {
    return memory;
  }
  if (state.kind == JobState::Kind::Failed) {
    remember(resource, state);
  }
  return state;
}

Result<JobState> JobRunner::start(const DatabaseMigration& resource, const JobRequest& request) {
  TRY_ASSIGN(const KubeObject manifest, job_manifest(resource, request, image_));
  const auto made = client_.create(kube::kJobs, resource.metadata.name_space, manifest);
  if (made) {
    return job_state(*made, {}, clock_.wall_now());
  }
  const std::string name = metadata_text(manifest, "name");
  if (made.error().code != ErrorCode::ApiConflict) {
    return fail(Error(made.error()).at("Job " + name));
  }
  // Somebody was faster, perhaps we ourselves: an answer got lost. Or the same was tried before.
  TRY_ASSIGN(const KubeObject other, client_.get(kube::kJobs, resource.metadata.name_space, name));
  if (!belongs_to(other, resource)) {
    return fail(not_ours(name));
  }
  return has_ended(other) ? take_place_of(resource, other, manifest) : look_at(resource, other);
}

Result<JobState> JobRunner::take_place_of(const DatabaseMigration& resource, const KubeObject& other,
                                          const KubeObject& manifest) {
  DeleteOptions options;
  options.uid = metadata_text(other, "uid");
  const std::string name = metadata_text(other, "name");
  const auto removed = client_.remove(kube::kJobs, resource.metadata.name_space, name, options);
  if (!removed && !gone(removed.error()) && removed.error().code != ErrorCode::ApiConflict) {
    return fail(removed.error());
  }
  const auto made = client_.create(kube::kJobs, resource.metadata.name_space, manifest);
  if (made) {
    return job_state(*made, {}, clock_.wall_now());
  }
  if (made.error().code != ErrorCode::ApiConflict) {
    return fail(Error(made.error()).at("Job " + name));
  }
  JobState state;
  state.kind = JobState::Kind::Running;
  state.name = name;
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

void JobRunner::remember(const DatabaseMigration& resource, const JobState& state) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() >= kMaxFailures && !failures_.contains(resource.key())) {
    failures_.erase(failures_.begin());
  }
  failures_.insert_or_assign(
      resource.key(), Failure{state, state.ended.value_or(clock_.wall_now()) + job_ttl(resource), resource.metadata.uid});
}

// Asked when its Job may be gone. One that is gone before its time was deleted by somebody.
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
