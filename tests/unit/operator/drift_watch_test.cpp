// policy.drift: what a reconcile asks, what holds a run up, and what the status says.
#include "operator/reconcile/drift_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/cluster/event_reporter.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Kind = Verdict::Kind;
using State = DriftCheck::State;

class DriftWatch : public testing::Test {
 protected:
  DriftWatch() {
    sources.current = sketch::snapshot(sketch::line());
    resource.spec.policy.drift = DriftPolicy::Report;
    found(State::Same);
  }
  // What the database says of its schema from now on.
  void found(State state, std::vector<std::string> lines = {}) {
    DriftCheck& drift = databases.database.drift;
    drift = {};
    drift.state = state;
    drift.lines = std::move(lines);
    if (state == State::Unknown) {
      drift.unknown = "no catalog is recorded";
    } else {
      drift.record.emplace();
      drift.record->reason = "run";
      drift.record->revision = "a3";
      drift.record->applied_at = "2026-11-21T02:10:00+00:00";
    }
  }
  void at_target() { databases.database.observation.current_heads = {"a3"}; }

  Outcome reconcile() {
    databases.database.calls.clear();
    Outcome outcome = reconciler.reconcile(resource, "", {}, {}, Log());
    Attempt attempt;
    attempt.now = clock.wall_now();
    resource.status = summarise(resource, outcome, attempt);
    return outcome;
  }
  const std::vector<std::string>& calls() { return databases.database.calls; }
  [[nodiscard]] std::string drifted() const {
    const Condition* condition = find_condition(resource.status.conditions, ConditionType::Drifted);
    return condition == nullptr ? "nothing"
                                : std::string(condition_status_name(condition->status)) + "/" +
                                      std::string(reason_name(condition->reason)) + ": " + condition->message;
  }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  ReconcileObserver observer;
  test::FakeClock clock;
  Reconciler reconciler{{sources, credentials, databases, observer, clock}};
  DatabaseMigration resource = sketch::resource();
};

TEST_F(DriftWatch, ChecksNothingUnlessThePolicyDoes) {
  resource.spec.policy.drift = DriftPolicy::Ignore;
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_THAT(calls(), Not(Contains("check_drift")));
  EXPECT_EQ(drifted(), "nothing");
  EXPECT_FALSE(databases.targets.back().drift);
}

TEST_F(DriftWatch, ChecksBeforeARunAndAfterIt) {
  resource.spec.policy.drift_exclude = {"audit.*"};
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(calls(), (std::vector<std::string>{"observe", "check_drift", "execute", "check_drift"}));
  EXPECT_EQ(drifted(), "False/SchemaUnchanged: nothing has changed since revision a3 was run at 2026-11-21T02:10:00+00:00");
  ASSERT_TRUE(databases.targets.back().drift);
  EXPECT_EQ(databases.targets.back().drift->exclude, std::vector<std::string>{"audit.*"});
}

TEST_F(DriftWatch, ChecksOncePerIntervalAndAfterAChangeOfTheDeclaration) {
  at_target();
  const Outcome first = reconcile();
  EXPECT_THAT(calls(), Contains("check_drift"));
  EXPECT_EQ(first.requeue_after, milliseconds(600'000));
  EXPECT_EQ(next_attempt(first, 0), Requeue::Scheduled);
  clock.advance(milliseconds(400'000));
  EXPECT_EQ(reconcile().requeue_after, milliseconds(200'000));
  EXPECT_THAT(calls(), Not(Contains("check_drift")));
  EXPECT_THAT(drifted(), HasSubstr("False/SchemaUnchanged")) << "what was found stays";
  resource.metadata.generation = 2;
  EXPECT_EQ(reconcile().requeue_after, milliseconds(600'000));
  EXPECT_THAT(calls(), Contains("check_drift"));
  clock.advance(milliseconds(600'000));
  (void)reconcile();
  EXPECT_THAT(calls(), Contains("check_drift"));
}

TEST_F(DriftWatch, ReportsDriftAndRunsAllTheSame) {
  found(State::Changed, {"+ column public.a.x", "- index public.a.i", "3", "4", "5", "6", "7"});
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::Applied);
  EXPECT_TRUE(is_true(resource.status.conditions, ConditionType::Ready));
  EXPECT_EQ(drifted(),
            "True/SchemaChanged: changed since revision a3 was run at 2026-11-21T02:10:00+00:00: + column public.a.x; - index "
            "public.a.i; 3; 4; 5; and 2 more");
}

TEST_F(DriftWatch, BlocksARunWherePolicySaysSo) {
  resource.spec.policy.drift = DriftPolicy::Block;
  found(State::Changed, {"+ column public.a.x"});
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::SchemaChanged);
  EXPECT_THAT(calls(), Not(Contains("execute")));
  const Condition* ready = find_condition(resource.status.conditions, ConditionType::Ready);
  EXPECT_EQ(ready->status, ConditionStatus::False);
  EXPECT_EQ(ready->reason, Reason::SchemaChanged);
  EXPECT_THAT(ready->message, HasSubstr("policy.drift is Block"));
  EXPECT_THAT(ready->message, HasSubstr("+ column public.a.x"));
  EXPECT_THAT(ready->message, HasSubstr("accept it with `athanor drift --accept`"));
  EXPECT_EQ(resource.status.pending_count, 3);
  EXPECT_EQ(outcome.requeue_after, milliseconds(600'000)) << "somebody may undo the change";
  found(State::Same);
  EXPECT_EQ(reconcile().reason, Reason::Applied) << "it checks again before a run";
}

TEST_F(DriftWatch, CallsADatabaseAtItsTargetReadyThatHasDrifted) {
  at_target();
  resource.spec.policy.drift = DriftPolicy::Block;
  found(State::Changed, {"+ column public.a.x"});
  EXPECT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_TRUE(is_true(resource.status.conditions, ConditionType::Ready));
  EXPECT_THAT(drifted(), HasSubstr("True/SchemaChanged"));
}

TEST_F(DriftWatch, LetsTheFirstRunStartBeforeAnythingIsRecorded) {
  resource.spec.policy.drift = DriftPolicy::Block;
  found(State::Unknown);
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_EQ(drifted(),
            "Unknown/CatalogNotRecorded: no catalog is recorded; the next run records one, and so does `athanor drift "
            "--accept`");
}

TEST_F(DriftWatch, DoesNotRunWhatItCouldNotCompareWherePolicyBlocks) {
  databases.database.drift_error =
      Error(ErrorCode::LockTimeout, "canceling statement due to lock timeout").with_retry(RetryClass::Transient);
  resource.spec.policy.drift = DriftPolicy::Block;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Failed);
  EXPECT_EQ(outcome.reason, Reason::DriftCheckFailed);
  EXPECT_THAT(calls(), Not(Contains("execute")));
  EXPECT_THAT(drifted(), HasSubstr("Unknown/DriftCheckFailed: cannot compare the schema"));
  resource.spec.policy.drift = DriftPolicy::Report;
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(DriftWatch, WritesNothingNewWhenNothingIsNew) {
  at_target();
  (void)reconcile();
  const DatabaseMigrationStatus before = resource.status;
  clock.advance(milliseconds(600'000));
  (void)reconcile();
  EXPECT_THAT(calls(), Contains("check_drift"));
  EXPECT_EQ(resource.status, before);
}

TEST_F(DriftWatch, AddsDriftToTheStatusOfTheLastRun) {
  ASSERT_EQ(reconcile().reason, Reason::Applied);
  found(State::Changed, {"+ column public.a.x"});
  clock.advance(milliseconds(600'000));
  ASSERT_EQ(reconcile().reason, Reason::UpToDate);
  EXPECT_THAT(drifted(), HasSubstr("True/SchemaChanged"));
  EXPECT_EQ(find_condition(resource.status.conditions, ConditionType::Ready)->reason, Reason::Applied);
}

TEST_F(DriftWatch, ForgetsItsConditionWithThePolicy) {
  at_target();
  (void)reconcile();
  resource.spec.policy.drift = DriftPolicy::Ignore;
  (void)reconcile();
  EXPECT_EQ(drifted(), "nothing");
}

TEST_F(DriftWatch, ReportsAnEventOnceForEachChange) {
  at_target();
  EXPECT_FALSE(drift_event_of(reconcile()));
  const auto later = [&] {
    clock.advance(milliseconds(600'000));
    return drift_event_of(reconcile());
  };
  found(State::Changed, {"+ column public.a.x"});
  auto event = later();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, EventType::Warning);
  EXPECT_EQ(event->reason, "SchemaChanged");
  EXPECT_THAT(event->note, HasSubstr("+ column public.a.x"));
  EXPECT_FALSE(later()) << "nothing new";
  found(State::Changed, {"+ column public.a.y"});
  EXPECT_TRUE(later());
  found(State::Same);
  event = later();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->type, EventType::Normal);
  EXPECT_EQ(event->reason, "SchemaUnchanged");
  EXPECT_FALSE(later());
  databases.database.drift_error = Error(ErrorCode::LockTimeout, "canceling statement due to lock timeout");
  EXPECT_EQ(later().value().reason, "DriftCheckFailed");
}

}  // namespace
}  // namespace athanor::controller
