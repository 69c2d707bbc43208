// Jobs in a namespace that enforces the restricted Pod Security Standard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/jobs/job_manifest.hpp"
#include "operator/jobs/job_runner.hpp"
#include "tests/cluster/resources/resource_on_cluster.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;
using Kind = JobState::Kind;

class JobClusterTest : public ResourceOnCluster {
 protected:
  JobClusterTest() { plan_.hash = std::string(64, 'a'); }
  [[nodiscard]] JobRequest request(const std::string& attempt) const {
    return {attempt, "declared", &plan_, {"a1"}, JobRequest::Work::Migrate, files_.get()};
  }
  // The ConfigMaps that were made for Jobs.
  std::size_t files() {
    const auto made = list_all(*client_, kube::kConfigMaps, {.name_space = name_space_, .label_selector = kMigrationLabel});
    return made ? made->items.size() : 1'000;
  }

  std::string pod_of(const std::string& job) {
    std::string name;
    EXPECT_TRUE(eventually([&] {
      const auto pods = list_all(*client_, kube::kPods, {.name_space = name_space_, .label_selector = "job-name=" + job});
      if (pods && !pods->items.empty()) {
        name = pods->items.front()["metadata"]["name"].get<std::string>();
      }
      return !name.empty();
    }));
    return name;
  }

  // What a kubelet would write.
  void end_pod(const std::string& pod, const char* phase, int code, const std::string& message) {
    const KubeObject terminated = {{"exitCode", code}, {"reason", code == 0 ? "Completed" : "Error"}, {"message", message}};
    const KubeObject container = {{"name", "athanor"}, {"image", "x"},      {"imageID", "x"},
                                  {"ready", false},    {"restartCount", 0}, {"state", {{"terminated", terminated}}}};
    const KubeObject body = {{"status", {{"phase", phase}, {"containerStatuses", KubeObject::array({container})}}}};
    const auto patched = client_->patch(kube::kPods, name_space_, pod, body, {.subresource = "status"});
    ASSERT_TRUE(patched) << patched.error().describe();
  }

  Plan plan_;
  std::shared_ptr<SourceSnapshot> files_ = sketch::snapshot(sketch::line());
};

TEST_F(JobClusterTest, APodIsMadeAndItsEndIsTold) {
  JobRunner runner(*client_, clock_, {"athanor:1"});
  const auto started = runner.start(resource_, request("attempt"));
  ASSERT_TRUE(started) << started.error().describe();
  EXPECT_EQ(runner.newest(resource_)->uid, started->uid);
  const std::string pod = pod_of(started->name);
  end_pod(pod, "Failed", 9,
          R"({"success": false, "error": {"code": "statement-failed", "message": "no such table", "sqlstate": "42P01"}})");
  ASSERT_TRUE(eventually([&] { return runner.newest(resource_)->kind != Kind::Running; }));
  const JobState failed = *runner.newest(resource_);
  EXPECT_EQ(failed.kind, Kind::Failed);
  ASSERT_TRUE(failed.report && failed.report->error);
  EXPECT_EQ(failed.report->error->sqlstate, "42P01");
  EXPECT_EQ(failed.attempt, "attempt");
  EXPECT_EQ(failed.plan_hash, plan_.hash);
  EXPECT_EQ(failed.from, std::vector<std::string>{"a1"});
  EXPECT_TRUE(failed.created && failed.ended);
  EXPECT_THAT(failed.message, HasSubstr("exit code 9"));

  const auto next = runner.start(resource_, request("next"));
  ASSERT_TRUE(next) << next.error().describe();
  end_pod(pod_of(next->name), "Succeeded", 0, "");
  EXPECT_TRUE(eventually([&] { return runner.newest(resource_)->kind == Kind::Succeeded; }));
}

TEST_F(JobClusterTest, OneThatHasEndedMakesWayForAnotherOfItsName) {
  JobRunner runner(*client_, clock_, {"athanor:1"});
  const auto first = runner.start(resource_, request("attempt"));
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(runner.start(resource_, request("attempt"))->uid, first->uid) << "while it runs it stays";
  end_pod(pod_of(first->name), "Failed", 1, "");
  ASSERT_TRUE(eventually([&] { return runner.newest(resource_)->kind == Kind::Failed; }));
  ASSERT_TRUE(eventually([&] {
    const auto second = runner.start(resource_, request("attempt"));
    EXPECT_TRUE(second) << second.error().describe();
    return second && !second->uid.empty() && second->uid != first->uid;
  }));
}

TEST_F(JobClusterTest, AJobGoesWithItsResourceAndItsFilesGoWithIt) {
  JobRunner runner(*client_, clock_, {"athanor:1"});
  ASSERT_TRUE(runner.start(resource_, request("attempt")));
  EXPECT_EQ(files(), 1U);
  ASSERT_TRUE(client_->remove(kube::kDatabaseMigrations, name_space_, "orders"));
  EXPECT_TRUE(eventually([&] { return runner.newest(resource_)->kind == Kind::Absent; }));
  EXPECT_TRUE(eventually([&] { return files() == 0; }));
}

TEST_F(JobClusterTest, NobodyChangesTheFilesOfAJob) {
  JobRunner runner(*client_, clock_, {"athanor:1"});
  const auto started = runner.start(resource_, request("attempt"));
  ASSERT_TRUE(started) << started.error().describe();
  const auto job = client_->get(kube::kJobs, name_space_, started->name);
  ASSERT_TRUE(job);
  const auto name = (*job)["metadata"]["annotations"][kFilesAnnotation].get<std::string>();
  const KubeObject change = {{"data", {{"a1.sql", "DROP TABLE orders"}}}};
  const auto refused = client_->patch(kube::kConfigMaps, name_space_, name, change, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::ApiInvalid) << refused.error().describe();
}

TEST_F(JobClusterTest, AJobWithoutItsFilesIsMadeAnew) {
  JobRunner runner(*client_, clock_, {"athanor:1"});
  const auto first = runner.start(resource_, request("attempt"));
  ASSERT_TRUE(first) << first.error().describe();
  const auto job = client_->get(kube::kJobs, name_space_, first->name);
  ASSERT_TRUE(job);
  const auto name = (*job)["metadata"]["annotations"][kFilesAnnotation].get<std::string>();
  ASSERT_TRUE(client_->remove(kube::kConfigMaps, name_space_, name));
  EXPECT_EQ(runner.newest(resource_)->kind, Kind::Absent);
  const auto second = runner.start(resource_, request("attempt"));
  ASSERT_TRUE(second) << second.error().describe();
  EXPECT_EQ(second->name, first->name);
  EXPECT_NE(second->uid, first->uid);
  EXPECT_TRUE(eventually([&] { return files() == 1; }));
}

TEST_F(JobClusterTest, ARehearsalIsRefusedAsTheJobWouldBeAndMakesNothing) {
  JobRunner runner(*client_, clock_, {"athanor:1"});
  const auto rehearsed = runner.dry_run_create(resource_, request("attempt"));
  ASSERT_TRUE(rehearsed) << rehearsed.error().describe();
  EXPECT_EQ(runner.newest(resource_)->kind, Kind::Absent);
  EXPECT_EQ(files(), 0U);
  const ResourceType quotas{"", "v1", "resourcequotas", "ResourceQuota"};
  ASSERT_TRUE(client_->create(quotas, name_space_,
                              {{"metadata", {{"name", "none"}}}, {"spec", {{"hard", {{"count/jobs.batch", "0"}}}}}}));
  Result<void> refused;
  EXPECT_TRUE(eventually([&] {
    refused = runner.dry_run_create(resource_, request("attempt"));
    return !refused;
  }));
  EXPECT_EQ(refused.error().code, ErrorCode::ApiForbidden) << refused.error().describe();
  EXPECT_THAT(refused.error().message, HasSubstr("exceeded quota"));
}

TEST_F(JobClusterTest, ATemplateWithAValueThatIsNoneIsRefusedByTheServer) {
  JobRunner runner(*client_, clock_, {"athanor:1"});
  resource_.spec.execution.pod_template =
      R"({"spec": {"containers": [{"name": "athanor", "resources": {"limits": {"memory": "much"}}}]}})";
  ASSERT_FALSE(runner.dry_run_create(resource_, request("attempt")));
  const auto refused = runner.start(resource_, request("attempt"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::ApiInvalid) << refused.error().describe();
}

}  // namespace
}  // namespace athanor::controller
