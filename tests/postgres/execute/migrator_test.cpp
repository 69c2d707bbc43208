#include "migrations/execute/migrator.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class Migrator : public test::MigrationScene {
 protected:
  void three_revisions() {
    revision("a1", "", "CREATE TABLE users (id bigint PRIMARY KEY);", "DROP TABLE users;");
    revision("b2", "a1", "ALTER TABLE users ADD COLUMN email text;\nCREATE INDEX users_email ON users (email);",
             "DROP INDEX users_email;\nALTER TABLE users DROP COLUMN email;");
    revision("c3", "b2", "INSERT INTO users VALUES (1, 'one; two'); -- a comment at the end", "DELETE FROM users;");
  }
};

TEST_F(Migrator, TakesAnEmptyDatabaseToTheHead) {
  three_revisions();
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.current_heads, Rows{"c3"});
  EXPECT_EQ(report.executed.size(), 3U);
  EXPECT_EQ(database_.version_rows(), Rows{"c3"});
  EXPECT_EQ(database_.value("SELECT email FROM users"), "one; two");
  EXPECT_EQ(sink_.events, (Rows{"superuser_migrates", "started a1", "finished a1", "started b2", "finished b2", "started c3",
                                "finished c3"}));
}

TEST_F(Migrator, WritesOneLedgerRowPerRevisionInItsOwnTransaction) {
  three_revisions();
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(database_.column(
                "SELECT revision || ' ' || direction || ' ' || outcome || ' ' || actor FROM athanor.history ORDER BY id"),
            (Rows{"a1 upgrade applied tester", "b2 upgrade applied tester", "c3 upgrade applied tester"}));
  EXPECT_EQ(database_.value("SELECT count(DISTINCT xmin::text) FROM athanor.history"), "3");
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.history WHERE length(checksum) = 64 AND length(plan_hash) = 64 AND"
                            " duration_ms >= 0 AND started_at <= now() AND database_user = 'postgres'"),
            "3");
  EXPECT_EQ(database_.value("SELECT count(DISTINCT run_id) FROM athanor.history"), "1");
}

TEST_F(Migrator, ComesBackTheSameWay) {
  three_revisions();
  const auto empty = database_.schema_fingerprint();
  ASSERT_TRUE(upgrade().ok());
  const auto report = downgrade("base");
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.version_rows(), Rows{});
  EXPECT_FALSE(database_.has_relation("users"));
}

TEST_F(Migrator, DoesNothingAtTheTarget) {
  three_revisions();
  ASSERT_TRUE(upgrade().ok());
  sink_.events.clear();
  const auto report = upgrade();
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(report.executed.empty());
  EXPECT_EQ(report.current_heads, Rows{"c3"});
  EXPECT_TRUE(sink_.events.empty());
}

TEST_F(Migrator, StopsAtTheRevisionThatFailsAndSaysWhere) {
  three_revisions();
  replace("b2", "a1", "ALTER TABLE users ADD COLUMN email text;\n\nALTER TABLE no_such_table ADD COLUMN x int;");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StatementFailed);
  EXPECT_EQ(report.error->sqlstate, "42P01");
  EXPECT_EQ(report.failed_revision, "b2");
  EXPECT_EQ(report.error->context, "b2.sql:12");
  EXPECT_EQ(report.failed_line, 12);
  EXPECT_EQ(report.executed.size(), 1U);
  EXPECT_EQ(report.current_heads, Rows{"a1"});
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
  EXPECT_EQ(database_.value("SELECT count(*) FROM information_schema.columns WHERE column_name = 'email'"), "0");
  EXPECT_EQ(database_.value("SELECT outcome || ' ' || sqlstate FROM athanor.history WHERE revision = 'b2'"), "failed 42P01");
}

TEST_F(Migrator, MakesTheTableOfUnfinishedStepsWhenARevisionHasSteps) {
  revision("a1", "", "CREATE TABLE users (id int);");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_TRUE(database_.has_relation("athanor.history"));
  EXPECT_FALSE(database_.has_relation("athanor.step"));
  revision("b2", "a1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY users_id ON users (id);");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.step"), "0");
  revision("c3", "b2", "CREATE TABLE last (id int);");
  ASSERT_TRUE(upgrade().ok());
}

TEST_F(Migrator, ContinuesAfterTheFileIsFixed) {
  three_revisions();
  replace("b2", "a1", "SELECT no_such_function();");
  ASSERT_FALSE(upgrade().ok());
  replace("b2", "a1", "ALTER TABLE users ADD COLUMN email text;");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.version_rows(), Rows{"c3"});
}

TEST_F(Migrator, AppliesNothingBehindACommitThatFails) {
  revision("a1", "",
           "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);");
  revision("b2", "a1", "INSERT INTO c VALUES (1);");
  revision("c3", "b2", "CREATE TABLE never (id int);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "23503");
  EXPECT_EQ(report.failed_revision, "b2");
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
  EXPECT_FALSE(database_.has_relation("never"));
}

TEST_F(Migrator, AppliesNothingOfAnIndependentBranchBehindACommitThatFails) {
  revision("a1", "",
           "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);");
  revision("b2", "a1", "INSERT INTO c VALUES (1);");
  revision("z9", "", "CREATE TABLE never (id int);");
  const auto plan_of_two = plan(Direction::Upgrade, "heads", {});
  ASSERT_TRUE(plan_of_two);
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.failed_revision, "b2");
  EXPECT_EQ(database_.has_relation("never"),
            plan_of_two->revisions[0].walk.revision == "z9" || plan_of_two->revisions[1].walk.revision == "z9");
}

TEST_F(Migrator, RefusesAPlanThatTheDatabaseHasLeftBehind) {
  three_revisions();
  const auto stale = plan(Direction::Upgrade, "heads", {}).value();
  ASSERT_TRUE(upgrade("a1").ok());
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  const auto report = migrator.execute(stale, stop_.token());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StalePlan);
  EXPECT_EQ(report.error->retry, RetryClass::Conflict);
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
}

TEST_F(Migrator, NoticesAVersionRowThatChangesUnderIt) {
  three_revisions();
  ASSERT_TRUE(upgrade("a1").ok());
  // Another tool writes while b2 runs.
  replace("b2", "a1", "SELECT pg_sleep(1);");
  test::Client other = database_.connect();
  std::thread tool([&] {
    ASSERT_TRUE(database_.wait_until(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1)%' AND wait_event = 'PgSleep' AND "
        "datname = current_database())"));
    other.run("INSERT INTO alembic_version VALUES ('stranger')");
  });
  const auto report = upgrade();
  tool.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::VersionRowMismatch) << text(report.error);
  EXPECT_NE(report.error->message.find("b2"), std::string::npos);
  EXPECT_EQ(database_.version_rows(), (Rows{"a1", "stranger"}));
}

TEST_F(Migrator, AppliesAllOrNothingInOneTransactionWhenAsked) {
  three_revisions();
  replace("c3", "b2", "SELECT 1/0;");
  settings_.transaction_per_migration = false;
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.failed_revision, "c3");
  EXPECT_EQ(report.error->sqlstate, "22012");
  EXPECT_TRUE(report.executed.empty());
  EXPECT_EQ(database_.version_rows(), Rows{});
  EXPECT_FALSE(database_.has_relation("users"));
  replace("c3", "b2", "SELECT 1;");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT count(DISTINCT xmin::text) FROM athanor.history WHERE outcome = 'applied'"), "1");
}

TEST_F(Migrator, KeepsAFailingDivisionApartFromItsOwnGuards) {
  revision("a1", "", "SELECT 1/0;");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StatementFailed);
  EXPECT_EQ(report.error->sqlstate, "22012");
}

TEST_F(Migrator, StampsWithoutRunningAnything) {
  three_revisions();
  const auto report = stamp("b2");
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.version_rows(), Rows{"b2"});
  EXPECT_FALSE(database_.has_relation("users"));
  EXPECT_EQ(database_.value("SELECT outcome || ' ' || direction FROM athanor.history"), "stamped stamp");
}

TEST_F(Migrator, PurgesRowsThatNoFileKnowsWhenItStamps) {
  three_revisions();
  database_.run(
      "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('ghost')");
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  const auto report = migrator.purge_and_stamp(plan(Direction::Stamp, "c3", {}).value(), stop_.token());
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.version_rows(), Rows{"c3"});
}

TEST_F(Migrator, UsesTheVersionTableThatAlembicLeft) {
  three_revisions();
  database_.run(
      "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY"
      " (version_num)); INSERT INTO alembic_version VALUES ('a1'); CREATE TABLE users (id bigint PRIMARY KEY)");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.executed.size(), 2U);
}

TEST_F(Migrator, HonoursTheNamesOfVersionTableAndLedger) {
  three_revisions();
  database_.run("CREATE SCHEMA meta");
  settings_.version_table = "Versions";
  settings_.version_table_schema = "meta";
  settings_.ledger_schema = "my ledger";
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT version_num FROM meta.\"Versions\""), "c3");
  EXPECT_EQ(database_.value("SELECT count(*) FROM \"my ledger\".history"), "3");
  EXPECT_FALSE(database_.has_relation("athanor.history"));
}

TEST_F(Migrator, WalksBranchesAndMerges) {
  revision("root", "", "CREATE TABLE t0 (id int);", "DROP TABLE t0;");
  revision("left", "root", "CREATE TABLE t1 (id int);", "DROP TABLE t1;");
  revision("right", "root", "CREATE TABLE t2 (id int);", "DROP TABLE t2;");
  revision("union", "left, right", "CREATE TABLE t3 (id int);", "DROP TABLE t3;");
  ASSERT_TRUE(upgrade("union").ok());
  EXPECT_EQ(database_.version_rows(), Rows{"union"});
  const auto apart = downgrade("left");
  ASSERT_TRUE(apart.ok()) << text(apart.error);
  EXPECT_EQ(database_.version_rows(), (Rows{"left", "right"}));
  ASSERT_TRUE(downgrade("base").ok());
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "1");
}

TEST_F(Migrator, SaysWhichPrivilegeIsMissingForTheLedger) {
  three_revisions();
  test::TestRole role(database_);
  auto sessions = factory(role.url());
  const auto report = run(Direction::Upgrade, "heads", *sessions);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::InsufficientPrivilege);
  EXPECT_NE(report.error->hint.find("GRANT CREATE ON DATABASE"), std::string::npos);
}

TEST_F(Migrator, LeavesNoLockBehind) {
  three_revisions();
  ASSERT_TRUE(upgrade("b2").ok());
  replace("c3", "b2", "SELECT broken");
  ASSERT_FALSE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
                            "database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
            "0");
}

TEST_F(Migrator, RunsStatementsThatSetSessionStateWithoutLeakingIt) {
  revision("a1", "", "CREATE SCHEMA app;\nSET search_path = app;\nCREATE TABLE inside (id int);");
  revision("b2", "a1", "CREATE TABLE outside (id int);");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_TRUE(database_.has_relation("app.inside"));
  EXPECT_TRUE(database_.has_relation("public.outside"));
  EXPECT_EQ(database_.version_rows(), Rows{"b2"});
}

TEST_F(Migrator, AppliesAThousandRevisionsInOrder) {
  for (int i = 1; i <= 1000; ++i) {
    revision("r" + std::to_string(i), i == 1 ? "" : "r" + std::to_string(i - 1),
             i == 1 ? "CREATE TABLE log (n int);" : "INSERT INTO log VALUES (" + std::to_string(i) + ");",
             i == 1 ? "DROP TABLE log;" : "DELETE FROM log WHERE n = " + std::to_string(i) + ";");
  }
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(
      database_.value("SELECT bool_and(n = prev + 1) FROM (SELECT n, lag(n, 1, 1) OVER (ORDER BY ctid) AS prev FROM log) s"),
      "t");
  ASSERT_TRUE(downgrade("r10").ok());
  EXPECT_EQ(database_.value("SELECT max(n) FROM log"), "10");
}

}  // namespace
}  // namespace athanor
