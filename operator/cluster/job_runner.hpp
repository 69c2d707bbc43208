// Execution mode Job on a cluster: one Kubernetes Job per attempt, found again by its name.
//
// The Job belongs to its resource and goes with it. A Job that failed and is gone because its time (jobTTL) was over is
// remembered until the operator restarts, so that nobody makes the same attempt again; whoever deletes a failed Job by hand
// asks for another one.
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

  [[nodiscard]] Result<JobState> newest(const DatabaseMigration& resource) override;
  [[nodiscard]] Result<JobState> start(const DatabaseMigration& resource, const JobRequest& request) override;

 private:
  struct Failure {
    JobState state;
    WallTime gone_at;   // when its time is over
    std::string owner;  // the resource's uid
  };
  [[nodiscard]] Result<JobState> look_at(const DatabaseMigration& resource, const KubeObject& job);
  [[nodiscard]] Result<JobState> take_place_of(const DatabaseMigration& resource, const KubeObject& other,
                                               const KubeObject& manifest);
  void remember(const DatabaseMigration& resource, const JobState& state);
  [[nodiscard]] JobState remembered(const DatabaseMigration& resource);

  KubeClient& client_;
  Clock& clock_;
  std::string image_;
  std::mutex mutex_;
  std::map<ResourceKey, Failure> failures_;
};

}  // namespace athanor::controller
