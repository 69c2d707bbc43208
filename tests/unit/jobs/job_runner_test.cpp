#include "operator/jobs/job_runner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobs/job_sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;
using Kind = JobState::Kind;

TEST_F(JobRunnerTest, FindsTheJobItMadeAlsoAfterARestart) {
  EXPECT_EQ(find().kind, Kind::Absent);
  const JobState made = start();
  EXPECT_EQ(made.kind, Kind::Running);
  EXPECT_EQ(made.name, job_name(resource, "attempt"));
  JobRunner restarted(kube, clock, {"athanor:2"});
  EXPECT_EQ(restarted.newest(resource)->kind, Kind::Running);
  EXPECT_EQ(restarted.newest(resource)->uid, made.uid);
  EXPECT_EQ(restarted.start(resource, request())->uid, made.uid) << "it is there already";
  EXPECT_EQ(kube.all(kube::kJobs).size(), 1U);
}

TEST_F(JobRunnerTest, ReportsTheEndOfTheRun) {
  (void)start();
  end_job("Failed", kStatementFailed);
  const JobState failed = find();
  EXPECT_EQ(failed.kind, Kind::Failed);
  ASSERT_TRUE(failed.report && failed.report->error);
  EXPECT_EQ(failed.report->error->code, ErrorCode::StatementFailed);
  EXPECT_EQ(failed.report->error->sqlstate, "42P01");
  EXPECT_EQ(failed.attempt, "attempt");
  EXPECT_EQ(failed.declaration, "declared");
}

TEST_F(JobRunnerTest, ReadsOnlyPodsOfThisJob) {
  (void)start();
  end_job("Failed", kStatementFailed);
  const std::string name = the_job()["metadata"]["name"];
  KubeObject pod = *kube.find(kube::kPods, {"shop", name + "-a"});
  pod["metadata"]["ownerReferences"][0]["uid"] = "somebody";
  kube.put(kube::kPods, pod);
  EXPECT_FALSE(find().report);
}

TEST_F(JobRunnerTest, LeavesJobsOfOthersAlone) {
  (void)start();
  KubeObject job = the_job();
  job["metadata"]["ownerReferences"][0]["uid"] = "u-2";
  kube.put(kube::kJobs, job);
  EXPECT_EQ(find().kind, Kind::Absent);
  EXPECT_EQ(runner.start(resource, request()).error().code, ErrorCode::PolicyRefused);
}

TEST_F(JobRunnerTest, FindsTheJobWhoseCreationWasNotAnswered) {
  kube.fail({.verb = "create", .error = Error(ErrorCode::ApiUnreachable, "gone"), .afterwards = true});
  EXPECT_EQ(runner.start(resource, request()).error().code, ErrorCode::ApiUnreachable);
  EXPECT_EQ(find().kind, Kind::Running);
}

TEST_F(JobRunnerTest, PrefersTheRunningJobToFinishedOnes) {
  (void)start("older");
  KubeObject older = the_job();
  end_job("Complete");
  const JobState running = start("running");
  for (KubeObject job : kube.all(kube::kJobs)) {
    const bool runs = job["metadata"]["name"] == running.name;
    job["metadata"]["creationTimestamp"] = runs ? "2026-11-21T02:00:00Z" : "2026-11-21T03:00:00Z";
    kube.put(kube::kJobs, job);
  }
  EXPECT_EQ(find().name, running.name);
}

TEST_F(JobRunnerTest, DistinguishesTheRunFromThePlanOfTheSameSecond) {
  for (const bool plan_is_first : {true, false}) {
    for (const bool plans : {plan_is_first, !plan_is_first}) {
      JobRequest wanted = request(plans ? "a plan" : "a run");
      wanted.work = plans ? JobRequest::Work::Plan : JobRequest::Work::Migrate;
      const JobState made = runner.start(resource, wanted).value();
      const KubeObject ended = {{"type", "Complete"}, {"status", "True"}, {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
      kube.put_status(kube::kJobs, {"shop", made.name}, {{"conditions", KubeObject::array({ended})}});
    }
    EXPECT_EQ(find().work, JobRequest::Work::Migrate);
    for (const auto& job : kube.all(kube::kJobs)) {
      kube.drop(kube::kJobs, {"shop", job["metadata"]["name"].get<std::string>()});
    }
  }
}

TEST_F(JobRunnerTest, ReplacesAFinishedJob) {
  const JobState first = start();
  end_job("Failed", kConnectionLost);
  const JobState second = start();
  EXPECT_EQ(second.kind, Kind::Running);
  EXPECT_EQ(second.name, first.name);
  EXPECT_NE(second.uid, first.uid);
  EXPECT_EQ(kube.all(kube::kJobs).size(), 1U);
  end_job("Complete");
  kube.fail({.verb = "create", .error = Error(ErrorCode::ApiConflict, "object is being deleted"), .times = 2});
  EXPECT_THAT(start().message, HasSubstr("waits for the previous Job"));
}

TEST_F(JobRunnerTest, RemembersAFailureWhoseJobIsGoneInItsTime) {
  (void)start();
  end_job("Failed", kStatementFailed);
  EXPECT_EQ(find().kind, Kind::Failed);
  clock.advance(std::chrono::hours(1));
  delete_job();
  EXPECT_EQ(find().report->error->code, ErrorCode::StatementFailed);
  EXPECT_EQ(find().attempt, "attempt");
  DatabaseMigration anew = resource;
  anew.metadata.uid = "u-2";
  EXPECT_EQ(JobRunner(kube, clock, {"athanor:1"}).newest(resource)->kind, Kind::Absent);
  EXPECT_EQ(runner.newest(anew)->kind, Kind::Absent);
}

TEST_F(JobRunnerTest, RetriesWhenAFailedJobIsDeleted) {
  (void)start();
  end_job("Failed", kStatementFailed);
  EXPECT_EQ(find().kind, Kind::Failed);
  delete_job();
  EXPECT_EQ(find().kind, Kind::Absent);
}

TEST_F(JobRunnerTest, PassesTheFilesToTheJob) {
  come_from_git();
  EXPECT_TRUE(runner.check(resource, request()));
  EXPECT_TRUE(kube.all(kube::kConfigMaps).empty()) << "a check makes nothing";
  (void)start();
  const auto files = kube.all(kube::kConfigMaps);
  ASSERT_EQ(files.size(), 1U);
  const KubeObject job = the_job();
  EXPECT_EQ(files[0]["metadata"]["ownerReferences"][0]["uid"], job["metadata"]["uid"]);
  EXPECT_EQ(files[0]["metadata"]["name"], job["metadata"]["annotations"]["athanor.dev/files"]);
  EXPECT_EQ(job["spec"]["template"]["spec"]["volumes"][0]["projected"]["sources"][0]["configMap"]["name"],
            files[0]["metadata"]["name"]);
  EXPECT_EQ(find().kind, Kind::Running);
  JobRunner restarted(kube, clock, {"athanor:1"});
  EXPECT_EQ(restarted.newest(resource)->uid, job["metadata"]["uid"]);
  EXPECT_EQ(restarted.start(resource, request())->uid, job["metadata"]["uid"]);
  EXPECT_EQ(kube.all(kube::kConfigMaps).size(), 1U);
}

TEST_F(JobRunnerTest, GivesAReplacementJobItsOwnFiles) {
  come_from_git();
  (void)start();
  const KubeObject first = the_job();
  end_job("Failed", kConnectionLost);
  (void)start();
  const auto files = kube.all(kube::kConfigMaps);
  ASSERT_EQ(files.size(), 2U) << "nobody collects here";
  EXPECT_NE(the_job()["metadata"]["annotations"]["athanor.dev/files"], first["metadata"]["annotations"]["athanor.dev/files"]);
}

TEST_F(JobRunnerTest, LeavesNoJobWhoseFilesCannotBeCreated) {
  come_from_git();
  kube.fail({.verb = "create", .plural = "configmaps", .error = Error(ErrorCode::ApiForbidden, "no")});
  const auto made = runner.start(resource, request());
  EXPECT_EQ(made.error().code, ErrorCode::ApiForbidden);
  EXPECT_THAT(made.error().context, HasSubstr("ConfigMap for Job orders-"));
  EXPECT_TRUE(kube.all(kube::kJobs).empty());
}

TEST_F(JobRunnerTest, PausesWhenFilesCannotBeMadeBecauseEachAttemptWakesTheResource) {
  come_from_git();
  kube.fail({.verb = "create", .plural = "configmaps", .error = Error(ErrorCode::ApiForbidden, "no")});
  EXPECT_FALSE(runner.start(resource, request()));
  clock.advance(std::chrono::seconds(59));
  EXPECT_EQ(runner.start(resource, request()).error().code, ErrorCode::ApiForbidden);
  EXPECT_EQ(kube.count("create", "jobs"), 1U);
  EXPECT_EQ(start("another").kind, Kind::Running) << "whoever changes something or says retry-now need not wait";
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(start().kind, Kind::Running);
}

TEST_F(JobRunnerTest, ADryRunAlsoValidatesFilesAndCreatesNothing) {
  come_from_git();
  ASSERT_TRUE(runner.dry_run_create(resource, request()));
  EXPECT_EQ(kube.count("dry-run", "configmaps"), 1U);
  EXPECT_TRUE(kube.all(kube::kJobs).empty());
  EXPECT_TRUE(kube.all(kube::kConfigMaps).empty());
  kube.fail({.verb = "dry-run", .plural = "configmaps", .error = Error(ErrorCode::ApiForbidden, "no")});
  EXPECT_THAT(runner.dry_run_create(resource, request()).error().context, HasSubstr("ConfigMap for Job orders-"));
}

TEST_F(JobRunnerTest, ADryRunRemembersThatFilesWereJustRefused) {
  come_from_git();
  kube.fail({.verb = "create", .plural = "configmaps", .error = Error(ErrorCode::ApiForbidden, "no")});
  EXPECT_FALSE(runner.start(resource, request()));
  EXPECT_EQ(runner.dry_run_create(resource, request()).error().code, ErrorCode::ApiForbidden);
}

TEST_F(JobRunnerTest, ADryRunIgnoresAFinishedJobOfTheSameName) {
  (void)start();
  end_job("Failed", kConnectionLost);
  EXPECT_TRUE(runner.dry_run_create(resource, request()));
}

TEST_F(JobRunnerTest, RemovesAJobThatWasLeftWithoutItsFiles) {
  come_from_git();
  kube.fail({.verb = "create", .plural = "configmaps", .error = Error(ErrorCode::ApiUnreachable, "gone")});
  kube.fail({.verb = "delete", .plural = "jobs", .error = Error(ErrorCode::ApiUnreachable, "gone"), .times = 2});
  EXPECT_FALSE(runner.start(resource, request()));
  const std::string stranded = the_job()["metadata"]["uid"];
  testing::internal::CaptureStderr();
  JobRunner restarted(kube, clock, {"athanor:1"}, Log(LogLevel::Warn));
  EXPECT_EQ(restarted.newest(resource).error().code, ErrorCode::ApiUnreachable);
  EXPECT_EQ(restarted.newest(resource)->kind, Kind::Absent);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("removing a Job whose ConfigMaps are missing"));
  EXPECT_TRUE(kube.all(kube::kJobs).empty());
  EXPECT_NE(restarted.start(resource, request())->uid, stranded);
}

TEST_F(JobRunnerTest, LeavesAStartedJobAloneEvenWithoutItsFiles) {
  come_from_git();
  (void)start();
  const KubeObject job = the_job();
  kube.drop(kube::kConfigMaps, {"shop", job["metadata"]["annotations"]["athanor.dev/files"].get<std::string>()});
  const ResourceKey pod = make_pod(job);
  kube.put_status(kube::kPods, pod, {{"phase", "Running"}});
  EXPECT_EQ(find().kind, Kind::Running);
  kube.put_status(kube::kPods, pod, {{"phase", "Pending"}});
  EXPECT_EQ(find().kind, Kind::Absent);
}

}  // namespace
}  // namespace athanor::controller
