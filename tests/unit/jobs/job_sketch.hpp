// A fixture for tests of Jobs: the API server in memory, and functions that act as the Job controller and the kubelet.
//
// Threads: one thread. Ownership: owns all parts.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "operator/jobs/job_manifest.hpp"
#include "operator/jobs/job_runner.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {

inline constexpr const char* kStatementFailed =
    R"({"success": false, "error": {"code": "statement-failed", "message": "no such table", "sqlstate": "42P01", "retry": "terminal"}})";
inline constexpr const char* kConnectionLost =
    R"({"success": false, "error": {"code": "connection-lost", "message": "gone", "retry": "transient"}})";

class JobRunnerTest : public testing::Test {
 protected:
  JobRunnerTest() {
    resource.metadata.uid = "u-1";
    resource.spec.execution.mode = ExecutionMode::Job;
    resource.spec.execution.job_ttl = std::chrono::hours(1);
  }

  KubeObject the_job() {
    const auto jobs = kube.all(kube::kJobs);
    EXPECT_EQ(jobs.size(), 1U);
    return jobs.empty() ? KubeObject() : jobs.front();
  }
  // Creates the Job's pod, as the Job controller does.
  ResourceKey make_pod(const KubeObject& job) {
    const ResourceKey pod{"shop", job["metadata"]["name"].get<std::string>() + "-a"};
    const KubeObject owner = {{"uid", job["metadata"]["uid"]}};
    kube.put(kube::kPods, {{"metadata",
                            {{"name", pod.name},
                             {"namespace", pod.name_space},
                             {"labels", {{"job-name", job["metadata"]["name"]}}},
                             {"ownerReferences", KubeObject::array({owner})}}}});
    return pod;
  }
  // Ends the Job with this condition type. A non-empty `message` becomes the termination message of its container.
  void end_job(const char* type, const std::string& message = {}) {
    const KubeObject job = the_job();
    if (!message.empty()) {
      const ResourceKey pod = make_pod(job);
      const KubeObject terminated = {{"exitCode", 9}, {"reason", "Error"}, {"message", message}};
      const KubeObject container = {{"name", "athanor"}, {"state", {{"terminated", terminated}}}};
      kube.put_status(kube::kPods, pod, {{"containerStatuses", KubeObject::array({container})}});
    }
    const std::string now = format_iso8601(clock.wall_now()).substr(0, 19) + "Z";
    const KubeObject condition = {{"type", type}, {"status", "True"}, {"reason", "R"}, {"lastTransitionTime", now}};
    kube.put_status(kube::kJobs, {"shop", job["metadata"]["name"].get<std::string>()},
                    {{"conditions", KubeObject::array({condition})}});
  }
  void delete_job() { kube.drop(kube::kJobs, {"shop", the_job()["metadata"]["name"].get<std::string>()}); }
  [[nodiscard]] JobRequest request(const std::string& attempt = "attempt") const {
    return {attempt, "declared", &plan, {}, JobRequest::Work::Migrate, snapshot.get()};
  }
  // Switches to a Git source, which the operator passes to the pod in a ConfigMap.
  void come_from_git() {
    resource.spec.source.path.clear();
    resource.spec.source.git = GitSource{"https://git.example.org/a.git", "", "v1", "", "", milliseconds(60'000), ""};
  }
  JobState start(const std::string& attempt = "attempt") { return runner.start(resource, request(attempt)).value(); }
  JobState find() { return runner.newest(resource).value(); }

  test::FakeKube kube;
  test::FakeClock clock;
  JobRunner runner{kube, clock, {"athanor:1", {}, {"images.example.org"}}};
  DatabaseMigration resource = sketch::resource();
  std::shared_ptr<SourceSnapshot> snapshot = sketch::snapshot(sketch::line());
  Plan plan = [] {
    Plan made;
    made.hash = std::string(64, 'a');
    return made;
  }();
};

}  // namespace athanor::controller
