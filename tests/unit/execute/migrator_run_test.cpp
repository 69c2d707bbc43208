#include "migrations/execute/migrator.hpp"
#include "run_scene.hpp"

namespace athanor {
namespace {

using test::kGuard;
using test::kHistory;
using test::kLock;
using test::plan_of;
using test::rows;
using test::server_error;

class MigratorRun : public test::RunScene {
 protected:
  MigratorRun() { factory.then(server); }

  // What the server says of the database, in two round trips: rows of the version table, then those of the step table.
  void looks(const Rows& versions_held = {}, const Rows& steps = {}, const std::string& in_recovery = "f") {
    server.query("pg_is_in_recovery").answers(facts(in_recovery));
    server.query_each({"SELECT version_num", "FROM athanor.step"}).answers_each({versions_held, steps});
  }
  static Rows facts(const std::string& in_recovery = "f") {
    return rows({{"16384|16384||1|app", "16385|16386||19|app", "16387|16387||14|app", "", "4711", in_recovery, "app", "", "app",
                  "alembic_version", "app", "off", ""}});
  }
  void locks() {
    server.query("pg_backend_pid()").answers(rows({{"4711"}}));
    server.query("pg_try_advisory_lock").answers(rows({{"t"}}));
  }
  void unlocks(test::Dialogue& where) { where.query("SELECT pg_catalog.pg_advisory_unlock(").answers(rows({{"t"}})); }
  test::Exchange& transaction() {
    return server.transaction({kLock, "CREATE TABLE a", kGuard, kHistory}).answers(kHistory, rows({{"77"}}));
  }
  static Plan one() { return plan_of({{"r1", "CREATE TABLE a ()"}}); }
  ExecutionReport execute(const Plan& of) { return migrator().execute(of, stop.token()); }
  Migrator& migrator() {
    if (!migrator_) {
      migrator_ = std::make_unique<Migrator>(factory, clock, settings, sink);
    }
    return *migrator_;
  }

  test::Dialogue again;  // the session after a lost one
  test::ScriptedFactory factory;

 private:
  std::unique_ptr<Migrator> migrator_;
};

TEST_F(MigratorRun, TakesTheLockLooksRunsAndGivesTheLockBack) {
  locks();
  looks();
  transaction();
  unlocks(server);
  const auto done = execute(one());
  EXPECT_TRUE(done.ok()) << done.error->describe();
  EXPECT_EQ(done.current_heads, std::vector<std::string>{"r1"});
}

TEST_F(MigratorRun, LocksAndLooksInOneRoundTripWhenItHasLookedBefore) {
  looks();
  server.query_each({"pg_try_advisory_lock", "pg_is_in_recovery", "SELECT version_num", "FROM athanor.step"})
      .answers_each({rows({{"t"}}), facts(), Rows{}, Rows{}});
  transaction();
  unlocks(server);
  ASSERT_TRUE(migrator().observe());
  EXPECT_TRUE(execute(one()).ok());
}

TEST_F(MigratorRun, RecordsAFailure) {
  locks();
  looks();
  transaction().fails_at("CREATE TABLE a", server_error("42P07", "relation \"a\" already exists"));
  server.recover();
  server.query("INTO athanor.history").meanwhile([&] {
    EXPECT_NE(server.sent.back().find("r1, upgrade, failed"), std::string::npos);
    EXPECT_NE(server.sent.back().find("42P07"), std::string::npos);
  });
  unlocks(server);
  looks();
  const auto report_of = execute(one());
  ASSERT_FALSE(report_of.ok());
  EXPECT_EQ(report_of.current_heads, std::vector<std::string>{});
}

TEST_F(MigratorRun, RecordsAFailureInAsciiWhereTheDatabaseLacksACharacter) {
  locks();
  looks();
  transaction().fails_at("CREATE TABLE a", server_error("42P07", "Größe"));
  server.recover();
  server.query("INTO athanor.history").fails(server_error("22P05"));
  server.query("Gr????e");
  unlocks(server);
  looks();
  EXPECT_FALSE(execute(one()).ok());
}

TEST_F(MigratorRun, DoesNotRecordAStopAsAFailure) {
  locks();
  looks();
  transaction().fails_at("CREATE TABLE a", server_error("57014")).meanwhile([&] { stop.request(StopLevel::Now); });
  server.recover();
  unlocks(server);
  looks();
  const auto report_of = execute(one());
  ASSERT_FALSE(report_of.ok());
  EXPECT_EQ(report_of.error->code, ErrorCode::Interrupted);
}

TEST_F(MigratorRun, RefusesAPlanThatTheDatabaseHasLeftBehind) {
  locks();
  looks(rows({{"r0"}}));
  unlocks(server);
  looks(rows({{"r0"}}));
  const auto report_of = execute(one());
  ASSERT_FALSE(report_of.ok());
  EXPECT_EQ(report_of.error->code, ErrorCode::StalePlan);
}

TEST_F(MigratorRun, DoesNotMigrateAStandby) {
  locks();
  looks({}, {}, "t");
  unlocks(server);
  looks({}, {}, "t");
  const auto report_of = execute(one());
  ASSERT_FALSE(report_of.ok());
  EXPECT_EQ(report_of.error->code, ErrorCode::DatabaseUnreachable);
}

TEST_F(MigratorRun, FinishesAHalfAppliedRevisionFirst) {
  const Rows half = rows({{"r9", "upgrade", "0", "0", "complete", "", {}, "0", "sum"}});
  locks();
  looks({}, half);
  unlocks(server);
  looks({}, half);
  const auto report_of = execute(one());
  ASSERT_FALSE(report_of.ok());
  EXPECT_EQ(report_of.error->code, ErrorCode::StepOutcomeUnknown);
  EXPECT_NE(report_of.error->message.find("r9"), std::string::npos);
}

TEST_F(MigratorRun, GoesOnInAHalfAppliedRevisionBehindWhatIsDone) {
  const Plan steps = plan_of({{"r1", "CREATE TABLE a ();\n-- athanor:step transaction\nCREATE TABLE b ()"}});
  const PartChecksums parts(steps.revisions[0].script->checksum, steps.revisions[0].steps());
  locks();
  looks({}, rows({{"r1", "upgrade", "0", "0", "complete", "", {}, "0", parts.of(0, 0)}}));
  server.transaction({"ADD COLUMN IF NOT EXISTS", "pg_is_in_recovery"}).answers("pg_is_in_recovery", facts());
  server.recover();
  server.query("set_config(o.key, o.value, false)");
  server.transaction({kLock, "CREATE TABLE b", kGuard, kHistory}).without("CREATE TABLE a");
  unlocks(server);
  EXPECT_TRUE(execute(steps).ok());
}

TEST_F(MigratorRun, CountsACommitThatWasNotAnswered) {
  locks();
  looks();
  transaction().is_lost();
  again.query("pg_xact_status($1::pg_catalog.xid8) [77]").answers(rows({{"committed"}}));
  again.query("pg_try_advisory_lock").answers(rows({{"t"}}));
  again.query("SELECT version_num").answers(rows({{"r1"}}));
  again.query("SELECT revision").answers(rows({{"r1"}}));
  unlocks(again);
  factory.then(again);
  const auto report_of = execute(one());
  EXPECT_TRUE(report_of.ok()) << report_of.error->describe();
  EXPECT_EQ(report_of.executed.size(), 1U);
  EXPECT_EQ(report_of.current_heads, std::vector<std::string>{"r1"});
}

TEST_F(MigratorRun, CountsNothingOfATransactionThatWasLost) {
  locks();
  looks();
  transaction().is_lost();
  again.query("pg_xact_status").answers(rows({{"aborted"}}));
  again.query("pg_try_advisory_lock").answers(rows({{"t"}}));
  again.query("SELECT version_num");
  again.query("SELECT revision");
  unlocks(again);
  again.query("pg_is_in_recovery").answers(facts());
  again.query_each({"SELECT version_num", "FROM athanor.step"});
  factory.then(again);
  const auto report_of = execute(one());
  ASSERT_FALSE(report_of.ok());
  EXPECT_EQ(report_of.error->code, ErrorCode::ConnectionLost);
  EXPECT_TRUE(report_of.executed.empty());
}

TEST_F(MigratorRun, SaysThatNothingIsKnownWhenTheDatabaseCannotBeAsked) {
  locks();
  looks();
  transaction().is_lost();
  factory.then(Error(ErrorCode::AuthenticationFailed, "no").with_retry(RetryClass::Terminal));
  const auto report_of = execute(one());
  ASSERT_FALSE(report_of.ok());
  EXPECT_EQ(report_of.error->code, ErrorCode::CommitOutcomeUnknown);
  EXPECT_EQ(report_of.current_heads, std::nullopt);
}

TEST_F(MigratorRun, TakesChecksumsOfWhatIsAppliedAndNotOfWhatFailed) {
  looks(rows({{"r1"}}));
  server.query("outcome OPERATOR(pg_catalog.<>) 'failed' GROUP BY revision")
      .answers(rows({{"r1", "sum", "2026-11-21T02:10:00+00:00", "alice", "athanor", "upgrade"},
                     {"r0", "sum", "2026-11-21T02:10:00+00:00", "alice", "athanor", "downgrade"}}));
  const auto applied = migrator().applied_revisions();
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->size(), 1U);
}

class HalfAppliedObservation : public MigratorRun {
 protected:
  UnfinishedStep after(const std::string& state, Parameter cursor = {}) {
    looks({}, rows({{"r1", "upgrade", "0", "0", "complete", "", {}, "0", "sum"},
                    {"r1", "upgrade", "1", "2", state, "absent", std::move(cursor), "8", "sum"}}));
    return migrator().observe()->unfinished.value();
  }
};

TEST_F(HalfAppliedObservation, BeginsBehindACompletedStepWithoutItsCursor) {
  const auto open = after("complete", "7");
  EXPECT_EQ(open.step, 2);
  EXPECT_EQ(open.statement, 0);
  EXPECT_EQ(open.cursor, std::nullopt);
  EXPECT_EQ(open.rows, 0);
  EXPECT_FALSE(open.intent);
  EXPECT_EQ(open.parts.size(), 2U);
}

TEST_F(HalfAppliedObservation, BeginsBehindAStatementThatIsDone) {
  const auto open = after("done");
  EXPECT_EQ(open.step, 1);
  EXPECT_EQ(open.statement, 3);
  EXPECT_FALSE(open.intent);
}

TEST_F(HalfAppliedObservation, BeginsWithAStatementWhoseEndIsNotKnown) {
  const auto open = after("intent");
  EXPECT_EQ(open.step, 1);
  EXPECT_EQ(open.statement, 2);
  EXPECT_TRUE(open.intent);
  EXPECT_EQ(open.before, "absent");
}

TEST_F(HalfAppliedObservation, BeginsInTheMiddleOfABatchStep) {
  const auto open = after("running", "7");
  EXPECT_EQ(open.step, 1);
  EXPECT_EQ(open.cursor, "7");
  EXPECT_EQ(open.rows, 8);
}

}  // namespace
}  // namespace athanor
