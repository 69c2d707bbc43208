// Stop requests and dead servers: the transaction is rolled back or finished, never unknown.
#include <gtest/gtest.h>

#include <thread>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class Interruption : public test::MigrationScene {};

TEST_F(Interruption, EndsBetweenTwoRevisionsWhenItIsAskedTo) {
  revision("a1", "", "CREATE TABLE t (n int);");
  for (int i = 2; i <= 200; ++i) {
    revision("r" + std::to_string(i), i == 2 ? "a1" : "r" + std::to_string(i - 1), "INSERT INTO t VALUES (1);");
  }
  sink_.on_finished = [&](const std::string& id) {
    if (id == "r10") {
      stop_.request();
    }
  };
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::Interrupted);
  EXPECT_LT(report.executed.size(), 100U);
  EXPECT_EQ(database_.version_rows(), Rows{report.executed.back().revision});
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), std::to_string(report.executed.size() - 1));
}

TEST_F(Interruption, RollsBackARunningStatementAfterTheGracePeriod) {
  revision("a1", "", "CREATE TABLE t (n int);");
  revision("b2", "a1", "CREATE TABLE half (n int); SELECT pg_sleep(60);");
  settings_.execution.stop_grace = milliseconds(300);
  std::thread stopper([&] {
    EXPECT_TRUE(
        database_.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE "
                             "'%pg_sleep(60)%' AND pid <> pg_backend_pid()"));
    stop_.request();
  });
  const auto report = upgrade();
  stopper.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::Interrupted);
  EXPECT_EQ(report.failed_revision, "b2");
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
  EXPECT_FALSE(database_.has_relation("half"));
  EXPECT_LT(report.duration, milliseconds(20'000));
}

TEST_F(Interruption, CancelsAtOnceOnTheSecondRequest) {
  revision("a1", "", "SELECT pg_sleep(60);");
  settings_.execution.stop_grace = milliseconds(60'000);
  std::thread stopper([&] {
    EXPECT_TRUE(
        database_.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE "
                             "'%pg_sleep(60)%' AND pid <> pg_backend_pid()"));
    stop_.request();
    stop_.request();
  });
  const auto report = upgrade();
  stopper.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::Interrupted);
  EXPECT_LT(report.duration, milliseconds(20'000));
}

TEST_F(Interruption, LeavesTheLockQueueWhenItIsAskedToStop) {
  revision("a1", "", "CREATE TABLE t (n int);");
  auto other = database_.connect();
  other.run("SELECT pg_advisory_lock(1635018866, 1)");
  settings_.execution.lock_wait = milliseconds(600'000);
  stop_.request();
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::Interrupted);
  EXPECT_FALSE(database_.has_relation("t"));
}

TEST_F(Interruption, ReportsExactlyWhatIsInTheDatabaseWhenItsSessionIsTerminated) {
  revision("a1", "", "CREATE TABLE t (n int);");
  revision("b2", "a1", "CREATE TABLE u (n int); SELECT pg_sleep(60);");
  revision("c3", "b2", "CREATE TABLE v (n int);");
  settings_.execution.lock_wait = milliseconds(20'000);
  std::thread killer([&] {
    EXPECT_TRUE(database_.wait_until(
        "SELECT count(pg_terminate_backend(pid)) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE "
        "'%pg_sleep(60)%' AND pid <> pg_backend_pid()"));
  });
  const auto report = upgrade();
  killer.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::ConnectionLost) << text(report.error);
  EXPECT_EQ(report.error->retry, RetryClass::Transient);
  EXPECT_EQ(report.current_heads, Rows{"a1"});
  EXPECT_EQ(report.executed.size(), 1U);
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
  EXPECT_FALSE(database_.has_relation("u"));
  EXPECT_FALSE(database_.has_relation("v"));
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
                            "database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
            "0");
}

}  // namespace
}  // namespace athanor
