#include "operator/cluster/job_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/cluster/job_manifest.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;
using Kind = JobState::Kind;

constexpr const char* kStatementFailed =
    R"({"success": false, "error": {"code": "statement-failed", "message": "no such table", "sqlstate": "42P01", "retry": "terminal"}})";
constexpr const char* kConnectionLost =
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
  // What the Job's controller and the kubelet would do.
  void end_job(const char* type, const std::string& message = {}) {
    const KubeObject job = the_job();
    const std::string name = job["metadata"]["name"];
    if (!message.empty()) {
      const KubeObject owner = {{"uid", job["metadata"]["uid"]}};
      kube.put(kube::kPods, {{"metadata",
                              {{"name", name + "-a"},
                               {"namespace", "shop"},
                               {"labels", {{"job-name", name}}},
                               {"ownerReferences", KubeObject::array({owner})}}}});
      const KubeObject terminated = {{"exitCode", 9}, {"reason", "Error"}, {"message", message}};
      const KubeObject container = {{"name", "athanor"}, {"state", {{"terminated", terminated}}}};
      kube.put_status(kube::kPods, {"shop", name + "-a"}, {{"containerStatuses", KubeObject::array({container})}});
    }
    const std::string now = format_iso8601(clock.wall_now()).substr(0, 19) + "Z";
    const KubeObject condition = {{"type", type}, {"status", "True"}, {"reason", "R"}, {"lastTransitionTime", now}};
    kube.put_status(kube::kJobs, {"shop", name}, {{"conditions", KubeObject::array({condition})}});
  }
  void delete_job() { kube.drop(kube::kJobs, {"shop", the_job()["metadata"]["name"].get<std::string>()}); }
  JobState start(const std::string& attempt = "attempt") { return runner.start(resource, attempt, &plan).value(); }
  JobState find(const std::string& attempt = "attempt") { return runner.find(resource, attempt).value(); }

  test::FakeKube kube;
  test::FakeClock clock;
  JobRunner runner{kube, clock, "athanor:1"};
  DatabaseMigration resource = sketch::resource();
  Plan plan = [] {
    Plan made;
    made.hash = std::string(64, 'a');
    return made;
  }();
};

TEST_F(JobRunnerTest, FindsTheJobItMadeAlsoAfterARestart) {
  EXPECT_EQ(find().kind, Kind::Absent);
  EXPECT_EQ(runner.unfinished(resource)->kind, Kind::Absent);
  const JobState made = start();
  EXPECT_EQ(made.kind, Kind::Running);
  EXPECT_EQ(made.name, job_name(resource, "attempt"));
  JobRunner restarted(kube, clock, "athanor:2");
  EXPECT_EQ(restarted.find(resource, "attempt")->kind, Kind::Running);
  EXPECT_EQ(restarted.unfinished(resource)->name, made.name);
  EXPECT_EQ(restarted.start(resource, "attempt", &plan)->name, made.name) << "it is there already";
  EXPECT_EQ(kube.all(kube::kJobs).size(), 1U);
  EXPECT_EQ(restarted.find(resource, "other")->kind, Kind::Absent);
}

TEST_F(JobRunnerTest, TellsTheEndOfTheRun) {
  (void)start();
  end_job("Failed", kStatementFailed);
  const JobState failed = find();
  EXPECT_EQ(failed.kind, Kind::Failed);
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->code, ErrorCode::StatementFailed);
  EXPECT_EQ(failed.error->sqlstate, "42P01");
  EXPECT_EQ(runner.unfinished(resource)->kind, Kind::Absent);
}

TEST_F(JobRunnerTest, ListensToPodsOfThisJobOnly) {
  (void)start();
  end_job("Failed", kStatementFailed);
  const std::string name = the_job()["metadata"]["name"];
  KubeObject pod = *kube.find(kube::kPods, {"shop", name + "-a"});
  pod["metadata"]["ownerReferences"][0]["uid"] = "somebody";
  kube.put(kube::kPods, pod);
  EXPECT_FALSE(find().error);
}

TEST_F(JobRunnerTest, LeavesJobsOfOthersAlone) {
  (void)start();
  KubeObject job = the_job();
  job["metadata"]["ownerReferences"][0]["uid"] = "u-2";
  kube.put(kube::kJobs, job);
  EXPECT_EQ(runner.unfinished(resource)->kind, Kind::Absent);
  EXPECT_EQ(runner.find(resource, "attempt").error().code, ErrorCode::PolicyRefused);
  EXPECT_EQ(runner.start(resource, "attempt", &plan).error().code, ErrorCode::PolicyRefused);
}

TEST_F(JobRunnerTest, FindsTheJobWhoseCreationWasNotAnswered) {
  kube.fail({.verb = "create", .error = Error(ErrorCode::ApiUnreachable, "gone"), .afterwards = true});
  EXPECT_EQ(runner.start(resource, "attempt", &plan).error().code, ErrorCode::ApiUnreachable);
  EXPECT_EQ(find().kind, Kind::Running);
}

TEST_F(JobRunnerTest, TriesAgainAfterAPauseWhatMayPass) {
  (void)start();
  end_job("Failed", kConnectionLost);
  EXPECT_EQ(find().kind, Kind::Failed);
  clock.advance(std::chrono::seconds(59));
  EXPECT_EQ(find().kind, Kind::Failed);
  EXPECT_EQ(kube.count("delete"), 0U);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(find().kind, Kind::Absent);
  EXPECT_TRUE(kube.all(kube::kJobs).empty());
  EXPECT_EQ(start().kind, Kind::Running);
}

TEST_F(JobRunnerTest, RemembersAFailureWhoseJobIsGoneInItsTime) {
  (void)start();
  end_job("Failed", kStatementFailed);
  EXPECT_EQ(find().kind, Kind::Failed);
  clock.advance(std::chrono::hours(1));
  delete_job();
  EXPECT_EQ(find().error->code, ErrorCode::StatementFailed);
  EXPECT_EQ(find("other").kind, Kind::Absent);
  JobRunner restarted(kube, clock, "athanor:1");
  EXPECT_EQ(restarted.find(resource, "attempt")->kind, Kind::Absent);
}

TEST_F(JobRunnerTest, TakesADeletedFailureForTheWishToTryAgain) {
  (void)start();
  end_job("Failed", kStatementFailed);
  EXPECT_EQ(find().kind, Kind::Failed);
  delete_job();
  EXPECT_EQ(find().kind, Kind::Absent);
}

// With the reconciler, which observes the database first.
class JobModeTest : public JobRunnerTest {
 protected:
  JobModeTest() {
    sources.current = sketch::snapshot(sketch::line());
    ReconcilerParts parts{sources, credentials, databases, observer, clock};
    parts.jobs = &runner;
    reconciler = std::make_unique<Reconciler>(parts);
  }
  Outcome reconcile() { return reconciler->reconcile(resource, "", {}, {}, Log()); }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  ReconcileObserver observer;
  std::unique_ptr<Reconciler> reconciler;
};

TEST_F(JobModeTest, IsDoneWhenTheDatabaseIsAndTheJobHasEnded) {
  Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::JobRunning);
  EXPECT_EQ(outcome.job->name, the_job()["metadata"]["name"]);
  const auto arguments = the_job()["spec"]["template"]["spec"]["containers"][0]["args"].get<std::vector<std::string>>();
  EXPECT_THAT(arguments, testing::Contains("--plan-hash=" + outcome.plan->hash));
  databases.database.observation.rows = {"a3"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "never done while the Job runs";
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  delete_job();
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_EQ(kube.count("create", "jobs"), 1U);
}

TEST_F(JobModeTest, MakesADeletedJobAgainWhenTheDatabaseIsNotThere) {
  (void)reconcile();
  delete_job();
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(kube.count("create", "jobs"), 2U);
}

TEST_F(JobModeTest, StallsOnAFailureAndRunsAgainWhenTheDeclarationChanges) {
  resource.metadata.generation = 1;
  (void)reconcile();
  end_job("Failed", kStatementFailed);
  const Outcome failed = reconcile();
  EXPECT_EQ(failed.kind, Outcome::Kind::Stalled);
  EXPECT_EQ(failed.reason, Reason::StatementFailed);
  EXPECT_EQ(reconcile().kind, Outcome::Kind::Stalled);
  EXPECT_EQ(kube.count("create", "jobs"), 1U);
  resource.metadata.generation = 2;
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(kube.count("create", "jobs"), 2U);
}

TEST_F(JobModeTest, SaysWhyAPodEndedThatSaidNothing) {
  (void)reconcile();
  end_job("Failed", "Killed");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Outcome::Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::JobFailed);
  EXPECT_THAT(outcome.message, HasSubstr("exit code 9"));
}

TEST_F(JobModeTest, RefusesASourceThatAPodCannotFetch) {
  resource.spec.source.path.clear();
  resource.spec.source.git = GitSource{"https://git.example.org/a.git", "", "v1", "", "", ""};
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Outcome::Kind::Stalled);
  EXPECT_THAT(outcome.message, HasSubstr("git"));
  EXPECT_TRUE(kube.all(kube::kJobs).empty());
}

}  // namespace
}  // namespace athanor::controller
