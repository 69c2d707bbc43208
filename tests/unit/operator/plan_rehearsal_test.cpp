// policy.rehearsal: when a plan is rehearsed, what holds it up, and what the status says.
#include "operator/reconcile/plan_rehearsal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Kind = Verdict::Kind;

class FakeRehearsals final : public RehearsalService {
 public:
  Result<RehearsalResult> rehearse(const RehearsalRequest& request, const StopToken&) override {
    plans.push_back(request.plan.hash);
    urls.push_back(request.scratch.url);
    if (during) {
      during(request);
    }
    if (error) {
      return fail(*error);
    }
    RehearsalResult result;
    result.failure = failure;
    result.status.copy = "Schema";
    result.status.passed = !failure;
    result.status.time = "2026-11-21T02:10:00+00:00";
    result.status.message = failure ? failure->describe() : "up, down and up again: the schema is the same each time";
    result.status.locks = {"ACCESS EXCLUSIVE on public.orders: line 7 of a2"};
    return result;
  }
  std::vector<std::string> plans;
  std::vector<std::string> urls;
  std::function<void(const RehearsalRequest&)> during;
  std::optional<Error> error;
  std::optional<Error> failure;
};

class PlanRehearsal : public testing::Test {
 protected:
  PlanRehearsal() {
    sources.current = sketch::snapshot(sketch::line());
    resource.spec.policy.rehearsal = RehearsalPolicy::Schema;
    resource.spec.scratch_url_from = SecretReference{SecretReference::Kind::Environment, "SCRATCH", ""};
    credentials.values["SCRATCH"] = "postgresql://maker:a-long-secret@scratch/postgres";
  }
  Outcome reconcile() {
    databases.database.calls.clear();
    ReconcilerParts parts{sources, credentials, databases, observer, clock};
    parts.rehearsals = &rehearsals;
    if (!reconciler) {
      reconciler.emplace(parts);
    }
    Outcome outcome = reconciler->reconcile(resource, "", callbacks, {}, Log());
    Attempt attempt;
    attempt.now = clock.wall_now();
    resource.status = summarise(resource, outcome, attempt);
    return outcome;
  }
  [[nodiscard]] std::string rehearsed() const {
    const Condition* condition = find_condition(resource.status.conditions, ConditionType::Rehearsed);
    return condition == nullptr
               ? "nothing"
               : std::string(condition_status_name(condition->status)) + "/" + std::string(reason_name(condition->reason));
  }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  FakeRehearsals rehearsals;
  ReconcileObserver observer;
  test::FakeClock clock;
  std::optional<Reconciler> reconciler;
  ReconcileCallbacks callbacks;
  DatabaseMigration resource = sketch::resource();
};

TEST_F(PlanRehearsal, IsNotDoneUnlessThePolicyAsksForIt) {
  resource.spec.policy.rehearsal = RehearsalPolicy::Never;
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_TRUE(rehearsals.plans.empty());
  EXPECT_EQ(rehearsed(), "nothing");
}

TEST_F(PlanRehearsal, ComesBeforeTheRunAndIsReported) {
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(rehearsals.urls, std::vector<std::string>{"postgresql://maker:a-long-secret@scratch/postgres"});
  EXPECT_EQ(rehearsed(), "True/RehearsalPassed");
  ASSERT_TRUE(resource.status.rehearsal);
  EXPECT_EQ(resource.status.rehearsal->approval_hash, resource.status.plan->hash);
  EXPECT_EQ(resource.status.rehearsal->locks.size(), 1U);
}

TEST_F(PlanRehearsal, IsDoneOncePerPlan) {
  resource.spec.policy.approval = ApprovalPolicy::Always;
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(reconcile().reason, Reason::ApprovalRequired) << "the approver reads the result";
    EXPECT_EQ(rehearsed(), "True/RehearsalPassed");
  }
  EXPECT_EQ(rehearsals.plans.size(), 1U);
  sources.current = sketch::snapshot({sketch::revision("a1", ""), sketch::revision("a2", "a1", "SELECT 3;")}, "2");
  (void)reconcile();
  EXPECT_EQ(rehearsals.plans.size(), 2U) << "another plan";
  resource.metadata.annotations[kRetryNowAnnotation] = "again";
  (void)reconcile();
  EXPECT_EQ(rehearsals.plans.size(), 3U);
}

TEST_F(PlanRehearsal, BlocksAPlanThatFails) {
  rehearsals.failure =
      Error(ErrorCode::ProofFailed, "revision a2 fails on a copy of the schema: no such table").with_sqlstate("42P01");
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Outcome outcome = reconcile();
    EXPECT_EQ(outcome.kind, Kind::Stalled);
    EXPECT_EQ(outcome.reason, Reason::RehearsalFailed);
    EXPECT_THAT(outcome.message, HasSubstr("revision a2 fails on a copy of the schema"));
    EXPECT_THAT(databases.database.calls, Not(Contains("execute")));
    EXPECT_EQ(rehearsed(), "False/RehearsalFailed");
    EXPECT_EQ(outcome.repeated, attempt > 0);
  }
  EXPECT_EQ(rehearsals.plans.size(), 1U);
}

TEST_F(PlanRehearsal, RetriesWhenTheScratchServerIsUnavailable) {
  rehearsals.error = Error(ErrorCode::ScratchUnavailable, "the server of scratch_url: a-long-secret is refused")
                         .with_retry(RetryClass::Transient);
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_EQ(outcome.reason, Reason::RehearsalFailed);
  EXPECT_THAT(outcome.message, HasSubstr("the server of spec.scratch"));
  EXPECT_THAT(outcome.message, Not(HasSubstr("a-long-secret")));
  EXPECT_EQ(rehearsed(), "False/RehearsalFailed");
  EXPECT_THAT(databases.database.calls, Not(Contains("execute")));
  rehearsals.error.reset();
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(rehearsals.plans.size(), 2U);
}

TEST_F(PlanRehearsal, IsShownWhileItRuns) {
  DatabaseMigrationStatus shown;
  callbacks.rehearsing = [&](const PlanReview& review, const Observed& observed, const std::string& message) {
    shown = summarise_rehearsing(resource, review, observed, message, clock.wall_now());
  };
  (void)reconcile();
  for (const ConditionType type : {ConditionType::Ready, ConditionType::Rehearsed}) {
    const Condition* condition = find_condition(shown.conditions, type);
    ASSERT_NE(condition, nullptr);
    EXPECT_EQ(condition->status, ConditionStatus::False);
    EXPECT_EQ(condition->reason, Reason::Rehearsing);
    EXPECT_THAT(condition->message, HasSubstr("is being rehearsed on a copy of the schema, since 20"));
  }
  EXPECT_EQ(shown.phase, Phase::Pending);
  EXPECT_EQ(shown.pending_count, 3);
  ASSERT_TRUE(shown.plan);
  EXPECT_EQ(shown.plan->hash, resource.status.plan->hash);
}

TEST_F(PlanRehearsal, SaysNothingOfThePlanWhenTheOperatorStops) {
  rehearsals.error = Error(ErrorCode::Interrupted, "stopped on request").at("line 8");
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Waiting);
  EXPECT_EQ(outcome.reason, Reason::Interrupted);
  EXPECT_THAT(outcome.message, HasSubstr("the rehearsal was stopped with the operator"));
  EXPECT_THAT(outcome.message, Not(HasSubstr("line 8")));
}

TEST_F(PlanRehearsal, EndsWhenTheDeclarationChanges) {
  bool changed = false;
  callbacks.declaration = [&] { return changed ? DeclarationState::Withdrawn : DeclarationState::Holds; };
  rehearsals.during = [&](const RehearsalRequest& request) {
    EXPECT_FALSE(request.unwanted());
    changed = true;
    EXPECT_TRUE(request.unwanted());
  };
  rehearsals.error = Error(ErrorCode::Interrupted, "stopped on request");
  const Outcome outcome = reconcile();
  EXPECT_THAT(outcome.message, HasSubstr("the declaration changed during the rehearsal"));
  EXPECT_THAT(databases.database.calls, Not(Contains("execute")));
}

TEST_F(PlanRehearsal, KeepsTheTimeOfAFailureThatRepeats) {
  rehearsals.error = Error(ErrorCode::ScratchUnavailable, "no answer").with_retry(RetryClass::Transient);
  (void)reconcile();
  const std::string first = find_condition(resource.status.conditions, ConditionType::Rehearsed)->last_transition_time;
  clock.advance(std::chrono::minutes(5));
  (void)reconcile();
  EXPECT_EQ(find_condition(resource.status.conditions, ConditionType::Rehearsed)->last_transition_time, first);
}

TEST_F(PlanRehearsal, RunsNothingWhenItsSecretIsMissing) {
  credentials.values.clear();
  const Outcome outcome = reconcile();
  EXPECT_NE(outcome.kind, Kind::Done);
  EXPECT_TRUE(rehearsals.plans.empty());
  EXPECT_THAT(databases.database.calls, Not(Contains("execute")));
}

TEST_F(PlanRehearsal, LeavesNothingBehindWhenThePolicyIsRemoved) {
  rehearsals.failure = Error(ErrorCode::ProofFailed, "it does not run");
  (void)reconcile();
  resource.spec.policy.rehearsal = RehearsalPolicy::Never;
  resource.metadata.generation = 2;
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(rehearsed(), "nothing");
  EXPECT_FALSE(resource.status.rehearsal);
}

}  // namespace
}  // namespace athanor::controller
