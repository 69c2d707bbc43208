// A revision of several steps that stopped: what is told of it, and which corrections it takes.
#include <gtest/gtest.h>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

constexpr const char* kHead = "CREATE TABLE q (i int);\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY qi ON q (i);\n";

class HalfAppliedRevision : public test::MigrationScene {
 protected:
  HalfAppliedRevision() { revision("q1", "", std::string(kHead) + "CREATE INDEX CONCURRENTLY qj ON q (nosuch);"); }
};

TEST_F(HalfAppliedRevision, SaysInItsErrorWhatIsDone) {
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(text(report.error).find("revision q1 is half-applied: 1 of 2 steps done, and 1 of 2 statements of step 2"),
            std::string::npos)
      << text(report.error);
  ASSERT_TRUE(report.unfinished);
  EXPECT_EQ(report.unfinished->step, 1);
  EXPECT_EQ(report.unfinished->statement, 1);
  ASSERT_TRUE(report.current_heads);
  EXPECT_TRUE(report.current_heads->empty());
}

TEST_F(HalfAppliedRevision, IsNotCalledHalfAppliedWhenItsFirstStepFailed) {
  replace("q1", "", "CREATE TABLE q (i nosuch);\n-- athanor:step autocommit\nVACUUM;");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_FALSE(report.unfinished);
  EXPECT_EQ(text(report.error).find("half-applied"), std::string::npos);
}

TEST_F(HalfAppliedRevision, TakesACorrectionBehindWhatRan) {
  ASSERT_FALSE(upgrade().ok());
  replace("q1", "", std::string(kHead) + "CREATE INDEX CONCURRENTLY qj ON q ((i + 1));");
  const auto report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'q'"), "2");
  EXPECT_EQ(database_.value("SELECT version_num FROM alembic_version"), "q1");
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.step"), "0");
}

TEST_F(HalfAppliedRevision, RunsNothingTwiceWhenTheRestBecameOneTransaction) {
  ASSERT_FALSE(upgrade().ok());
  database_.run("DELETE FROM athanor.step WHERE step = 1; DROP INDEX qi");
  replace("q1", "", "CREATE TABLE q (i int);");
  const auto report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
}

TEST_F(HalfAppliedRevision, RefusesAChangeOfWhatRanAndNamesTheLine) {
  ASSERT_FALSE(upgrade().ok());
  replace("q1", "", "CREATE TABLE q (i int);\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY qi ON q (i DESC);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::ChecksumMismatch);
  EXPECT_EQ(report.error->context, "q1.sql:12");
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_indexes WHERE tablename = 'q'"), "1") << "nothing was done";
}

TEST_F(HalfAppliedRevision, TakesACorrectionOfABatchStepThatHasDoneNoBatch) {
  const std::string table =
      "CREATE TABLE q (i int PRIMARY KEY, k int NOT NULL UNIQUE, done int); INSERT INTO q VALUES (1, 70), (2, 60);\n";
  replace("q1", "", table + "-- athanor:step batch table=q key=i\nUPDATE q SET nosuch = 1 WHERE {batch};");
  ASSERT_FALSE(upgrade().ok());
  replace("q1", "", table + "-- athanor:step batch table=q key=k\nUPDATE q SET done = 1 WHERE {batch};");
  const auto report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT count(*) FROM q WHERE done = 1"), "2") << "up to the bound of the other key";
}

TEST_F(HalfAppliedRevision, TakesNoCorrectionOfABatchStepThatHasDoneOne) {
  const std::string table = "CREATE TABLE q (i int PRIMARY KEY, done int); INSERT INTO q VALUES (1), (2);\n";
  replace("q1", "", table + "-- athanor:step batch table=q key=i size=1\nUPDATE q SET done = 1 / (2 - i) WHERE {batch};");
  const auto stopped = upgrade();
  ASSERT_FALSE(stopped.ok());
  EXPECT_NE(text(stopped.error).find("1 of 2 steps done, and about"), std::string::npos) << text(stopped.error);
  replace("q1", "", table + "-- athanor:step batch table=q key=i size=1\nUPDATE q SET done = 2 WHERE {batch};");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::ChecksumMismatch);
}

TEST_F(HalfAppliedRevision, GoesOnFromTheRowsOfTheFirstRelease) {
  ASSERT_FALSE(upgrade().ok());
  database_.run("UPDATE athanor.step SET checksum = split_part(checksum, ':', 1)");
  database_.run("ALTER TABLE q ADD nosuch int");
  const auto report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
}

TEST_F(HalfAppliedRevision, RefusesAnyChangeWithTheRowsOfTheFirstRelease) {
  ASSERT_FALSE(upgrade().ok());
  database_.run("UPDATE athanor.step SET checksum = split_part(checksum, ':', 1)");
  replace("q1", "", kHead);
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::ChecksumMismatch);
}

TEST_F(HalfAppliedRevision, KeepsTheChecksumOfAStatementThatAPersonMarkedAsDone) {
  ASSERT_FALSE(upgrade().ok());
  database_.run("UPDATE athanor.step SET state = 'intent' WHERE step = 1");
  auto sessions = factory();
  ASSERT_TRUE(athanor::Migrator(*sessions, clock(), settings_, sink_)
                  .resolve_step(athanor::Migrator::StepResolution::Done, stop_.token()));
  replace("q1", "", kHead);
  const auto report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
}

TEST_F(HalfAppliedRevision, IsReportedForADowngradeToo) {
  files_.clear();
  revision("q1", "", "CREATE TABLE q (i int);", "SELECT 1;\n-- athanor:step autocommit\nDROP INDEX CONCURRENTLY nosuch;");
  ASSERT_TRUE(upgrade().ok());
  const auto report = downgrade("base");
  ASSERT_FALSE(report.ok());
  EXPECT_NE(text(report.error).find("the downgrade of revision q1 is half-applied: 1 of 2 steps done"), std::string::npos)
      << text(report.error);
  ASSERT_TRUE(report.current_heads);
  EXPECT_EQ(report.current_heads->front(), "q1");
}

TEST_F(HalfAppliedRevision, LeavesUnknownWhatCannotBeRead) {
  athanor::Migrator::PreRunCheck kill = [&]() -> Result<void> {
    database_.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        "pg_backend_pid()");
    return fail(ErrorCode::PolicyRefused, "refused");
  };
  auto sessions = factory();
  athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
  const auto planned = plan(Direction::Upgrade, "heads", migrator.observe()->current_heads);
  const auto report = migrator.execute(*planned, stop_.token(), kill);
  ASSERT_FALSE(report.ok());
  EXPECT_FALSE(report.current_heads) << "the session is gone and nobody looked again";
}

}  // namespace
}  // namespace athanor
