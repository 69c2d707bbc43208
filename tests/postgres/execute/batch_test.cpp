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
