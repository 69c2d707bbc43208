// policy.lint: what lint finds in a plan, what holds it up, and what the status and an event say.
#include "operator/reconcile/plan_lint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/cluster/event_reporter.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Kind = Verdict::Kind;

class PlanLint : public testing::Test {
 protected:
  PlanLint() {
    resource.spec.policy.lint.emplace();
    databases.database.live.postgres = 16;
    last_runs("ALTER TABLE big DROP COLUMN note;");
    knows("big", 5'000'000);
  }
  void last_runs(const std::string& body) {
    sources.current = sketch::snapshot({sketch::revision("a1", ""), sketch::revision("a2", "a1", body)});
  }
  // The database has this table, with so many rows.
  void knows(const std::string& table, std::int64_t rows) { databases.database.live.facts.table({"", table}).rows = rows; }
  Outcome reconcile() {
    databases.database.calls.clear();
    Outcome outcome = reconciler.reconcile(resource, "", {}, {}, Log());
    Attempt attempt;
    attempt.now = clock.wall_now();
    resource.status = summarise(resource, outcome, attempt);
    return outcome;
  }
  void set_level(const std::string& rule, Severity severity) { resource.spec.policy.lint->levels[rule] = severity; }

  sketch::FakeSources sources;
  sketch::FakeCredentials credentials;
  sketch::FakeDatabases databases;
  ReconcileObserver observer;
  test::FakeClock clock;
  Reconciler reconciler{{sources, credentials, databases, observer, clock}};
  DatabaseMigration resource = sketch::resource();
};

TEST_F(PlanLint, IsNotDoneUnlessThePolicyAsksForIt) {
  resource.spec.policy.lint.reset();
  EXPECT_EQ(reconcile().reason, Reason::Applied);
  EXPECT_THAT(databases.database.calls, Not(Contains("live_database")));
  EXPECT_FALSE(resource.status.plan->lint);
}

TEST_F(PlanLint, BlocksAPlanWithAnErrorAndSaysWhere) {
  set_level("drop-column", Severity::Error);
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind, Kind::Stalled);
  EXPECT_EQ(outcome.reason, Reason::LintFindings);
  EXPECT_THAT(outcome.message, HasSubstr("a2.sql:7: error drop-column: "));
  EXPECT_THAT(outcome.message, HasSubstr("`-- athanor:allow drop-column reason`"));
  EXPECT_THAT(databases.database.calls, Not(Contains("execute")));
  ASSERT_TRUE(resource.status.plan && resource.status.plan->lint);
  EXPECT_EQ(resource.status.plan->lint->errors, 1);
  EXPECT_THAT(resource.status.plan->lint->findings.front(), StartsWith("a2.sql:7: error drop-column: "));
  EXPECT_EQ(resource.status.last_error->code, "lint-findings");
  EXPECT_EQ(lint_event_of(outcome), std::nullopt) << "the stall has an event of its own";
}

TEST_F(PlanLint, LetsAStatementThatIsMeantPass) {
  set_level("drop-column", Severity::Error);
  last_runs("-- athanor:allow drop-column nobody reads it since release 12\nALTER TABLE big DROP COLUMN note;");
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(PlanLint, ReportsAWarningOnceAndRuns) {
  set_level("drop-column", Severity::Warning);
  resource.spec.policy.approval = ApprovalPolicy::Always;
  Outcome outcome = reconcile();
  EXPECT_EQ(outcome.reason, Reason::ApprovalRequired) << "the approver reads the findings";
  EXPECT_EQ(resource.status.plan->lint->warnings, 1);
  const auto event = lint_event_of(outcome);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->reason, "LintFindings");
  EXPECT_EQ(event->type, EventType::Warning);
  EXPECT_THAT(event->note, HasSubstr("a2.sql:7: warning drop-column"));
  outcome = reconcile();
  EXPECT_EQ(lint_event_of(outcome), std::nullopt) << "the status says it already";
  resource.spec.policy.approval = ApprovalPolicy::Never;
  EXPECT_EQ(reconcile().reason, Reason::Applied);
}

TEST_F(PlanLint, KnowsWhatTheDatabaseHolds) {
  last_runs("CREATE INDEX big_note_idx ON big (note);");
  EXPECT_EQ(reconcile().reason, Reason::LintFindings);
  knows("big", 3);
  EXPECT_EQ(reconcile().reason, Reason::Applied) << "the table is small";
}

TEST_F(PlanLint, LintsADryRunWithoutBlockingIt) {
  set_level("drop-column", Severity::Error);
  resource.spec.dry_run = true;
  EXPECT_EQ(reconcile().reason, Reason::PlanPublished);
  EXPECT_EQ(resource.status.plan->lint->errors, 1);
}

TEST_F(PlanLint, RunsNothingWhenTheDatabaseCannotBeQueried) {
  databases.database.live_error = Error(ErrorCode::ConnectionLost, "gone").with_retry(RetryClass::Transient);
  EXPECT_EQ(reconcile().kind, Kind::Failed);
  EXPECT_THAT(databases.database.calls, Not(Contains("execute")));
}

TEST_F(PlanLint, NamesAPlaceThatIsNoPathInWords) {
  set_level("drop-column", Severity::Error);
  sources.current->set_place([](const std::string& path) { return "key " + path + " of ConfigMap shop/orders"; });
  EXPECT_THAT(reconcile().message, HasSubstr("line 7 of key a2.sql of ConfigMap shop/orders: error drop-column"));
}

TEST(HeldByLint, BlocksAPlanThatWasNotLinted) {
  DatabaseMigration resource = sketch::resource();
  resource.spec.policy.lint.emplace();
  PlanReview review;
  review.plan = std::make_shared<Plan>();
  const auto held = held_by_lint(resource, review);
  ASSERT_TRUE(held);
  EXPECT_THAT(held->message, HasSubstr("was not linted"));
  review.lint.emplace();
  EXPECT_FALSE(held_by_lint(resource, review));
}

TEST(LintSummary, ListsTheWorstFirst) {
  std::vector<Finding> findings(3);
  findings[0].rule = "varchar-n";
  findings[0].severity = Severity::Info;
  findings[1].rule = "drop-column";
  findings[2].rule = "index-create";
  findings[2].severity = Severity::Error;
  const auto place = [](const Finding&) { return std::string("f.sql"); };
  const LintSummary summary = summarise_findings(findings, 2, place);
  EXPECT_EQ(summary.sentence(), "1 error, 1 warning, 1 hint");
  EXPECT_THAT(summary.findings, ElementsAre("f.sql: error index-create: ", "f.sql: warning drop-column: "));
  EXPECT_EQ(summarise_findings({}, 2, place).sentence(), "nothing found");
}

}  // namespace
}  // namespace athanor::controller
