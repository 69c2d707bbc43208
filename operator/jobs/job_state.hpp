// Reads the state of a Job from the Job and its pods.
//
// A Job has ended only when its controller says so (conditions Complete, Failed). Why it failed is what the run itself wrote
// into the pod's termination message; without one, what the kubelet and the Job's controller report.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <vector>

#include "migrations/base/clock.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/reconcile/job_execution.hpp"

namespace athanor::controller {

// Whether the Job has the condition Complete or Failed.
[[nodiscard]] bool has_ended(const KubeObject& job);
// Whether a container of one of the pods was started.
[[nodiscard]] bool has_begun(const std::vector<KubeObject>& pods);
// Returns the state of `job`, whose pods are `pods`. `now` decides whether a missing pod is overdue.
[[nodiscard]] JobState job_state(const KubeObject& job, const std::vector<KubeObject>& pods, WallTime now);
// Parses what `athanor --report` wrote into a termination message; nullopt when the message is something else.
[[nodiscard]] std::optional<JobReport> read_report(const std::string& message);

}  // namespace athanor::controller
