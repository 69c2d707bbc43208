// Execution mode Job on a cluster: one Kubernetes Job per attempt, found again by its name.
//
// The Job belongs to its resource and goes with it, and the files it was handed (job_files.hpp) go with the Job. One that was
// left without its files, because an operator ended between the two, can never start: it is removed when it is seen, and the
// log says so; it does not count. Where the files cannot be made the Job is taken back, and a minute passes before the same
// attempt makes another: each of them wakes its resource. A Job that failed and is gone because its time (jobTTL) was over is
// remembered until the operator restarts, so that nobody makes the same attempt again; whoever deletes a failed Job by hand
// asks for another one.
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
    WallTime gone_at;   // when its time is over
    std::string owner;  // the resource's uid
  };
  struct Refusal {
    Error error;
    SteadyTime until;
  };
  [[nodiscard]] Result<std::vector<KubeObject>> pods_of(const KubeObject& job);
  // The state of the Job that was made, once it has its files.
  [[nodiscard]] Result<JobState> hand_over(const KubeObject& job, const JobFiles& files);
  // Why a Job of this name did not get its files a short while ago.
  [[nodiscard]] std::optional<Error> refusal_of(const std::string& name_space, const std::string& name);
  void remember_refusal(const KubeObject& job, const Error& error);
  // Of a Job that has not ended.
  [[nodiscard]] Result<bool> lacks_files(const KubeObject& job, const std::vector<KubeObject>& pods);
  [[nodiscard]] Result<void> remove(const KubeObject& job);
  [[nodiscard]] Result<void> remove(const ResourceKey& job, const DeleteOptions& options);
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
