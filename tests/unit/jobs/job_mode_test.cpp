// Execution mode Job from the reconciler's side, which observes the database first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobs/job_mode.hpp"

namespace athanor::controller {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = Verdict::Kind;

TEST_F(JobModeTest, IsDoneWhenTheDatabaseIsAndTheJobHasEnded) {
  Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::JobRunning);
  EXPECT_EQ(outcome.observed.job->name, the_job()["metadata"]["name"]);
  const auto arguments = the_job()["spec"]["template"]["spec"]["containers"][0]["args"].get<std::vector<std::string>>();
  EXPECT_THAT(arguments, Contains("--plan-hash=" + outcome.review->plan->hash));
  database().observation.current_heads = {"a3"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "never done while the Job runs";
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  delete_job();
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(JobModeTest, ReportsARunOnceAlsoAfterARestart) {
  (void)reconcile();
  for (const char* const id : {"a1", "a2", "a3"}) {
    note(id, "applied");
  }
  database().observation.current_heads = {"a3"};
  end_job("Complete");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::Applied);
  EXPECT_EQ(outcome.message, "the database is at a3 after an upgrade of 3 revisions");
  (void)reconcile();
  restart();
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  ASSERT_EQ(resource.status.history.size(), 1U);
  const HistoryStatus& reported = resource.status.history.front();
  EXPECT_EQ(reported.from + " " + reported.to + " " + reported.outcome + " " + reported.run_id, "base a3 applied r-1");
  EXPECT_EQ(reported.revisions, 3);
  EXPECT_EQ(reported.duration_ms, 60);
  EXPECT_EQ(observer.applied, 3);
}

TEST_F(JobModeTest, ReportsTheRunOfEachJob) {
  resource.spec.target_revision = "a1";
  (void)reconcile();
  note("a1", "applied");
  database().observation.current_heads = {"a1"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  delete_job();
  resource.spec.target_revision = "head";
  ++resource.metadata.generation;
  clock.advance(std::chrono::minutes(1));
  (void)reconcile();
  for (const char* const id : {"a2", "a3"}) {
    note(id, "applied");
    database().ledger.front().run_id = "r-2";
  }
  database().observation.current_heads = {"a3"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  ASSERT_EQ(resource.status.history.size(), 2U);
  EXPECT_EQ(observer.applied, 3);
}

TEST_F(JobModeTest, ReportsTheRunOfThisJobAndOfNoOther) {
  (void)reconcile();
  note("a1", "applied");
  database().ledger.front().started_at = "2001-01-01T00:00:00+00:00";  // the same plan, long ago
  database().observation.current_heads = {"a3"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_TRUE(resource.status.history.empty());
}

TEST_F(JobModeTest, SeesHowFarTheJobIs) {
  (void)reconcile();
  EXPECT_EQ(reconcile().observed.job_progress->done, 0);
  note("a1", "applied");
  database().observation.current_heads = {"a1"};
  database().observation.unfinished = UnfinishedStep{};
  database().observation.unfinished->revision = "a2";
  database().observation.unfinished->rows = 500;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::JobRunning);
  ASSERT_TRUE(outcome.observed.job_progress);
  EXPECT_EQ(*outcome.observed.job_progress, (ProgressStatus{1, 3, "a2", 500}));
  EXPECT_EQ(resource.status.current_revision, "a1");
  EXPECT_EQ(resource.status.phase, Phase::Migrating);
  database().unreachable = true;
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "the Job decides, not an observation";
  EXPECT_EQ(resource.status.progress, outcome.observed.job_progress) << "what is known stays known";
}

TEST_F(JobModeTest, RecreatesADeletedJobWhenTheDatabaseIsNotAtTheTarget) {
  (void)reconcile();
  delete_job();
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(JobModeTest, SaysThatTheServerRefusesTheJob) {
  kube.fail({.verb = "create", .plural = "jobs", .error = Error(ErrorCode::ApiInvalid, "quantities must match"), .times = 1});
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::JobRefused) << outcome.message;
  EXPECT_NE(outcome.message.find("quantities must match"), std::string::npos) << outcome.message;
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
}

TEST_F(JobModeTest, SaysThatItsNameIsTaken) {
  (void)reconcile();
  KubeObject job = the_job();
  job["metadata"]["ownerReferences"][0]["uid"] = "somebody";
  kube.put(kube::kJobs, job);
  restart();
  EXPECT_EQ(reconcile().reason, Reason::JobRefused);
}

TEST_F(JobModeTest, SaysThatThisOperatorMakesNoJobs) {
  reconciler = std::make_unique<Reconciler>(ReconcilerParts{sources, credentials, databases, observer, clock});
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::JobRefused);
}

TEST_F(JobModeTest, SaysWhatAJobCannotDo) {
  resource.spec.execution.pod_template = "[]";
  EXPECT_EQ(reconcile().reason, Reason::InvalidManifest);
  resource.spec.execution.pod_template.clear();
  resource.spec.database.url = "postgresql://user:secret@db/orders";
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::InvalidManifest);
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.message.find("secret@"), std::string::npos) << outcome.message;
  EXPECT_EQ(jobs_made(), 0U);
}

// The same SQLSTATE means the same as in process.
TEST_F(JobModeTest, RetriesWhatTheLedgerShowsAsTransient) {
  for (const char* const sqlstate : {"40P01", "40001", "53300", "55006", "55P03"}) {
    (void)reconcile();
    note("a1", "failed", sqlstate);
    end_job("Failed");
    EXPECT_EQ(reconcile().kind, Kind::Failed) << sqlstate;
    delete_job();
    database().ledger.clear();
    restart();
    ++resource.metadata.generation;
  }
}

TEST_F(JobModeTest, StallsOnAFailureAndRunsAgainWhenTheDeclarationChanges) {
  (void)reconcile();
  end_job("Failed", kStatementFailed);
  const Outcome failed = reconcile();
  EXPECT_EQ(failed.kind, Kind::Stalled);
  EXPECT_EQ(failed.reason, Reason::StatementFailed);
  EXPECT_FALSE(failed.repeated);
  EXPECT_TRUE(reconcile().repeated);
  EXPECT_EQ(jobs_made(), 1U);
  resource.metadata.generation = 2;
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(JobModeTest, DoesNotRepeatWhatAHalfAppliedPlanLeft) {
  (void)reconcile();
  fail_half_way();
  for (int round = 0; round < 3; ++round) {
    const Outcome failed = reconcile();
    EXPECT_EQ(failed.kind, Kind::Stalled);
    EXPECT_EQ(*failed.observed.pending, (std::vector<std::string>{"a2", "a3"}));
    const ErrorStatus& reported = *resource.status.last_error;
    EXPECT_EQ(reported.revision + ":" + std::to_string(reported.line) + " " + reported.statement + " " + reported.sqlstate,
              "a2:7 INSERT 42P01");
    restart();
  }
  EXPECT_EQ(jobs_made(), 1U);
  EXPECT_EQ(observer.failed, 1);
  EXPECT_EQ(resource.status.history.size(), 1U);
  EXPECT_EQ(resource.status.history.front().outcome, "statement-failed");
  resource.metadata.annotations[kRetryNowAnnotation] = "now";
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(JobModeTest, TriesWhatIsLeftAgainWhenADatabaseOrAFileIsAnother) {
  (void)reconcile();
  fail_half_way();
  EXPECT_EQ(reconcile().kind, Kind::Stalled);
  database().observation.current_heads = {"a2"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(JobModeTest, RetriesAFixedFile) {
  (void)reconcile();
  fail_half_way();
  EXPECT_EQ(reconcile().kind, Kind::Stalled);
  auto files = sketch::line();
  files[1] = sketch::revision("a2", "a1", "SELECT 'mended';");
  sources.current = sketch::snapshot(files, "2");
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
}

TEST_F(JobModeTest, TakesTheReasonFromTheLedgerWhenTheRunSaidNothing) {
  (void)reconcile();
  fail_half_way("Killed");
  for (int round = 0; round < 2; ++round) {
    const Outcome failed = reconcile();
    EXPECT_EQ(failed.kind, Kind::Stalled);
    EXPECT_EQ(failed.reason, Reason::StatementFailed);
    EXPECT_EQ(failed.error->sqlstate, "42P01");
    EXPECT_EQ(resource.status.last_error->revision, "a2");
  }
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(JobModeTest, SaysWhyAPodEndedThatSaidNothing) {
  (void)reconcile();
  end_job("Failed", "Killed");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::JobFailed);
  EXPECT_THAT(outcome.message, HasSubstr("exit code 9"));
}

TEST_F(JobModeTest, TriesAgainAfterAPauseWhatMayPass) {
  (void)reconcile();
  end_job("Failed", kConnectionLost);
  EXPECT_EQ(reconcile().reason, Reason::DatabaseUnreachable);
  clock.advance(std::chrono::seconds(59));
  EXPECT_EQ(reconcile().kind, Kind::Failed);
  EXPECT_EQ(jobs_made(), 1U);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(kube.all(kube::kJobs).size(), 1U) << "the old one makes way";
}

TEST_F(JobModeTest, TriesAgainWhenAPodWasToldToStop) {
  (void)reconcile();
  end_job("Failed", R"({"success": false, "error": {"code": "interrupted", "message": "stopped", "retry": "transient"}})");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_EQ(next_attempt(outcome, 0), Requeue::BackOff);
  clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
}

TEST_F(JobModeTest, BringsADatabaseForwardThatMovedBackAfterTheJob) {
  (void)reconcile();
  note("a3", "applied");
  database().observation.current_heads = {"a3"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  database().observation.current_heads = {};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 3U) << "one of them met its predecessor";
}

TEST_F(JobModeTest, DoesNotRepeatAJobThatEndsWellAndDoesNothing) {
  (void)reconcile();
  end_job("Complete");
  for (int round = 0; round < 3; ++round) {
    const Outcome outcome = reconcile();
    EXPECT_EQ(outcome.kind, Kind::Failed);
    EXPECT_THAT(outcome.message, HasSubstr("is not at the target"));
    EXPECT_EQ(next_attempt(outcome, 0), Requeue::BackOff);
  }
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(JobModeTest, TakesNoBackupForAnAttemptThatFailed) {
  resource.spec.backup.when = BackupWhen::Always;
  (void)reconcile();
  EXPECT_EQ(backups.taken, 1);
  end_job("Failed", kStatementFailed);
  EXPECT_EQ(reconcile().kind, Kind::Stalled);
  EXPECT_EQ(reconcile().kind, Kind::Stalled);
  EXPECT_EQ(backups.taken, 1);
}

TEST_F(JobModeTest, TakesNoBackupForAJobThatTheServerWouldRefuse) {
  resource.spec.backup.when = BackupWhen::Always;
  kube.fail({.verb = "dry-run", .plural = "jobs", .error = Error(ErrorCode::ApiForbidden, "exceeded quota"), .times = 2});
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(reconcile().message, HasSubstr("exceeded quota"));
  }
  EXPECT_EQ(backups.taken, 0);
  EXPECT_EQ(jobs_made(), 0U);
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(backups.taken, 1);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(JobModeTest, MakesNoDryRunWithoutABackup) {
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(kube.count("dry-run"), 0U);
}

TEST_F(JobModeTest, BacksUpWhereAWebhookTakesNoDryRuns) {
  resource.spec.backup.when = BackupWhen::Always;
  kube.fail(
      {.verb = "dry-run",
       .plural = "jobs",
       .error = Error(ErrorCode::ApiInvalid, "admission webhook \"x.example.com\" does not support dry run (status 400)")});
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(backups.taken, 1);
}

TEST_F(JobModeTest, SaysNothingOfAPasswordInNamesAndLabels) {
  resource.spec.database.url.clear();
  resource.spec.database.url_from = SecretReference{SecretReference::Kind::SecretKey, "db", "url"};
  const auto job_with = [&](const std::string& url) {
    credentials.values["db"] = url;
    EXPECT_EQ(reconcile().reason, Reason::JobRunning);
    const KubeObject job = the_job();
    kube.drop(kube::kJobs, {"shop", job["metadata"]["name"].get<std::string>()});
    return job["metadata"]["name"].dump() + job["metadata"]["labels"].dump() + job["metadata"]["annotations"].dump();
  };
  const std::string first = job_with("postgresql://me:secret@db/orders?password=x");
  EXPECT_EQ(job_with("postgresql://me:an@other:@db/orders"), first);
  EXPECT_NE(job_with("postgresql://me:secret@db/billing"), first);
  EXPECT_NE(job_with("postgresql://you:secret@db/orders"), first);
}

TEST_F(JobModeTest, WithdrawsAJobThatHasNotStartedWhenItIsNoLongerDeclared) {
  const DatabaseMigration first = resource;
  const std::vector<std::pair<std::string, std::function<void()>>> changes{
      {"its declaration changed", [this] { ++resource.metadata.generation; }},
      {"the resource is suspended", [this] { resource.spec.suspend = true; }},
      {"its maintenance window has closed",
       [this] {
         resource.spec.execution.windows = {{"0 0 1 1 *", std::chrono::minutes(1), "UTC"}};
       }},
  };
  for (const auto& [why, change] : changes) {
    resource = first;
    EXPECT_EQ(reconcile().reason, Reason::JobRunning);
    make_pod(the_job());
    change();
    const Outcome outcome = reconcile();
    EXPECT_EQ(outcome.reason, Reason::JobRunning) << "until its pods have ended";
    EXPECT_THAT(outcome.message, HasSubstr("was withdrawn before it started: " + why));
    EXPECT_TRUE(kube.all(kube::kJobs).empty());
    EXPECT_TRUE(database().observation.current_heads.empty());
  }
}

TEST_F(JobModeTest, WithdrawsAJobThatHasNotStartedWhenAnotherResourceHasTheDatabase) {
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  claimed_by = "shop/older";
  EXPECT_THAT(reconcile().message, HasSubstr("was withdrawn before it started: the database is managed by shop/older"));
  EXPECT_TRUE(kube.all(kube::kJobs).empty());
  EXPECT_EQ(reconcile().reason, Reason::DatabaseClaimed);
}

TEST_F(JobModeTest, FollowsAStartedJobToItsEndThoughAnotherResourceHasTheDatabase) {
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  kube.put_status(kube::kPods, make_pod(the_job()), {{"phase", "Running"}});
  claimed_by = "shop/older";
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(kube.all(kube::kJobs).size(), 1U);
}

TEST_F(JobModeTest, WithdrawsAJobThatHasNotStartedWhenItsApprovalIsWithdrawn) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  approvals.given = {{"yes", reconcile().review->approval_hash, "ann", "now"}};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(kube.all(kube::kJobs).size(), 1U) << "nothing changed";
  approvals.given.clear();
  EXPECT_THAT(reconcile().message, HasSubstr("its approval was withdrawn"));
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired);
}

TEST_F(JobModeTest, FollowsAStartedJobToItsEndWhateverIsDeclaredMeanwhile) {
  (void)reconcile();
  kube.put_status(kube::kPods, make_pod(the_job()), {{"phase", "Running"}});
  resource.spec.suspend = true;
  ++resource.metadata.generation;
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "its database is not left alone yet";
  resource.spec.suspend = false;
  resource.spec.execution.mode = ExecutionMode::InProcess;
  resource.spec.target_revision = "a1";
  database().observation.current_heads = {"a1"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "at the target, and on its way to another";
  EXPECT_EQ(kube.all(kube::kJobs).size(), 1U);
  resource.spec.suspend = true;
  for (const char* const id : {"a1", "a2", "a3"}) {
    note(id, "applied");
  }
  database().observation.current_heads = {"a3"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::Suspended);
  EXPECT_EQ(resource.status.current_revision, "a3");
  EXPECT_EQ(resource.status.job->phase, "Succeeded");
  EXPECT_EQ(resource.status.history.size(), 1U);
  database().calls.clear();
  EXPECT_EQ(reconcile().reason, Reason::Suspended);
  EXPECT_TRUE(database().calls.empty()) << "from now on it is left alone";
}

TEST_F(JobModeTest, DoesNotCallAJobRunningThatSomebodyDeleted) {
  (void)reconcile();
  delete_job();
  resource.spec.execution.mode = ExecutionMode::InProcess;
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(resource.status.job->phase, "Deleted");
}

TEST_F(JobModeTest, PassesTheFilesOfThePlanToTheJob) {
  come_from_git();
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  ASSERT_EQ(kube.all(kube::kConfigMaps).size(), 1U);
  EXPECT_EQ(kube.all(kube::kConfigMaps)[0]["data"].size(), 3U);
}

TEST_F(JobModeTest, RefusesASourceThatIsTooLargeForAJobBeforeAnythingIsDoneForIt) {
  come_from_git();
  auto files = sketch::line();
  files[1].text += "-- " + std::string(std::size_t{1} << 20U, 'x') + "\n";
  sources.current = sketch::snapshot(files, "2");
  resource.spec.policy.approval = ApprovalPolicy::Always;
  resource.spec.backup.when = BackupWhen::Always;
  for (const bool approved : {false, true}) {
    const Outcome outcome = reconcile();
    EXPECT_EQ(outcome.kind, Kind::Stalled) << approved;
    EXPECT_EQ(outcome.reason, Reason::SourceTooLarge);
    EXPECT_THAT(outcome.message, HasSubstr("a2.sql"));
    EXPECT_THAT(outcome.error->hint, HasSubstr("spec.source.image"));
    approvals.given = {{"yes", outcome.review->approval_hash, "ann", "now"}};
  }
  EXPECT_EQ(backups.taken, 0);
  EXPECT_EQ(kube.count("create"), 0U);
  resource.spec.dry_run = true;
  EXPECT_EQ(reconcile().reason, Reason::PlanPublished);
}

}  // namespace
}  // namespace athanor::controller
