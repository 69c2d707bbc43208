// Statements outside a transaction, and what a crash in the middle of them leaves.
#include <gtest/gtest.h>

#include "migrations/execute/catalog_probe.hpp"
#include "migrations/execute/ledger.hpp"
#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class AutocommitStep : public test::MigrationScene {
 protected:
  void table_and_index() {
    revision("a1", "", "CREATE TABLE t (id int, v int);", "DROP TABLE t;");
    revision(
        "b2", "a1",
        "ALTER TABLE t ADD COLUMN w int;\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY t_v ON t (v);\n"
        "CREATE INDEX CONCURRENTLY t_w ON t (w);",
        "-- athanor:step autocommit\nDROP INDEX CONCURRENTLY t_w;\nDROP INDEX CONCURRENTLY t_v;\n-- athanor:step transaction\n"
        "ALTER TABLE t DROP COLUMN w;");
  }
  // The ledger as a run leaves it that died inside statement `statement` of step 1 of b2.
  void crashed_in(int statement, const std::string& before = "absent") {
    const auto made = plan(Direction::Upgrade, "b2", {"a1"}).value();
    const std::string checksum = made.revisions[0].script->checksum;
    database_.run("ALTER TABLE t ADD COLUMN w int");
    std::string rows = "('public.alembic_version', 'b2', 'upgrade', 0, 0, 'complete', NULL, '" + checksum + "', 'old')";
    for (int i = 0; i < statement; ++i) {
      rows += ", ('public.alembic_version', 'b2', 'upgrade', 1, " + std::to_string(i) + ", 'done', NULL, '" + checksum +
              "', 'old')";
    }
    rows += ", ('public.alembic_version', 'b2', 'upgrade', 1, " + std::to_string(statement) + ", 'intent', '" + before +
            "', '" + checksum + "', 'old')";
    left_behind(rows);
  }
  // Rows in the table of unfinished steps, which a run with steps would have made.
  void left_behind(const std::string& rows) {
    database_.run(athanor::Ledger("athanor").steps().create_statement());
    database_.run(
        "INSERT INTO athanor.step (version_table, revision, direction, step, statement, state, before, checksum, run_id) "
        "VALUES " +
        rows);
  }
  // An INVALID index as a killed CREATE INDEX CONCURRENTLY leaves it.
  void invalid_index(const std::string& name, const std::string& column) {
    auto blocker = database_.connect();
    blocker.run("BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE");
    auto builder = database_.connect();
    builder.run("SET lock_timeout = '100ms'");
    EXPECT_EQ(builder.attempt("CREATE INDEX CONCURRENTLY " + name + " ON t (" + column + ")"), "55P03");
    EXPECT_EQ(database_.value("SELECT indisvalid FROM pg_index WHERE indexrelid = '" + name + "'::regclass"), "f");
  }
  [[nodiscard]] std::string valid(const std::string& name) {
    return database_.value("SELECT coalesce((SELECT indisvalid::text FROM pg_index WHERE indexrelid = to_regclass('" + name +
                           "')), 'absent')");
  }
};

TEST_F(AutocommitStep, BuildsIndexesConcurrentlyAndForgetsItsStepsAtTheEnd) {
  table_and_index();
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(valid("t_v"), "true");
  EXPECT_EQ(valid("t_w"), "true");
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.step"), "0");
  EXPECT_EQ(database_.version_rows(), Rows{"b2"});
  const auto back = downgrade("a1");
  ASSERT_TRUE(back.ok()) << text(back.error);
  EXPECT_EQ(valid("t_v"), "absent");
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
}

TEST_F(AutocommitStep, ContinuesWhenTheCrashCameBeforeTheStatement) {
  table_and_index();
  ASSERT_TRUE(upgrade("a1").ok());
  crashed_in(0);
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(valid("t_v"), "true");
  EXPECT_EQ(database_.version_rows(), Rows{"b2"});
}

TEST_F(AutocommitStep, RecognisesAStatementThatHadTakenEffect) {
  table_and_index();
  ASSERT_TRUE(upgrade("a1").ok());
  crashed_in(0);
  database_.run("CREATE INDEX t_v ON t (v)");
  const auto oid = database_.value("SELECT 't_v'::regclass::oid");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT 't_v'::regclass::oid"), oid) << "it was built again";
}

TEST_F(AutocommitStep, DropsAnInvalidIndexAndBuildsItAgain) {
  table_and_index();
  ASSERT_TRUE(upgrade("a1").ok());
  crashed_in(1);
  database_.run("CREATE INDEX t_v ON t (v)");
  invalid_index("t_w", "w");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(valid("t_w"), "true");
}

TEST_F(AutocommitStep, ReplacesAnInvalidIndexThatAnotherToolLeft) {
  revision("a1", "", "CREATE TABLE t (id int, v int);");
  revision("b2", "a1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_v ON t (v);");
  ASSERT_TRUE(upgrade("a1").ok());
  invalid_index("t_v", "v");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(valid("t_v"), "true");
}

TEST_F(AutocommitStep, LeavesNoInvalidIndexWhenTheStatementFails) {
  revision("a1", "", "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1);");
  revision("b2", "a1", "-- athanor:step autocommit\nCREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "23505");
  EXPECT_EQ(report.failed_revision, "b2");
  EXPECT_EQ(valid("t_id"), "absent");
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.step"), "0");
  database_.run("DELETE FROM t WHERE ctid = '(0,2)'");
  EXPECT_TRUE(upgrade().ok());
}

TEST_F(AutocommitStep, SaysTheServersErrorWhenTheIndexWasThereBefore) {
  revision("a1", "", "CREATE TABLE t (id int); CREATE INDEX t_id ON t (id);");
  revision("b2", "a1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY t_id ON t (id);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "42P07");
}

TEST_F(AutocommitStep, AddsAnEnumValueOnceAcrossACrash) {
  revision("a1", "", "CREATE TYPE mood AS ENUM ('sad');");
  revision("b2", "a1", "-- athanor:step autocommit\nALTER TYPE mood ADD VALUE 'happy';");
  ASSERT_TRUE(upgrade("a1").ok());
  const auto made = plan(Direction::Upgrade, "b2", {"a1"}).value();
  left_behind(
      "('public.alembic_version', 'b2',"
      " 'upgrade', 0, 0, 'intent', 'absent', '" +
      made.revisions[0].script->checksum + "', 'old')");
  database_.run("ALTER TYPE mood ADD VALUE 'happy'");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_enum"), "2");
}

TEST_F(AutocommitStep, AsksAHumanWhenTheCatalogCannotTell) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "-- athanor:step autocommit\nINSERT INTO t VALUES (1);");
  ASSERT_TRUE(upgrade("a1").ok());
  const auto made = plan(Direction::Upgrade, "b2", {"a1"}).value();
  left_behind("('public.alembic_version', 'b2', 'upgrade', 0, 0, 'intent', NULL, '" + made.revisions[0].script->checksum +
              "', 'old')");
  auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StepOutcomeUnknown);
  EXPECT_NE(report.error->hint.find("athanor repair --step"), std::string::npos);
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "0");
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  ASSERT_TRUE(migrator.resolve_step(athanor::Migrator::StepResolution::Redo, stop_.token()));
  report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "1");
}

TEST_F(AutocommitStep, RefusesAnotherPlanWhileARevisionIsHalfApplied) {
  table_and_index();
  ASSERT_TRUE(upgrade("a1").ok());
  crashed_in(0);
  const auto report = downgrade("base");
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StepOutcomeUnknown);
  EXPECT_NE(report.error->message.find("b2"), std::string::npos);
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
}

TEST_F(AutocommitStep, RefusesATextThatChangedAfterItWasHalfApplied) {
  table_and_index();
  ASSERT_TRUE(upgrade("a1").ok());
  crashed_in(0);
  replace("b2", "a1",
          "ALTER TABLE t ADD COLUMN other int;\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY t_v ON t (v);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::ChecksumMismatch);
}

TEST_F(AutocommitStep, ObserveReportsAnUnfinishedRevision) {
  table_and_index();
  ASSERT_TRUE(upgrade("a1").ok());
  crashed_in(1);
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  const auto seen = migrator.observe().value();
  ASSERT_TRUE(seen.unfinished);
  EXPECT_EQ(seen.unfinished->revision, "b2");
  EXPECT_EQ(seen.unfinished->step, 1);
  EXPECT_EQ(seen.unfinished->statement, 1);
  EXPECT_TRUE(seen.unfinished->intent);
}

TEST_F(AutocommitStep, FinishesAPendingDetach) {
  revision("a1", "",
           "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);");
  revision("b2", "a1", "-- athanor:step autocommit\nALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;");
  ASSERT_TRUE(upgrade("a1").ok());
  {
    auto reader = database_.connect();
    reader.run("BEGIN; SELECT * FROM p");
    auto detacher = database_.connect();
    detacher.run("SET statement_timeout = '300ms'");
    EXPECT_NE(detacher.attempt("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"), "");
  }
  const auto pending = database_.value("SELECT inhdetachpending FROM pg_inherits");
  EXPECT_EQ(pending, "t");
  const auto made = plan(Direction::Upgrade, "b2", {"a1"}).value();
  left_behind(
      "('public.alembic_version', 'b2',"
      " 'upgrade', 0, 0, 'intent', 'valid', '" +
      made.revisions[0].script->checksum + "', 'old')");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_inherits"), "0");
}

}  // namespace
}  // namespace athanor
