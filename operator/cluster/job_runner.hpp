// Execution mode Job on a cluster: one Kubernetes Job per attempt, found again by its name.
//
// The Job belongs to its resource and goes with it. An attempt that failed for good is not made again, also when its Job is
// gone because its time (jobTTL) was over; that is remembered until the operator restarts. Whoever deletes a failed Job by hand
// asks for another attempt. A failure that may pass (a lock, a lost connection, a plan that was no longer right) is tried again
// after a pause: the old Job makes way for a new one of the same name.
//
// Threads: safe from any thread. Ownership: borrows client and clock.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "operator/kube/api_client.hpp"
#include "operator/reconcile/job_execution.hpp"

namespace athanor::controller {

class JobRunner final : public JobExecution {
 public:
  JobRunner(KubeClient& client, Clock& clock, std::string image) : client_(client), clock_(clock), image_(std::move(image)) {}

  [[nodiscard]] Result<JobState> unfinished(const DatabaseMigration& resource) override;
  [[nodiscard]] Result<JobState> find(const DatabaseMigration& resource, const std::string& attempt) override;
  [[nodiscard]] Result<JobState> start(const DatabaseMigration& resource, const std::string& attempt,
                                       const Plan* plan) override;

 private:
  struct Failure {
    JobState state;
    WallTime gone_at;  // when its time is over
  };
  [[nodiscard]] Result<JobState> look_at(const DatabaseMigration& resource, const KubeObject& job);
  [[nodiscard]] Result<JobState> after_failure(const DatabaseMigration& resource, const KubeObject& job, JobState state);
  [[nodiscard]] JobState remembered(const DatabaseMigration& resource, const std::string& name);

  KubeClient& client_;
  Clock& clock_;
  std::string image_;
  std::mutex mutex_;
  std::map<ResourceKey, Failure> failures_;
};

}  // namespace athanor::controller
