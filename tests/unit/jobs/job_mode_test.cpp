// Execution mode Job from the reconciler's side, which observes the database first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/reconcile/reconciler.hpp"
#include "tests/unit/jobs/job_sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = Outcome::Kind;

class CountingObserver final : public ReconcileObserver {
 public:
  void revision_applied(Direction, double) override { ++applied; }
  void run_failed(Reason) override { ++failed; }
  int applied = 0;
  int failed = 0;
};

class CountingBackups final : public BackupService {
 public:
  Result<BackupStatus> ensure(const DatabaseMigration&, const DatabaseTarget&, const std::vector<std::string>&,
                              const std::function<void(const std::string&)>&, const StopToken&) override {
    ++taken;
    return BackupStatus();
  }
  int taken = 0;
};

class GivenApprovals final : public ApprovalSource {
 public:
  [[nodiscard]] std::vector<Approval> approvals(const ResourceKey&) const override { return given; }
  std::vector<Approval> given;
};

class JobModeTest : public JobRunnerTest {
 protected:
  JobModeTest() {
    sources.current = sketch::snapshot(sketch::line());
    resource.metadata.generation = 1;
    restart();
  }
  void restart() {
    fresh_runner = std::make_unique<JobRunner>(kube, clock, "athanor:1");
    ReconcilerParts parts{sources, credentials, databases, observer, clock};
    parts.jobs = fresh_runner.get();
    parts.backups = &backups;
    parts.approvals = &approvals;
    reconciler = std::make_unique<Reconciler>(parts);
  }
  Outcome reconcile() {
    Outcome outcome = reconciler->reconcile(resource, "", {}, {}, Log());
    resource.status = summarise(resource, outcome, {1, clock.wall_now(), {}});
    return outcome;
  }
  std::size_t jobs_made() { return kube.count("create", "jobs"); }
  // What a run leaves in the ledger, as the newest of it.
  void note(const std::string& revision, const std::string& outcome, const std::string& sqlstate = "") {
    Migrator::HistoryEntry entry;
    entry.run_id = "r-1";
    entry.revision = revision;
    entry.direction = "upgrade";
    entry.outcome = outcome;
    entry.plan_hash = the_job()["metadata"]["annotations"]["athanor.dev/plan"].get<std::string>();
    entry.started_at = format_iso8601(clock.wall_now());
    entry.duration_ms = 20;
    entry.sqlstate = sqlstate;
    entry.message = outcome == "failed" ? "no such table" : "";
    database().ledger.insert(database().ledger.begin(), entry);
  }
  // The first of three is applied, the second fails.
  void fail_half_way(const std::string& message = R"({"success": false, "run_id": "r-1", "current_revision": ["a1"],
      "failed": {"revision": "a2", "line": 7, "statement": "INSERT"},
      "error": {"code": "statement-failed", "message": "no such table", "sqlstate": "42P01", "retry": "terminal"}})") {
    note("a1", "applied");
    note("a2", "failed", "42P01");
    database().observation.rows = {"a1"};
    end_job("Failed", message);
  }
  sketch::FakeDatabase& database() { return databases.database; }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  CountingObserver observer;
  CountingBackups backups;
  GivenApprovals approvals;
  std::unique_ptr<JobRunner> fresh_runner;
  std::unique_ptr<Reconciler> reconciler;
};

TEST_F(JobModeTest, IsDoneWhenTheDatabaseIsAndTheJobHasEnded) {
  Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::JobRunning);
  EXPECT_EQ(outcome.job->name, the_job()["metadata"]["name"]);
  const auto arguments = the_job()["spec"]["template"]["spec"]["containers"][0]["args"].get<std::vector<std::string>>();
  EXPECT_THAT(arguments, Contains("--plan-hash=" + outcome.plan->hash));
  database().observation.rows = {"a3"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "never done while the Job runs";
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  delete_job();
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(JobModeTest, TellsARunOnceAlsoAfterARestart) {
  (void)reconcile();
  for (const char* const id : {"a1", "a2", "a3"}) {
    note(id, "applied");
  }
  database().observation.rows = {"a3"};
  end_job("Complete");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::Applied);
  EXPECT_EQ(outcome.message, "the database is at a3 after an upgrade of 3 revisions");
  (void)reconcile();
  restart();
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  ASSERT_EQ(resource.status.history.size(), 1U);
  const HistoryStatus& told = resource.status.history.front();
  EXPECT_EQ(told.from + " " + told.to + " " + told.outcome + " " + told.run_id, "base a3 applied r-1");
  EXPECT_EQ(told.revisions, 3);
  EXPECT_EQ(told.duration_ms, 60);
  EXPECT_EQ(observer.applied, 3);
}

TEST_F(JobModeTest, TellsTheRunOfEachJob) {
  resource.spec.target_revision = "a1";
  (void)reconcile();
  note("a1", "applied");
  database().observation.rows = {"a1"};
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
  database().observation.rows = {"a3"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  ASSERT_EQ(resource.status.history.size(), 2U);
  EXPECT_EQ(observer.applied, 3);
}

TEST_F(JobModeTest, TellsTheRunOfThisJobAndOfNoOther) {
  (void)reconcile();
  note("a1", "applied");
  database().ledger.front().started_at = "2001-01-01T00:00:00+00:00";  // the same plan, long ago
  database().observation.rows = {"a3"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_TRUE(resource.status.history.empty());
}

TEST_F(JobModeTest, SeesHowFarTheJobIs) {
  (void)reconcile();
  EXPECT_EQ(reconcile().progress->done, 0);
  note("a1", "applied");
  database().observation.rows = {"a1"};
  database().observation.unfinished = UnfinishedStep{};
  database().observation.unfinished->revision = "a2";
  database().observation.unfinished->rows = 500;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::JobRunning);
  ASSERT_TRUE(outcome.progress);
  EXPECT_EQ(*outcome.progress, (ProgressStatus{1, 3, "a2", 500}));
  EXPECT_EQ(resource.status.current_revision, "a1");
  EXPECT_EQ(resource.status.phase, Phase::Migrating);
  database().unreachable = true;
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "the Job decides, not a look";
  EXPECT_EQ(resource.status.progress, outcome.progress) << "what is known stays known";
}

TEST_F(JobModeTest, MakesADeletedJobAgainWhenTheDatabaseIsNotThere) {
  (void)reconcile();
  delete_job();
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 2U);
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
  for (int looks = 0; looks < 3; ++looks) {
    const Outcome failed = reconcile();
    EXPECT_EQ(failed.kind, Kind::Stalled);
    EXPECT_EQ(*failed.pending, (std::vector<std::string>{"a2", "a3"}));
    const ErrorStatus& told = *resource.status.last_error;
    EXPECT_EQ(told.revision + ":" + std::to_string(told.line) + " " + told.statement + " " + told.sqlstate,
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
  database().observation.rows = {"a2"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(JobModeTest, TriesAMendedFile) {
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
  for (int looks = 0; looks < 2; ++looks) {
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
  database().observation.rows = {"a3"};
  end_job("Complete");
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  database().observation.rows = {};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(jobs_made(), 3U) << "one of them met its predecessor";
}

TEST_F(JobModeTest, DoesNotRepeatAJobThatEndsWellAndDoesNothing) {
  (void)reconcile();
  end_job("Complete");
  for (int looks = 0; looks < 3; ++looks) {
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

// Revisions in an image, which only pods can read.
class ImageModeTest : public JobModeTest {
 protected:
  ImageModeTest() {
    resource.spec.source.path.clear();
    resource.spec.source.image = ImageSource{"images.example.org/orders:1", "/versions"};
  }
  [[nodiscard]] std::string work() {
    std::string verb;
    for (const auto& job : kube.all(kube::kJobs)) {
      if (!job.contains("status")) {
        verb = job["spec"]["template"]["spec"]["containers"][0]["args"][0].get<std::string>();
      }
    }
    return verb;
  }
  void end_planning(int revisions, const std::string& destructive = "[]", char hash = 'a') {
    end_newest("Complete", R"({"success": true, "plan_hash": ")" + std::string(64, hash) + R"(", "plan": {"revisions": )" +
                               std::to_string(revisions) +
                               R"(, "first": [{"revision": "a1", "message": "One"}], "destructive": )" + destructive + "}}");
  }
  void end_run(const std::string& row) {
    database().observation.rows = {row};
    end_newest("Complete", R"({"success": true, "run_id": "r-1", "current_revision": [")" + row + R"("]})");
  }
  // Older ones make room, so that there is no doubt which is the newest.
  void end_newest(const char* type, const std::string& message) {
    for (const auto& job : kube.all(kube::kJobs)) {
      if (job.contains("status")) {
        kube.drop(kube::kJobs, {"shop", job["metadata"]["name"].get<std::string>()});
      }
    }
    end_job(type, message);
  }
  [[nodiscard]] std::vector<std::string> arguments() {
    for (const auto& job : kube.all(kube::kJobs)) {
      if (!job.contains("status")) {
        return job["spec"]["template"]["spec"]["containers"][0]["args"].get<std::vector<std::string>>();
      }
    }
    return {};
  }
};

TEST_F(ImageModeTest, RunsAtOnceWhatNeedsNoPlan) {
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(work(), "upgrade");
  end_run("a3");
  EXPECT_EQ(reconcile().kind, Kind::Done);
  EXPECT_EQ(reconcile().kind, Kind::Done);
  EXPECT_EQ(jobs_made(), 1U);
  database().observation.rows = {"a1"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "it moved back";
}

TEST_F(ImageModeTest, DoesNotTakeADatabaseThatIsAheadOfItsTargetForDone) {
  resource.spec.target_revision = "a1";
  (void)reconcile();
  database().observation.rows = {"a3"};
  end_newest("Complete", R"({"success": true, "current_revision": ["a3"], "ahead": true})");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::DatabaseAhead);
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_THAT(outcome.message, HasSubstr("at a3, ahead of the declared target a1"));
  EXPECT_EQ(reconcile().reason, Reason::DatabaseAhead);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, SaysSoOfAPlanThatHasNothingToDo) {
  resource.spec.dry_run = true;
  (void)reconcile();
  end_newest("Complete", R"({"success": true, "plan_hash": ")" + std::string(64, 'a') +
                             R"(", "plan": {"revisions": 0, "first": [], "destructive": []}, "ahead": true})");
  EXPECT_EQ(reconcile().reason, Reason::DatabaseAhead);
}

TEST_F(ImageModeTest, PublishesThePlanOfADryRunAndRunsNothing) {
  resource.spec.dry_run = true;
  EXPECT_THAT(reconcile().message, HasSubstr("is planning"));
  EXPECT_EQ(resource.status.phase, Phase::Planning);
  EXPECT_EQ(work(), "plan");
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(resource.status.phase, Phase::Planning);
  end_planning(3);
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::PlanPublished);
  EXPECT_EQ(resource.status.plan->revisions, 3);
  EXPECT_EQ(resource.status.plan->summary.front(), "upgrade a1 One");
  EXPECT_EQ(resource.status.pending_count, 3);
  EXPECT_EQ(reconcile().reason, Reason::PlanPublished);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, HoldsTheRunToTheApprovedPlan) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  (void)reconcile();
  end_planning(3);
  const Outcome waiting = reconcile();
  EXPECT_EQ(waiting.reason, Reason::ApprovalRequired);
  EXPECT_THAT(waiting.message, HasSubstr(std::string(64, 'a')));
  EXPECT_EQ(jobs_made(), 1U);
  approvals.given = {{"yes", std::string(64, 'a'), "ann", "now"}};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_THAT(arguments(), Contains("--plan-hash=" + std::string(64, 'a')));
  end_run("a3");
  EXPECT_EQ(reconcile().kind, Kind::Done);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(ImageModeTest, PlansAnewWhenTheImageIsAnother) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  (void)reconcile();
  end_planning(3);
  approvals.given = {{"yes", std::string(64, 'a'), "ann", "now"}};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  end_newest("Failed", R"({"success": false, "current_revision": [],
      "error": {"code": "stale-plan", "message": "another plan", "retry": "conflict"}})");
  EXPECT_EQ(reconcile().kind, Kind::Failed);
  EXPECT_EQ(jobs_made(), 2U);
  clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(work(), "plan");
  end_planning(3, "[]", 'b');
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired) << "the approval was of another plan";
}

TEST_F(ImageModeTest, AsksForAnApprovalOfWhatDestroysSomething) {
  resource.spec.policy.approval = ApprovalPolicy::Destructive;
  (void)reconcile();
  end_planning(1, R"(["a1, line 7: DROP TABLE users"])");
  EXPECT_THAT(reconcile().message, HasSubstr("DROP TABLE users"));
}

TEST_F(ImageModeTest, BacksUpOnlyBeforeSomethingIsRun) {
  resource.spec.backup.when = BackupWhen::Always;
  (void)reconcile();
  EXPECT_EQ(backups.taken, 0);
  end_planning(0);
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_EQ(backups.taken, 0);
  resource.metadata.generation = 2;
  (void)reconcile();
  end_planning(1);
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(work(), "upgrade");
  EXPECT_EQ(backups.taken, 1);
}

TEST_F(ImageModeTest, WaitsForItsWindow) {
  resource.spec.execution.windows = {{"0 0 1 1 *", std::chrono::hours(1), "UTC"}};
  (void)reconcile();
  end_planning(1);
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::OutsideWindow);
  EXPECT_TRUE(outcome.look_again);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, StallsOnAPlanThatFailsAndOnOneThatIsNotTold) {
  resource.spec.dry_run = true;
  (void)reconcile();
  end_newest("Failed",
             R"({"success": false, "error": {"code": "malformed-revision", "message": "no id", "retry": "terminal"}})");
  EXPECT_EQ(reconcile().reason, Reason::SourceInvalid);
  EXPECT_EQ(reconcile().kind, Kind::Stalled);
  EXPECT_EQ(jobs_made(), 1U);
  resource.metadata.generation = 2;
  (void)reconcile();
  end_newest("Complete", "done");
  EXPECT_EQ(reconcile().reason, Reason::JobFailed);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(ImageModeTest, PausesBeforeItPlansAgainWhenTheDatabaseWasAway) {
  resource.spec.dry_run = true;
  database().observation.rows = {"a1"};
  (void)reconcile();
  end_newest("Failed", kConnectionLost);
  EXPECT_EQ(reconcile().kind, Kind::Failed);
  EXPECT_EQ(jobs_made(), 1U);
  clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
}

TEST_F(JobModeTest, HandsTheFilesOfThePlanToTheJob) {
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
    approvals.given = {{"yes", outcome.plan->hash, "ann", "now"}};
  }
  EXPECT_EQ(backups.taken, 0);
  EXPECT_EQ(kube.count("create"), 0U);
  resource.spec.dry_run = true;
  EXPECT_EQ(reconcile().reason, Reason::PlanPublished);
}

}  // namespace
}  // namespace athanor::controller
