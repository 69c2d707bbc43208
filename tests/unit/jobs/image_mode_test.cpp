// Execution mode Job where the revisions are in an image, which only pods can read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/jobs/job_mode.hpp"

namespace athanor::controller {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using Kind = Verdict::Kind;

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
  void end_planning(int revisions, const std::string& destructive = "[]", char hash = 'a',
                    const std::string& direction = "upgrade") {
    end_newest("Complete", R"({"success": true, "plan_hash": ")" + std::string(64, hash) + R"(", "plan": {"direction": ")" +
                               direction + R"(", "revisions": )" + std::to_string(revisions) +
                               R"(, "first": [{"revision": "a1", "message": "One"}], "destructive": )" + destructive + "}}");
  }
  void end_run(const std::string& row) {
    database().observation.current_heads = {row};
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

TEST_F(ImageModeTest, RunsImmediatelyWithoutAPlanningJobIfNoneIsNeeded) {
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(work(), "upgrade");
  end_run("a3");
  EXPECT_EQ(reconcile().kind, Kind::Done);
  EXPECT_EQ(reconcile().kind, Kind::Done);
  EXPECT_EQ(jobs_made(), 1U);
  database().observation.current_heads = {"a1"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "it moved back";
}

TEST_F(ImageModeTest, DoesNotReportADatabaseAheadOfItsTargetAsDone) {
  resource.spec.target_revision = "a1";
  (void)reconcile();
  database().observation.current_heads = {"a3"};
  end_newest("Complete", R"({"success": true, "current_revision": ["a3"], "ahead": true})");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::DatabaseAhead);
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_THAT(outcome.message, HasSubstr("at a3, ahead of the declared target a1"));
  EXPECT_EQ(reconcile().reason, Reason::DatabaseAhead);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, DowngradesWhereAllowedAndOnlyAsPlanned) {
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  resource.spec.target_revision = "a1";
  database().observation.current_heads = {"a3"};
  (void)reconcile();
  EXPECT_EQ(work(), "plan");
  end_planning(2, R"(["a3, line 9: DROP TABLE t"])", 'a', "downgrade");
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_EQ(resource.status.plan->direction, "downgrade");
  EXPECT_EQ(resource.status.plan->summary.front(), "downgrade a1 One");
  EXPECT_EQ(work(), "downgrade");
  EXPECT_THAT(arguments(), Contains("--plan-hash=" + std::string(64, 'a')));
  EXPECT_EQ(arguments().back(), "a1");
  end_run("a1");
  EXPECT_EQ(reconcile().kind, Kind::Done);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(ImageModeTest, RequiresAnApprovalBeforeADowngrade) {
  resource.spec.policy.downgrade = DowngradePolicy::Allow;
  resource.spec.policy.approval = ApprovalPolicy::Destructive;
  (void)reconcile();
  end_planning(2, R"(["a3, line 9: DROP TABLE t"])", 'a', "downgrade");
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, JudgesWhatLintOfThePlanningPodFound) {
  resource.spec.policy.lint.emplace();
  resource.spec.policy.lint->levels["drop-column"] = Severity::Error;
  (void)reconcile();
  EXPECT_EQ(work(), "plan");
  EXPECT_THAT(arguments(), Contains("--lint"));
  EXPECT_THAT(arguments(), Contains("--set=lint.drop-column=error"));
  EXPECT_THAT(arguments(), Contains("--set=lint.small_table_rows=1000"));
  const auto end_linted = [&](const std::string& lint) {
    end_newest("Complete", R"({"success": true, "plan_hash": ")" + std::string(64, 'a') +
                               R"(", "plan": {"direction": "upgrade", "revisions": 1, "first": []}, "lint": )" + lint + "}");
  };
  end_linted(R"({"errors": 1, "warnings": 0, "hints": 2, "findings": ["a2.sql:7: error drop-column: it is gone"]})");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::LintFindings);
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_THAT(outcome.message, HasSubstr("a2.sql:7: error drop-column: it is gone"));
  EXPECT_EQ(resource.status.plan->lint->hints, 2);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, DoesNotTreatAnUnlintedPlanAsOneWithoutFindings) {
  resource.spec.policy.lint.emplace();
  (void)reconcile();
  end_planning(1);
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::LintFindings);
  EXPECT_THAT(outcome.message, HasSubstr("was not linted"));
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, DoesNotDowngradeOnlyBecauseThePodReportsIt) {
  resource.spec.policy.approval = ApprovalPolicy::Destructive;  // a plan is needed, and going back is refused
  (void)reconcile();
  end_planning(2, "[]", 'a', "downgrade");
  EXPECT_EQ(reconcile().reason, Reason::DatabaseAhead);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, IsNotReadyWhileARevisionBeyondTheTargetIsHalfDone) {
  resource.spec.target_revision = "a1";
  (void)reconcile();
  database().observation.unfinished = UnfinishedStep{};
  database().observation.unfinished->revision = "a2";
  end_run("a1");
  for (int round = 0; round < 2; ++round) {
    const Outcome outcome = reconcile();
    EXPECT_EQ(outcome.reason, Reason::UnfinishedRevision);
    EXPECT_EQ(outcome.kind, Kind::Stalled);
    EXPECT_THAT(outcome.message, HasSubstr("revision a2 stopped half-way"));
  }
  EXPECT_EQ(jobs_made(), 1U);
  database().observation.unfinished.reset();
  EXPECT_EQ(reconcile().kind, Kind::Done);
}

TEST_F(ImageModeTest, StaysDoneWhenItsJobIsOverAndGone) {
  (void)reconcile();
  end_run("a3");
  EXPECT_EQ(reconcile().kind, Kind::Done);
  delete_job();
  const DatabaseMigrationStatus before = resource.status;
  restart();
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_EQ(resource.status, before) << "it stays Ready, and nothing is written";
  EXPECT_EQ(jobs_made(), 1U);

  database().observation.unfinished = UnfinishedStep{};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "somebody else's work";
  delete_job();
  database().observation.unfinished.reset();
  resource.status = before;
  database().observation.current_heads = {"a2"};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "it moved";
  delete_job();
  resource.status = before;
  database().observation.current_heads = {"a3"};
  resource.metadata.annotations[kRetryNowAnnotation] = "now";
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "a human wants to know";
  delete_job();
  resource.status = before;
  resource.metadata.annotations.clear();
  resource.spec.source.image->reference = "images.example.org/orders:2";
  EXPECT_EQ(reconcile().reason, Reason::JobRunning) << "another image";
}

TEST_F(ImageModeTest, StaysAheadAndPlannedWhenItsJobIsOverAndGone) {
  resource.spec.target_revision = "a1";
  (void)reconcile();
  database().observation.current_heads = {"a3"};
  end_newest("Complete", R"({"success": true, "current_revision": ["a3"], "ahead": true})");
  EXPECT_EQ(reconcile().reason, Reason::DatabaseAhead);
  delete_job();
  DatabaseMigrationStatus before = resource.status;
  EXPECT_EQ(reconcile().reason, Reason::DatabaseAhead);
  EXPECT_EQ(resource.status, before);

  resource.spec.dry_run = true;
  ++resource.metadata.generation;
  (void)reconcile();
  end_planning(3);
  EXPECT_EQ(reconcile().reason, Reason::PlanPublished);
  delete_job();
  before = resource.status;
  EXPECT_EQ(reconcile().reason, Reason::PlanPublished);
  EXPECT_EQ(resource.status, before);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(ImageModeTest, AFailedJobThatIsGoneIsNotReportedAsDone) {
  (void)reconcile();
  end_newest("Failed", kStatementFailed);
  EXPECT_EQ(reconcile().kind, Kind::Stalled);
  delete_job();
  restart();
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
}

TEST_F(ImageModeTest, NamesTheImageThatWasRead) {
  (void)reconcile();
  EXPECT_FALSE(resource.status.source) << "nobody has read it yet";
  end_run("a3");
  (void)reconcile();
  EXPECT_EQ(resource.status.source->kind + " " + resource.status.source->revision, "image images.example.org/orders:1");
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
  EXPECT_THAT(waiting.message, HasSubstr(waiting.review->approval_hash));
  EXPECT_EQ(jobs_made(), 1U);
  approvals.given = {{"content", std::string(64, 'a'), "ann", "now"}};
  EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired);
  approvals.given = {{"yes", waiting.review->approval_hash, "ann", "now"}};
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
  EXPECT_THAT(arguments(), Contains("--plan-hash=" + std::string(64, 'a')));
  end_run("a3");
  EXPECT_EQ(reconcile().kind, Kind::Done);
  EXPECT_EQ(jobs_made(), 2U);
}

TEST_F(ImageModeTest, PlansAgainWhenTheImageChanges) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  (void)reconcile();
  end_planning(3);
  approvals.given = {{"yes", reconcile().review->approval_hash, "ann", "now"}};
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

TEST_F(ImageModeTest, RequiresAnApprovalOfADestructivePlan) {
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
  EXPECT_TRUE(outcome.requeue_after);
  EXPECT_EQ(jobs_made(), 1U);
}

TEST_F(ImageModeTest, StallsOnAPlanThatFailsAndOnOneThatIsNotReported) {
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
  database().observation.current_heads = {"a1"};
  (void)reconcile();
  end_newest("Failed", kConnectionLost);
  EXPECT_EQ(reconcile().kind, Kind::Failed);
  EXPECT_EQ(jobs_made(), 1U);
  clock.advance(std::chrono::seconds(60));
  EXPECT_EQ(reconcile().reason, Reason::JobRunning);
}

}  // namespace
}  // namespace athanor::controller
