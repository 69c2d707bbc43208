// Execution mode Job on a cluster: creates one Kubernetes Job per attempt, and finds it again by its name.
//
// The resource owns the Job, and the Job owns the ConfigMaps with its files (job_files.hpp), so Kubernetes deletes them
// together. A Job without its files, because the operator ended between the two writes, can never start: newest() deletes it
// with a log line, and it does not count as an attempt. When creating the files fails, start() deletes the Job and refuses the
// same attempt for a minute, because each deleted Job triggers a reconcile of its resource.
//
// A failed Job that Kubernetes deleted after its jobTTL is remembered until the operator restarts, so that the same attempt is
// not created again. Deleting a failed Job by hand requests another attempt.
//
// Threads: safe from any thread. Ownership: borrows client and clock.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/jobs/job_files.hpp"
#include "operator/jobs/job_manifest.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/job_execution.hpp"

namespace athanor::controller {

class JobRunner final : public JobExecution {
 public:
  JobRunner(KubeClient& client, Clock& clock, JobOptions options, Log log = {})
      : client_(client), clock_(clock), options_(std::move(options)), log_(std::move(log)) {}

  [[nodiscard]] Result<JobState> newest(const DatabaseMigration& resource) override;
  [[nodiscard]] Result<void> withdraw(const DatabaseMigration& resource, const JobState& job) override;
  [[nodiscard]] Result<void> check(const DatabaseMigration& resource, const JobRequest& request) override;
  [[nodiscard]] Result<void> dry_run_create(const DatabaseMigration& resource, const JobRequest& request) override;
  [[nodiscard]] Result<JobState> start(const DatabaseMigration& resource, const JobRequest& request) override;

 private:
  struct Failure {
    JobState state;
    WallTime gone_at;   // when Kubernetes may have deleted it
    std::string owner;  // the resource's uid
  };
  struct Refusal {
    Error error;
    SteadyTime until;
  };
  [[nodiscard]] Result<std::vector<KubeObject>> pods_of(const KubeObject& job);
  // Creates the ConfigMaps of a new Job and returns the Job's state. Deletes the Job when one cannot be created.
  [[nodiscard]] Result<JobState> hand_over(const KubeObject& job, const JobFiles& files);
  // Why the files of a Job with this name could not be created less than a minute ago.
  [[nodiscard]] std::optional<Error> refusal_of(const std::string& name_space, const std::string& name);
  void remember_refusal(const KubeObject& job, const Error& error);
  // Whether the Job can never start because its files are incomplete.
  [[nodiscard]] Result<bool> lacks_files(const KubeObject& job, const std::vector<KubeObject>& pods);
  [[nodiscard]] Result<void> remove(const KubeObject& job);
  [[nodiscard]] Result<void> remove(const ResourceKey& job, const DeleteOptions& options);
  // Replaces an ended Job of the same name.
  [[nodiscard]] Result<JobState> take_place_of(const DatabaseMigration& resource, const KubeObject& other,
                                               const KubeObject& manifest, const JobFiles& files);
  void remember(const DatabaseMigration& resource, const JobState& state);
  [[nodiscard]] JobState remembered(const DatabaseMigration& resource);

  KubeClient& client_;
  Clock& clock_;
  JobOptions options_;
  Log log_;
  std::mutex mutex_;
  std::map<ResourceKey, Failure> failures_;
  std::map<ResourceKey, Refusal> refusals_;  // by Job
};

}  // namespace athanor::controller
