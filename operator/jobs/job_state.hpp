// How a Job fares, from the Job and its pods as the API server has them.
//
// A Job has ended when its controller says so (conditions Complete, Failed), never earlier. Why it failed is what the run
// itself wrote into the pod's termination message; without one, what the kubelet and the Job's controller say.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <vector>

#include "migrations/base/clock.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/reconcile/job_execution.hpp"

namespace athanor::controller {

[[nodiscard]] bool has_ended(const KubeObject& job);
// Whether a container of one of its pods was started.
[[nodiscard]] bool has_begun(const std::vector<KubeObject>& pods);
[[nodiscard]] JobState job_state(const KubeObject& job, const std::vector<KubeObject>& pods, WallTime now);
// What `athanor --report` wrote into a termination message; empty when the message is something else.
[[nodiscard]] std::optional<JobReport> read_report(const std::string& message);

}  // namespace athanor::controller
