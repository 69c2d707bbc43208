// Batch steps: every row once, resumable after any batch, throttled.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class BatchStep : public test::MigrationScene {
 protected:
  void backfill(const std::string& options, int rows = 1'000, const std::string& type = "bigint",
                const std::string& key = "g") {
    revision("a1", "",
             "CREATE TABLE t (id " + type + " PRIMARY KEY, n int NOT NULL DEFAULT 0);\nINSERT INTO t SELECT " + key +
                 " FROM generate_series(1, " + std::to_string(rows) + ") AS g;");
    revision("b2", "a1", "-- athanor:step batch table=t key=id " + options + "\nUPDATE t SET n = n + 1 WHERE {batch};");
  }
  [[nodiscard]] std::string each_row_once() {
    return database_.value("SELECT bool_and(n = 1)::text || ' ' || count(*) FROM t");
  }
};

TEST_F(BatchStep, TouchesEveryRowExactlyOnce) {
  backfill("size=300");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(each_row_once(), "true 1000");
  EXPECT_TRUE(sink_.saw("batch 300"));
  EXPECT_TRUE(sink_.saw("batch 1000"));
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.step"), "0");
}

TEST_F(BatchStep, WalksTextAndUuidKeysToo) {
  backfill("size=70", 200, "text", "'k' || g");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(each_row_once(), "true 200");
}

TEST_F(BatchStep, WalksUuidKeys) {
  backfill("size=70", 200, "uuid", "gen_random_uuid()");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(each_row_once(), "true 200");
}

TEST_F(BatchStep, WalksAnEmptyTextKey) {
  revision("a1", "",
           "CREATE TABLE t (id text PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t VALUES (''), ('it''s \\ x'), ('z');");
  revision("b2", "a1", "-- athanor:step batch table=t key=id size=1\nUPDATE t SET n = n + 1 WHERE {batch};");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(each_row_once(), "true 3");
}

TEST_F(BatchStep, EndsAtOnceOnAnEmptyTable) {
  backfill("size=10", 0);
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.version_rows(), Rows{"b2"});
}

TEST_F(BatchStep, ContinuesAfterTheLastBatchWhenItWasStopped) {
  backfill("size=100");
  sink_.on_batch = [&](std::int64_t rows) {
    if (rows == 400) {
      stop_.request();
    }
  };
  const auto stopped = upgrade();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error->code, ErrorCode::Interrupted);
  EXPECT_EQ(database_.value("SELECT sum(n) FROM t"), "400");
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
  EXPECT_EQ(database_.value("SELECT cursor FROM athanor.step WHERE state = 'running'"), "400");
  test::RecordingSink second;
  auto sessions = factory();
  StopSource fresh;
  athanor::Migrator migrator(*sessions, clock(), settings_, second);
  const auto report = migrator.execute(plan(Direction::Upgrade, "heads", {"a1"}).value(), fresh.token());
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(each_row_once(), "true 1000");
}

TEST_F(BatchStep, KeepsFinishedBatchesWhenAlaterOneFails) {
  revision("a1", "",
           "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0 CHECK (id <> 250 OR n = 0));\n"
           "INSERT INTO t SELECT g FROM generate_series(1, 400) AS g;");
  revision("b2", "a1", "-- athanor:step batch table=t key=id size=100\nUPDATE t SET n = n + 1 WHERE {batch};");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "23514");
  EXPECT_EQ(database_.value("SELECT sum(n) FROM t"), "200");
  database_.run("ALTER TABLE t DROP CONSTRAINT t_check");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(each_row_once(), "true 400");
}

// A function that sets `setting` for the session, and a trigger that calls it for each row of t.
std::string trigger_that_sets(const std::string& setting, const std::string& value) {
  return "CREATE FUNCTION sets() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('" + setting + "', '" + value +
         "', false); RETURN NEW; END $$;\nCREATE TRIGGER s BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION sets();";
}

TEST_F(BatchStep, RefusesATriggerThatChangesHowTheServerReadsTheKeys) {
  for (const auto& [setting, value] : std::vector<std::pair<std::string, std::string>>{
           {"client_encoding", "LATIN1"}, {"standard_conforming_strings", "off"}}) {
    SCOPED_TRACE(setting);
    database_.run(
        "DROP SCHEMA IF EXISTS athanor CASCADE; DROP TABLE IF EXISTS t, alembic_version; DROP FUNCTION IF EXISTS sets");
    files_.clear();
    revision("a1", "",
             "CREATE TABLE t (id text PRIMARY KEY, n int NOT NULL DEFAULT 0);\n"
             "INSERT INTO t SELECT 'é\\' || g FROM generate_series(1, 9) AS g;\n" +
                 trigger_that_sets(setting, value));
    revision("b2", "a1", "-- athanor:step batch table=t key=id size=2\nUPDATE t SET n = n + 1 WHERE {batch};");
    const auto report = upgrade();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error->code, ErrorCode::UnsupportedStatement) << text(report.error);
    EXPECT_NE(report.error->message.find("changed client_encoding"), std::string::npos) << text(report.error);
    EXPECT_EQ(database_.value("SELECT sum(n) FROM t"), "0");
    database_.run("ALTER TABLE t DISABLE TRIGGER s");
    const auto again = upgrade();
    ASSERT_TRUE(again.ok()) << text(again.error);
    EXPECT_EQ(each_row_once(), "true 9");
  }
}

TEST_F(BatchStep, RefusesADeferredTriggerThatChangesHowTheServerReadsTheKeys) {
  revision("a1", "",
           "CREATE TABLE t (id text PRIMARY KEY, n int NOT NULL DEFAULT 0);\n"
           "INSERT INTO t SELECT 'é' || g FROM generate_series(1, 9) AS g;\n"
           "CREATE FUNCTION sets() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('client_encoding', 'LATIN1',"
           " false); RETURN NEW; END $$;\n"
           "CREATE CONSTRAINT TRIGGER s AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sets();");
  revision("b2", "a1", "-- athanor:step batch table=t key=id size=2\nUPDATE t SET n = n + 1 WHERE {batch};");
  const auto report = upgrade();
  if (!report.ok()) {
    EXPECT_EQ(report.error->code, ErrorCode::UnsupportedStatement) << text(report.error);
    EXPECT_EQ(database_.value("SELECT sum(n) FROM t"), "2");
    EXPECT_EQ(database_.value("SELECT rows FROM athanor.step"), "2");
    return;
  }
  EXPECT_EQ(each_row_once(), "true 9");
}

TEST_F(BatchStep, BlamesTheEarlierStepThatChangedTheEncoding) {
  revision("a1", "",
           "CREATE TABLE \"té\" (id text PRIMARY KEY, n int NOT NULL DEFAULT 0);\n"
           "CREATE TABLE t (id text PRIMARY KEY, n int NOT NULL DEFAULT 0);\n"
           "INSERT INTO t SELECT 'é' || g FROM generate_series(1, 9) AS g;\n"
           "CREATE FUNCTION ef(e text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('client_encoding', e, false) $$;");
  for (const std::string table : {"t", "\"té\""}) {
    SCOPED_TRACE(table);
    replace("b2", "a1",
            "SELECT ef('LATIN1');\n-- athanor:step batch table=" + table + " key=id size=2\nUPDATE " + table +
                " SET n = n + 1 WHERE {batch};");
    const auto report = upgrade();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error->code, ErrorCode::UnsupportedStatement) << text(report.error);
    EXPECT_NE(report.error->message.find("revision b2 changed client_encoding"), std::string::npos) << text(report.error);
    database_.run("DELETE FROM athanor.step");
  }
}

TEST_F(BatchStep, RefusesToReadNullsInKeysAsWords) {
  revision("a1", "",
           "CREATE TABLE t (id text[], n int NOT NULL DEFAULT 0);\n"
           "INSERT INTO t SELECT CASE WHEN g % 2 = 0 THEN ARRAY['k' || (g / 2), NULL] ELSE ARRAY['k' || (g / 2), 'NULL'] END"
           " FROM generate_series(1, 9) AS g;\n" +
               trigger_that_sets("array_nulls", "off"));
  revision("b2", "a1", "-- athanor:step batch table=t key=id size=2\nUPDATE t SET n = n + 1 WHERE {batch};");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::UnsupportedStatement) << text(report.error);
  EXPECT_NE(report.error->message.find("array_nulls"), std::string::npos) << text(report.error);
  database_.run("ALTER TABLE t DISABLE TRIGGER s");
  const auto again = upgrade();
  ASSERT_TRUE(again.ok()) << text(again.error);
  EXPECT_EQ(each_row_once(), "true 9");
}

TEST_F(BatchStep, WalksOnWhenATriggerTurnsArrayNullsOffAndNoKeyHasANull) {
  revision("a1", "",
           "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT generate_series(1, 9);\n" +
               trigger_that_sets("array_nulls", "off"));
  revision("b2", "a1", "-- athanor:step batch table=t key=id size=2\nUPDATE t SET n = n + 1 WHERE {batch};");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(each_row_once(), "true 9");
}

TEST_F(BatchStep, CountsTheLastBatchWhenItStops) {
  revision("a1", "",
           "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0 CHECK (id <> 250 OR n = 0));\n"
           "INSERT INTO t SELECT g FROM generate_series(1, 400) AS g;");
  revision("b2", "a1", "-- athanor:step batch table=t key=id size=100\nUPDATE t SET n = n + 1 WHERE {batch};");
  ASSERT_FALSE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT rows FROM athanor.step WHERE state = 'running'"), "200");
  ASSERT_FALSE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT rows FROM athanor.step WHERE state = 'running'"), "200");
  database_.run("ALTER TABLE t DROP CONSTRAINT t_check");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(each_row_once(), "true 400");
}

TEST_F(BatchStep, PausesBetweenBatches) {
  use_fake_clock_ = true;
  backfill("size=250 pause=40ms");
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(fake_clock_.waits, (std::vector<milliseconds>(4, milliseconds(40))));
}

TEST_F(BatchStep, KeepsToItsRate) {
  use_fake_clock_ = true;
  backfill("size=100 rate=50");
  ASSERT_TRUE(upgrade().ok());
  const auto total = std::accumulate(fake_clock_.waits.begin(), fake_clock_.waits.end(), milliseconds(0));
  EXPECT_EQ(total, milliseconds(20'000)) << "1,000 rows at 50 rows a second";
}

TEST_F(BatchStep, RetriesABatchThatMeetsALock) {
  backfill("size=500");
  ASSERT_TRUE(upgrade("a1").ok());
  auto other = database_.connect();
  other.run("BEGIN; UPDATE t SET n = n WHERE id = 700");
  settings_.execution.lock_retry_budget = milliseconds(30'000);
  sink_.on_retry = [&](int) { other.run("ROLLBACK"); };
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_GE(report.lock_retries, 1);
  EXPECT_EQ(each_row_once(), "true 1000");
}

}  // namespace
}  // namespace athanor
