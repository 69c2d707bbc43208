#include "run_scene.hpp"

namespace athanor {
namespace {

using test::kCloseAll;
using test::kDefaults;
using test::kGuard;
using test::kHistory;
using test::kLock;
using test::kStep;
using test::plan_of;
using test::rows;
using test::server_error;

constexpr const char* kThreeSteps =
    "CREATE TABLE q ();\n-- athanor:step autocommit\nVACUUM q;\n-- athanor:step transaction\nALTER TABLE q ADD i int";

class RevisionSteps : public test::RunScene {
 protected:
  test::Exchange& first_step() {
    return server.transaction({kLock, "array_agg", "CREATE TABLE q", kDefaults, kGuard, "upgrade, 0, 0, complete"})
        .without("INTO app.alembic_version");
  }
  // Behind the first step: what it set is kept for a later run.
  void keeps_settings() {
    server.transaction({"SET TRANSACTION READ WRITE", "athanor.session", kDefaults, kGuard, "SET session ="});
  }
  // In a new session, what the steps that are done had set.
  void resumes() {
    server.recover();
    server.query("set_config(o.key, o.value, false)");
  }
  // The transaction that writes this state of the VACUUM.
  test::Exchange& books(const std::string& state) {
    return server.transaction({"SET TRANSACTION READ WRITE", kDefaults, kGuard, "upgrade, 1, 0, " + state});
  }
  void vacuum() {
    books("intent");
    server.autocommit("VACUUM q");
    server.roll_back();
    books("done");
  }
  test::Exchange& last_step() {
    return server.transaction({"SET TRANSACTION READ WRITE", kLock, "ALTER TABLE q", kCloseAll, "INTO app.alembic_version",
                               kGuard, "DELETE FROM athanor.step", kHistory});
  }
};

TEST_F(RevisionSteps, GuardTheVersionRowInEveryTransactionAndMoveItInTheLast) {
  first_step();
  keeps_settings();
  vacuum();
  last_step();
  const auto outcome = run_steps(run(plan_of({{"r1", kThreeSteps}})), 0);
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_EQ(report.executed.size(), 1U);
  EXPECT_EQ(report.current_heads, std::vector<std::string>{"r1"});
}

TEST_F(RevisionSteps, MoveTheRowInATransactionOfTheirOwnBehindAnAutocommitStep) {
  server.recover();
  server.transaction({kGuard, "upgrade, 0, 0, intent"});
  server.autocommit("VACUUM q");
  server.roll_back();
  server.transaction({kGuard, "upgrade, 0, 0, done"});
  server.transaction({kLock, "INTO app.alembic_version", kGuard, "DELETE FROM athanor.step", kHistory});
  ASSERT_TRUE(run_steps(run(plan_of({{"r1", "-- athanor:step autocommit\nVACUUM q"}})), 0));
}

TEST_F(RevisionSteps, FailWhereAStepChangesTheVersionRow) {
  first_step().fails_at(kGuard, server_error(std::string(RevisionGuard::kRowsChanged)));
  server.recover();
  server.query("SELECT version_num");
  const auto outcome = run_steps(run(plan_of({{"r1", kThreeSteps}})), 0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::BookkeepingChanged);
}

TEST_F(RevisionSteps, KeepWhatEarlierStepsSetWhenALaterOneIsTriedAgain) {
  first_step().fails_at("CREATE TABLE q", server_error("55P03"));
  server.recover();
  first_step();
  keeps_settings();
  vacuum();
  last_step().fails_at("ALTER TABLE q", server_error("55P03"));
  server.roll_back();
  last_step();
  ASSERT_TRUE(run_steps(run(plan_of({{"r1", kThreeSteps}})), 0));
  EXPECT_EQ(report.lock_retries, 2);
}

TEST_F(RevisionSteps, ContinueBehindTheStepsThatAreDone) {
  resumes();
  vacuum();
  last_step();
  run(plan_of({{"r1", kThreeSteps}}));
  context->unfinished = UnfinishedStep{};
  context->unfinished->revision = "r1";
  context->unfinished->step = 1;
  ASSERT_TRUE(run_steps(*context, 0));
}

TEST_F(RevisionSteps, AskForTheOutcomeOfAStatementWhoseIntentWasFound) {
  resumes();
  run(plan_of({{"r1", "-- athanor:step autocommit\nCALL p();\nVACUUM q"}}));
  context->unfinished = UnfinishedStep{};
  context->unfinished->revision = "r1";
  context->unfinished->intent = true;
  const auto outcome = run_steps(*context, 0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::StepOutcomeUnknown);
}

TEST_F(RevisionSteps, OfAnotherRevisionThanTheHalfAppliedOneBeginAtTheFirst) {
  first_step();
  keeps_settings();
  vacuum();
  last_step();
  run(plan_of({{"r1", kThreeSteps}}));
  context->unfinished = UnfinishedStep{};
  context->unfinished->revision = "r0";
  context->unfinished->step = 2;
  ASSERT_TRUE(run_steps(*context, 0));
}

TEST_F(RevisionSteps, StopAtAnAutocommitStatementThatChangedTheLedger) {
  server.recover();
  server.transaction({kGuard, "upgrade, 0, 0, intent", "r.xmin"}).answers("r.xmin", rows({{"3,700"}}));
  server.autocommit("VACUUM q");
  server.roll_back();
  server.transaction({kGuard, "3,700]", "upgrade, 0, 0, done"})
      .fails_at("3,700]", server_error(std::string(RevisionGuard::kTablesChanged)));
  server.roll_back();
  const auto outcome = run_steps(run(plan_of({{"r1", "-- athanor:step autocommit\nVACUUM q"}})), 0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::BookkeepingChanged);
}

TEST_F(RevisionSteps, StopBetweenTwoSteps) {
  first_step();
  keeps_settings();
  books("intent");
  server.autocommit("VACUUM q").meanwhile([&] { stop.request(StopLevel::Graceful); });
  server.roll_back();
  books("done");
  const auto outcome = run_steps(run(plan_of({{"r1", kThreeSteps}})), 0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Interrupted);
  EXPECT_TRUE(report.executed.empty());
}

TEST_F(RevisionSteps, BeginNoStepOfAnyKindAfterAStop) {
  for (const std::string next :
       {"transaction\nALTER TABLE q ADD i int", "autocommit\nVACUUM q", "batch table=q key=i\nDELETE FROM q WHERE {batch}"}) {
    StopSource stopped;
    first_step().meanwhile([&] { stopped.request(StopLevel::Graceful); });
    keeps_settings();
    if (next.starts_with("batch")) {  // it looks where it is, and begins no batch
      server.query("WITH RECURSIVE base").answers(rows({{"r", "public.q", "q", "pg_catalog.int4", {}, {}, {}}}));
      server.transaction({kGuard, "SELECT s.cursor"}).answers("SELECT s.cursor", rows({{"1", "9", "0", "run-0", "running"}}));
      server.transaction({kGuard, "SET run_id"});
    }
    run(plan_of({{"r1", "CREATE TABLE q ();\n-- athanor:step " + next}}));
    context->stop = stopped.token();
    const auto outcome = run_steps(*context, 0);
    ASSERT_FALSE(outcome) << next;
    EXPECT_EQ(outcome.error().code, ErrorCode::Interrupted) << next;
  }
}

TEST_F(RevisionSteps, WhoseCommitWasNotAnsweredAreUnknown) {
  first_step().is_lost();
  const auto outcome = run_steps(run(plan_of({{"r1", kThreeSteps}})), 0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::CommitOutcomeUnknown);
}

}  // namespace
}  // namespace athanor
