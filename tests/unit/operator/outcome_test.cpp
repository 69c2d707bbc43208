#include "operator/reconcile/outcome.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "operator/api/status_codec.hpp"
#include "operator/api/status_limits.hpp"
#include "operator/reconcile/migration_store.hpp"
#include "operator/reconcile/run_status.hpp"
#include "tests/unit/operator/overlong_status.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

WallTime at(int seconds) {
  return WallTime(std::chrono::seconds(1'790'000'000 + seconds));
}

Attempt attempt(int seconds) {
  Attempt attempt;
  attempt.now = at(seconds);
  return attempt;
}

Outcome done(Reason reason = Reason::UpToDate) {
  Outcome outcome;
  outcome.kind = Verdict::Kind::Done;
  outcome.reason = reason;
  outcome.message = "fine";
  outcome.observed.current_heads = std::vector<std::string>{"a3"};
  return outcome;
}

Outcome outcome_of(Error error) {
  return {verdict_of(std::move(error)), {}, {}};
}

PlanReview review_of(const std::shared_ptr<const Plan>& plan) {
  PlanReview review;
  review.plan = plan;
  review.approval_hash = plan->hash;
  return review;
}

DatabaseMigrationStatus running(const DatabaseMigration& resource, const std::shared_ptr<const Plan>& plan, int seconds) {
  return summarise_running(resource, review_of(plan), {}, {}, at(seconds));
}

std::shared_ptr<const Plan> plan_of(const std::vector<std::string>& from, const std::string& to) {
  return sketch::snapshot(sketch::line())->plan(Direction::Upgrade, from, {to}).value();
}

std::string said(const DatabaseMigrationStatus& status, ConditionType type) {
  const Condition* condition = find_condition(status.conditions, type);
  return condition == nullptr
             ? "nothing"
             : std::string(condition_status_name(condition->status)) + "/" + std::string(reason_name(condition->reason));
}

// A run of the first revision that somebody approved, after a backup.
DatabaseMigrationStatus after_an_approved_run(const DatabaseMigration& resource) {
  Outcome outcome = done(Reason::Applied);
  outcome.review = review_of(plan_of({}, "a1"));
  outcome.review->approval = Approval{"one", outcome.review->plan->hash, "admin", format_iso8601(at(0))};
  outcome.review->backup.emplace();
  outcome.review->backup->location = "/backups/one";
  return summarise(resource, outcome, attempt(0));
}

TEST(Summarise, LeavesOutRowsThatARunMayHaveMoved) {
  DatabaseMigration resource = sketch::resource();
  resource.status = summarise(resource, done(Reason::Applied), attempt(0));
  ASSERT_EQ(resource.status.current_revision, "a3");
  Outcome outcome = outcome_of(Error(ErrorCode::DatabaseUnreachable, "refused"));
  EXPECT_EQ(summarise(resource, outcome, attempt(1)).current_revision, "a3") << "nothing was run since they were read";
  outcome.observed.rows_unknown = true;
  const auto status = summarise(resource, outcome, attempt(1));
  EXPECT_EQ(status.current_revision, "");
  EXPECT_TRUE(status.current_revisions.empty());
}

// "Ready=False Stalled=True", in order.
std::string shape(const DatabaseMigrationStatus& status) {
  std::string text;
  for (const auto& condition : status.conditions) {
    if (condition.type == ConditionType::Planned || condition.type == ConditionType::Applied) {
      continue;
    }
    text += (text.empty() ? "" : " ") + std::string(condition_type_name(condition.type)) + "=" +
            std::string(condition_status_name(condition.status)) + "/" + std::string(reason_name(condition.reason));
  }
  return text;
}

TEST(Summarise, SaysReadyAndNothingElseWhenDone) {
  const auto status = summarise(sketch::resource(), done(), attempt(0));
  EXPECT_EQ(shape(status), "Ready=True/UpToDate");
  EXPECT_EQ(status.phase, Phase::Ready);
  EXPECT_EQ(status.observed_generation, 1);
  EXPECT_FALSE(status.last_error.has_value());
}

TEST(Summarise, StallsOnATerminalErrorAsKstatusWantsIt) {
  auto outcome = outcome_of(Error(ErrorCode::StatementFailed, "relation exists").with_sqlstate("42P07").advise("rename it"));
  outcome.report = ExecutionReport{};
  outcome.report->failed_revision = "a2";
  outcome.report->failed_line = 7;
  const auto status = summarise(sketch::resource(), outcome, attempt(0));
  EXPECT_EQ(shape(status), "Ready=False/StatementFailed Stalled=True/StatementFailed");
  ASSERT_TRUE(status.last_error.has_value());
  EXPECT_EQ(status.last_error->sqlstate, "42P07");
  EXPECT_EQ(status.last_error->revision, "a2");
  EXPECT_EQ(status.last_error->line, 7);
  EXPECT_EQ(status.last_error->hint, "rename it");
}

TEST(Summarise, RetriesATransientErrorAndSaysWhen) {
  const auto outcome = outcome_of(Error(ErrorCode::DatabaseUnreachable, "refused"));
  Attempt retry = attempt(0);
  retry.failures = 3;
  retry.retry_in = std::chrono::seconds(4);
  const auto status = summarise(sketch::resource(), outcome, retry);
  EXPECT_EQ(shape(status), "Ready=False/DatabaseUnreachable Reconciling=True/Retrying");
  EXPECT_EQ(status.failures, 3);
  EXPECT_EQ(status.next_retry, format_iso8601(at(4)));
}

TEST(Summarise, ReportsThatTheSourceIsUnavailableWhileItIs) {
  DatabaseMigration resource = sketch::resource();
  resource.status = summarise(resource, done(Reason::Applied), attempt(0));
  Outcome sourceless = done();
  sourceless.observed.source_revision = "main@c1";
  sourceless.observed.source_error = Error(ErrorCode::Io, "no answer").at("https://git.example.org/x");
  resource.status = summarise(resource, sourceless, attempt(1));
  EXPECT_EQ(shape(resource.status), "Ready=True/UpToDate SourceUnavailable=True/SourceNotFound");
  const auto* unavailable = find_condition(resource.status.conditions, ConditionType::SourceUnavailable);
  ASSERT_NE(unavailable, nullptr);
  EXPECT_EQ(unavailable->message, "using the last snapshot, main@c1: https://git.example.org/x: no answer");
  EXPECT_EQ(summarise(resource, sourceless, attempt(2)), resource.status);  // reported once

  const auto lock = outcome_of(Error(ErrorCode::Interrupted, "stopping"));  // before any observation
  EXPECT_TRUE(is_true(summarise(resource, lock, attempt(3)).conditions, ConditionType::SourceUnavailable));
  EXPECT_FALSE(is_true(running(resource, std::make_shared<const Plan>(), 3).conditions, ConditionType::SourceUnavailable));

  resource.status = summarise(resource, outcome_of(*sourceless.observed.source_error), attempt(4));
  EXPECT_EQ(shape(resource.status),
            "Ready=False/SourceNotFound Reconciling=True/Retrying SourceUnavailable=True/SourceNotFound");
  Outcome known = done(Reason::Applied);
  known.observed.source_revision = sourceless.observed.source_revision;
  EXPECT_EQ(shape(summarise(resource, known, attempt(5))), "Ready=True/Applied");
}

TEST(Summarise, ReportsAChangeOfTheSourceErrorAlone) {
  DatabaseMigration resource = sketch::resource();
  Outcome sourceless = done(Reason::Applied);
  sourceless.observed.source_revision = "main@c1";
  resource.status = summarise(resource, sourceless, attempt(0));
  sourceless.reason = Reason::UpToDate;
  sourceless.observed.source_error = Error(ErrorCode::Io, "no answer");
  resource.status = summarise(resource, sourceless, attempt(1));
  EXPECT_TRUE(is_true(resource.status.conditions, ConditionType::SourceUnavailable));
  sourceless.observed.source_error.reset();
  EXPECT_EQ(shape(summarise(resource, sourceless, attempt(2))), "Ready=True/UpToDate");
}

TEST(Summarise, WaitsWithoutAnErrorForALockAndForAStop) {
  for (const ErrorCode code : {ErrorCode::LockHeld, ErrorCode::Interrupted}) {
    const auto outcome = outcome_of(Error(code, "later"));
    EXPECT_EQ(outcome.kind, Verdict::Kind::Waiting);
    const auto status = summarise(sketch::resource(), outcome, attempt(0));
    EXPECT_EQ(status.phase, Phase::Waiting);
    EXPECT_FALSE(status.last_error.has_value());
    EXPECT_TRUE(is_true(status.conditions, ConditionType::Reconciling));
  }
}

TEST(Summarise, MovesTransitionTimesOnlyWhenAStatusFlips) {
  auto resource = sketch::resource();
  resource.status = summarise(resource, outcome_of(Error(ErrorCode::DatabaseUnreachable, "one")), attempt(0));
  resource.status = summarise(resource, outcome_of(Error(ErrorCode::AuthenticationFailed, "two")), attempt(10));
  const Condition* ready = find_condition(resource.status.conditions, ConditionType::Ready);
  EXPECT_EQ(ready->last_transition_time, format_iso8601(at(0)));
  EXPECT_EQ(ready->reason, Reason::AuthenticationFailed);
  resource.status = summarise(resource, done(), attempt(20));
  ready = find_condition(resource.status.conditions, ConditionType::Ready);
  EXPECT_EQ(ready->last_transition_time, format_iso8601(at(20)));
}

TEST(Summarise, GivesTheSameStatusForTheSameFindings) {
  auto resource = sketch::resource();
  resource.status = summarise(resource, done(), attempt(0));
  EXPECT_EQ(summarise(resource, done(), attempt(60)), resource.status);
  auto stalled = outcome_of(Error(ErrorCode::ChecksumMismatch, "changed"));
  resource.status = summarise(resource, stalled, attempt(70));
  EXPECT_EQ(summarise(resource, stalled, attempt(80)), resource.status);
}

TEST(Summarise, KeepsTheReportOfARunUntilSomethingChanges) {
  auto resource = sketch::resource();
  resource.status = summarise(resource, done(Reason::Applied), attempt(0));
  EXPECT_EQ(summarise(resource, done(), attempt(60)), resource.status);
  Outcome moved = done();
  moved.observed.source_revision = "main@c2";
  const auto status = summarise(resource, moved, attempt(60));
  ASSERT_TRUE(status.source.has_value());
  EXPECT_EQ(status.source->revision, "main@c2");
  resource.metadata.generation = 2;
  EXPECT_EQ(summarise(resource, done(), attempt(60)).observed_generation, 2);
}

TEST(Summarise, ClearsTheErrorWhenItIsOver) {
  auto resource = sketch::resource();
  resource.status = summarise(resource, outcome_of(Error(ErrorCode::StatementFailed, "x")), attempt(0));
  resource.status = summarise(resource, done(Reason::Applied), attempt(1));
  EXPECT_FALSE(resource.status.last_error.has_value());
  EXPECT_EQ(find_condition(resource.status.conditions, ConditionType::Stalled), nullptr);
}

TEST(Summarise, CapsMessagesAtACharacter) {
  std::string text;
  for (int index = 0; index < 1'000; ++index) {
    text += "é";
  }
  const auto status = summarise(sketch::resource(), outcome_of(Error(ErrorCode::StatementFailed, text)), attempt(0));
  const auto& message = status.conditions.front().message;
  EXPECT_LE(message.size(), kMaxMessageBytes);
  EXPECT_TRUE(message.ends_with("é...")) << message.substr(message.size() - 8);
}

TEST(Summarise, CutsWhatNoServerWouldTakeAndStillKnowsItAgain) {
  auto resource = sketch::resource();
  auto failed = outcome_of(Error(ErrorCode::StatementFailed, std::string(9'000, 'm')).advise(std::string(9'000, 'h')));
  failed.observed.current_heads = std::vector<std::string>(300, std::string(300, 'r'));
  failed.observed.source_revision = std::string(5'000, 's');
  failed.report.emplace();
  failed.report->failed_statement = std::string(20'000, 'q');
  failed.blockers.resize(30);
  failed.blockers.front().query = std::string(20'000, 'q');
  resource.status = summarise(resource, failed, attempt(0));
  EXPECT_EQ(resource.status.current_revisions.size(), 256U);
  EXPECT_EQ(resource.status.current_revisions.front().size(), 255U);
  EXPECT_EQ(resource.status.current_revision.size(), 4'096U);
  EXPECT_EQ(resource.status.source->revision.size(), kMaxSourceRevisionBytes);
  EXPECT_EQ(resource.status.last_error->statement.size(), 8'192U);
  EXPECT_EQ(summarise(resource, failed, attempt(60)), resource.status);  // nothing is written for what was reported already

  auto reported = done(Reason::Applied);
  reported.observed.current_heads = failed.observed.current_heads;
  resource.status = summarise(resource, reported, attempt(120));
  reported.reason = Reason::UpToDate;
  EXPECT_EQ(summarise(resource, reported, attempt(180)), resource.status);
}

TEST(StatusLimits, CutEverythingOnceAndForAll) {
  DatabaseMigrationStatus status = sketch::overlong_status();
  status.last_backup->started_at = "yesterday";
  fit(status);
  EXPECT_EQ(status.last_backup->started_at, "");  // no date-time, which a server would refuse too
  EXPECT_EQ(status.history.size(), kMaxListed);
  EXPECT_EQ(status.last_error->blockers.size(), kMaxListed);
  EXPECT_TRUE(status.current_revision.ends_with("\u00e9...")) << status.current_revision.size();
  auto again = status;
  fit(again);
  EXPECT_EQ(again, status);
}

TEST(StatusLimits, LeaveNothingThatMovesTheCursorOrReordersText) {
  DatabaseMigrationStatus status;
  Condition ready;
  ready.message = "line 1\nline 2 \x1b[2J\xe2\x80\xae\xff";
  status.conditions = {ready};
  status.current_revisions = {"a\x07"};
  fit(status);
  EXPECT_EQ(status.conditions.front().message, "line 1\nline 2 \\x1b[2J\\u202e\\xff");
  EXPECT_EQ(status.current_revisions.front(), "a\\x07");
}

TEST(Summarise, KeepsTheLastTwentyRuns) {
  auto resource = sketch::resource();
  const auto snapshot = sketch::snapshot(sketch::line());
  auto outcome = done(Reason::Applied);
  outcome.review = review_of(snapshot->plan(Direction::Upgrade, {}, {"head"}).value());
  for (int run = 0; run < 30; ++run) {
    outcome.report = ExecutionReport{};
    outcome.report->run_id = std::to_string(run);
    resource.status = summarise(resource, outcome, attempt(run));
  }
  ASSERT_EQ(resource.status.history.size(), kMaxListed);
  EXPECT_EQ(resource.status.history.front().run_id, "29");
}

TEST(Summarise, NeverCallsAPlanApprovedThatNobodyApproved) {
  auto resource = sketch::resource();
  resource.spec.policy.approval = ApprovalPolicy::Always;
  resource.status = after_an_approved_run(resource);
  ASSERT_EQ(said(resource.status, ConditionType::Approved), "True/Approved");

  Outcome dry = done(Reason::PlanPublished);
  dry.review = review_of(plan_of({"a1"}, "a2"));
  const auto published = summarise(resource, dry, attempt(1));
  EXPECT_EQ(said(published, ConditionType::Approved), "False/ApprovalRequired");
  EXPECT_FALSE(published.approval.has_value());

  resource.spec.policy.approval = ApprovalPolicy::Destructive;  // and nothing is destroyed
  Outcome harmless = done(Reason::Applied);
  harmless.review = dry.review;
  EXPECT_EQ(said(summarise(resource, harmless, attempt(1)), ConditionType::Approved), "nothing");
  EXPECT_EQ(said(running(resource, dry.review->plan, 1), ConditionType::Approved), "nothing");
  harmless.review->destructive = {"drops a table"};
  EXPECT_EQ(said(summarise(resource, harmless, attempt(1)), ConditionType::Approved), "False/ApprovalRequired");
}

TEST(Summarise, NeverCallsAStateBackedUpThatHasNoBackup) {
  auto resource = sketch::resource();
  resource.spec.backup.when = BackupWhen::Always;
  resource.status = after_an_approved_run(resource);
  ASSERT_EQ(said(resource.status, ConditionType::BackedUp), "True/BackupTaken");
  Outcome waits;
  waits.kind = Verdict::Kind::Waiting;
  waits.reason = Reason::ApprovalRequired;
  waits.review = review_of(plan_of({"a1"}, "a2"));
  const auto status = summarise(resource, waits, attempt(1));
  EXPECT_EQ(said(status, ConditionType::BackedUp), "nothing");
  EXPECT_EQ(status.last_backup->location, "/backups/one");  // it is still the last
  EXPECT_EQ(said(running(resource, waits.review->plan, 1), ConditionType::BackedUp), "nothing");
}

TEST(Summarise, NotesTheApprovalAndTheBackupOfTheRunThatIsUnderWay) {
  auto resource = sketch::resource();
  resource.spec.policy.approval = ApprovalPolicy::Always;
  resource.spec.backup.when = BackupWhen::Always;
  const auto plan = plan_of({"a1"}, "a2");
  PlanReview review = review_of(plan);
  review.approval = Approval{"two", plan->hash, "admin", format_iso8601(at(0))};
  resource.status = summarise_backing_up(resource, review, "dumping", at(15));
  EXPECT_EQ(said(resource.status, ConditionType::BackedUp), "False/BackingUp");
  EXPECT_EQ(said(resource.status, ConditionType::Approved), "True/Approved");
  review.backup.emplace();
  resource.status = summarise_running(resource, review, {}, {}, at(18));
  EXPECT_EQ(said(resource.status, ConditionType::BackedUp), "True/BackupTaken");
  EXPECT_EQ(resource.status.plan->hash, plan->hash);
  EXPECT_EQ(find_condition(resource.status.conditions, ConditionType::Ready)->last_transition_time, format_iso8601(at(15)));
}

TEST(Summarise, SaysThatARunHasNoBackupWhereNobodyInsistsOnOne) {
  auto resource = sketch::resource();
  resource.spec.backup.when = BackupWhen::Always;
  resource.status = after_an_approved_run(resource);
  const auto plan = plan_of({"a1"}, "a2");
  Outcome outcome = done(Reason::Applied);
  outcome.review = review_of(plan);
  outcome.review->backup_error = Error(ErrorCode::BackupFailed, "the disk is full");
  EXPECT_EQ(said(summarise(resource, outcome, attempt(1)), ConditionType::BackedUp), "False/BackupFailed");
  const auto noted = summarise_running(resource, *outcome.review, {}, {}, at(1));
  EXPECT_EQ(said(noted, ConditionType::BackedUp), "False/BackupFailed");
}

TEST(Summarise, ForgetsWhyThereWasNoPlanOnceThatIsOver) {
  auto resource = sketch::resource();
  resource.status = summarise(resource, outcome_of(Error(ErrorCode::UnknownRevision, "no such target")), attempt(0));
  ASSERT_EQ(said(resource.status, ConditionType::Planned), "False/TargetNotFound");
  const auto unreachable = outcome_of(Error(ErrorCode::DatabaseUnreachable, "refused"));
  EXPECT_EQ(said(summarise(resource, unreachable, attempt(1)), ConditionType::Planned), "False/TargetNotFound");
  resource.metadata.generation = 2;
  EXPECT_EQ(said(summarise(resource, unreachable, attempt(2)), ConditionType::Planned), "nothing");
  Outcome ahead;
  ahead.kind = Verdict::Kind::Stalled;
  ahead.reason = Reason::DatabaseAhead;
  EXPECT_EQ(said(summarise(resource, ahead, attempt(2)), ConditionType::Planned), "False/DatabaseAhead");
  ahead.reason = Reason::DatabaseClaimed;
  EXPECT_EQ(said(summarise(resource, ahead, attempt(2)), ConditionType::Planned), "nothing");
}

TEST(Summarise, SaysWhetherTheLastPlanWasRunToItsEndWhateverCanBeReachedNow) {
  auto resource = sketch::resource();
  const auto unreachable = outcome_of(Error(ErrorCode::DatabaseUnreachable, "refused"));
  EXPECT_EQ(said(summarise(resource, unreachable, attempt(0)), ConditionType::Applied), "nothing");
  resource.status = summarise(resource, done(Reason::Applied), attempt(0));
  EXPECT_EQ(said(summarise(resource, unreachable, attempt(1)), ConditionType::Applied), "True/Applied");
  Outcome waits;
  waits.kind = Verdict::Kind::Waiting;
  waits.reason = Reason::OutsideWindow;
  waits.review = review_of(plan_of({"a1"}, "a2"));
  resource.status = summarise(resource, waits, attempt(2));
  EXPECT_EQ(said(resource.status, ConditionType::Applied), "False/OutsideWindow");
  EXPECT_EQ(said(summarise(resource, unreachable, attempt(3)), ConditionType::Applied), "False/DatabaseUnreachable");
}

TEST(NextAttempt, TriesConflictsAtOnceAFewTimesAndBacksOffThen) {
  const auto conflict = outcome_of(Error(ErrorCode::StalePlan, "raced"));
  EXPECT_EQ(next_attempt(conflict, 0), Requeue::AtOnce);
  EXPECT_EQ(next_attempt(conflict, 3), Requeue::BackOff);
  EXPECT_EQ(next_attempt(outcome_of(Error(ErrorCode::DatabaseUnreachable, "x")), 0), Requeue::BackOff);
  EXPECT_EQ(next_attempt(outcome_of(Error(ErrorCode::StatementFailed, "x")), 0), Requeue::Resync);
  EXPECT_EQ(next_attempt(outcome_of(Error(ErrorCode::LockHeld, "x")), 0), Requeue::Shortly);
  EXPECT_EQ(next_attempt(outcome_of(Error(ErrorCode::Interrupted, "x")), 0), Requeue::Never);
  EXPECT_EQ(next_attempt(done(), 0), Requeue::Resync);
}

TEST(StatusCodec, ReadsBackWhatItWrites) {
  auto resource = sketch::resource();
  const auto snapshot = sketch::snapshot(sketch::line());
  auto failed = outcome_of(Error(ErrorCode::StatementFailed, "a \"quoted\": # 'thing'\nline two").with_sqlstate("42P07"));
  failed.review = review_of(snapshot->plan(Direction::Upgrade, {}, {"head"}).value());
  failed.report = ExecutionReport{};
  failed.observed.current_heads = std::vector<std::string>{"1e5", "0123", "true", "a1"};
  failed.observed.pending = std::vector<std::string>{"a2", "a3"};
  Blocker blocker;
  blocker.pid = 12;
  blocker.query = "SELECT $1";
  failed.blockers = {blocker};
  StoredResource stored;
  stored.key = resource.key();
  stored.generation = 7;
  stored.spec_hash = "00e1";
  stored.status = summarise(resource, failed, attempt(0));
  stored.status.progress = ProgressStatus{1, 3, "a2", 500};
  const auto back = stored_from_yaml(stored_to_yaml(stored));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->key, stored.key);
  EXPECT_EQ(back->generation, 7);
  EXPECT_EQ(back->spec_hash, "00e1");
  EXPECT_EQ(back->status, stored.status) << stored_to_yaml(stored);
}

TEST(StatusCodec, TakesABrokenStateFileForNothing) {
  for (const char* text : {"", "[", "a: b", "metadata: []\nstatus: 1\n", "\xff\xfe"}) {
    EXPECT_FALSE(stored_from_yaml(text).has_value()) << text;
  }
}

TEST(Summarise, LeavesOutHowManyRevisionsArePendingWhileThatIsNotKnown) {
  auto resource = sketch::resource();
  Outcome outcome = done(Reason::UpToDate);
  outcome.observed.pending.emplace();
  resource.status = summarise(resource, outcome, attempt(0));
  EXPECT_EQ(resource.status.pending_count, 0);
  const auto unreachable = summarise(resource, outcome_of(Error(ErrorCode::DatabaseUnreachable, "refused")), attempt(1));
  EXPECT_EQ(unreachable.pending_count, std::nullopt);
  EXPECT_EQ(digest_of(unreachable).pending, std::nullopt);
}

TEST(Summarise, FollowsARunThatIsUnderWay) {
  const auto resource = sketch::resource();
  const auto plan = plan_of({}, "a3");
  Observed observed;
  observed.source_revision = "orders@7";
  observed.resolved = std::vector<std::string>{"a3"};
  RunState run;
  run.progress = {1, 3, "a2", 0};
  const auto status = summarise_running(resource, review_of(plan), observed, run, at(1));
  EXPECT_EQ(status.current_revision, "a1");
  EXPECT_EQ(status.pending_count, 2);
  EXPECT_EQ(status.pending_revisions, (std::vector<std::string>{"a2", "a3"}));
  EXPECT_EQ(status.resolved_revisions, std::vector<std::string>{"a3"});
  EXPECT_EQ(status.source->revision, "orders@7");
}

TEST(Summarise, SaysWhichSessionARunWaitsForAndForgetsItAfterwards) {
  auto resource = sketch::resource();
  const auto plan = plan_of({}, "a3");
  RunState run;
  run.progress.revision = "a1";
  run.wait = LockWait{false, "a1", {{4711, "nightly-report", "bob", "", "active", "2026-11-21T02:10:00+00:00", "SELECT"}}};
  resource.status = summarise_running(resource, review_of(plan), {}, run, at(1));
  const Condition* ready = find_condition(resource.status.conditions, ConditionType::Ready);
  EXPECT_EQ(ready->reason, Reason::WaitingForLock);
  EXPECT_EQ(ready->message, "revision a1 waits for a lock held by pid 4711, nightly-report, since 2026-11-21T02:10:00+00:00");
  ASSERT_TRUE(resource.status.last_error);
  EXPECT_EQ(resource.status.last_error->blockers.front().pid, 4711);
  run.wait.reset();
  const auto goes_on = summarise_running(resource, review_of(plan), {}, run, at(2));
  EXPECT_FALSE(goes_on.last_error);
  EXPECT_EQ(find_condition(goes_on.conditions, ConditionType::Ready)->reason, Reason::Applying);
}

TEST(Summarise, WithdrawsAStatusThatIsOutOfDate) {
  auto resource = sketch::resource();
  resource.status = summarise(resource, outcome_of(Error(ErrorCode::StatementFailed, "syntax error")), attempt(0));
  ASSERT_TRUE(looks_final(resource));
  Observed observed;
  observed.pending = std::vector<std::string>{"a2"};
  resource.status = summarise_outdated(resource, observed, "a2 is pending", at(1));
  EXPECT_FALSE(looks_final(resource));
  EXPECT_EQ(said(resource.status, ConditionType::Stalled), "nothing");
  EXPECT_EQ(said(resource.status, ConditionType::Ready), "False/Pending");
  EXPECT_EQ(said(resource.status, ConditionType::Reconciling), "True/Pending");
  EXPECT_EQ(resource.status.pending_count, 1);
}

TEST(VerdictOf, ADatabaseThatIsReadOnlyIsTriedAgain) {
  const Verdict verdict = verdict_of(Error(ErrorCode::StatementFailed, "cannot execute SELECT in a read-only transaction")
                                         .at("h2.sql")
                                         .with_sqlstate("25006"));
  EXPECT_EQ(verdict.kind, Verdict::Kind::Failed);
  EXPECT_EQ(verdict.reason, Reason::Retrying);
  EXPECT_NE(verdict.message.find("the database is read-only (default_transaction_read_only is on"), std::string::npos);
  EXPECT_EQ(verdict.message.find("h2.sql"), std::string::npos);
}

TEST(Summarise, ReportsThatAnUnselectedResourceIsIgnored) {
  auto resource = sketch::resource();
  resource.status = summarise(resource, done(Reason::UpToDate), attempt(0));
  resource.status = summarise_unselected(resource, "the labels do not match (team=shop)", at(1));
  EXPECT_EQ(said(resource.status, ConditionType::Ready), "Unknown/NotSelected");
  EXPECT_EQ(said(resource.status, ConditionType::Reconciling), "nothing");
  EXPECT_EQ(resource.status.pending_count, std::nullopt);
}

}  // namespace
}  // namespace athanor::controller
