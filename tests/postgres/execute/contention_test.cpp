// Two runs at once, and locks that others hold.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "migrations/execute/migration_lock.hpp"
#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class Contention : public test::MigrationScene {
 protected:
  const std::string kTakeLock =
      "SELECT pg_advisory_lock(" + std::to_string(MigrationLock::kClass) + ", " + std::to_string(MigrationLock::kObject) + ")";
};

TEST_F(Contention, NamesTheHolderWhenTheLockIsNotFreeInTime) {
  revision("a1", "", "CREATE TABLE t (id int);");
  auto other = database_.connect();
  other.run("SET application_name = 'another-run'");
  other.run(kTakeLock);
  use_fake_clock_ = true;
  settings_.execution.lock_wait = milliseconds(5'000);
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::LockHeld);
  EXPECT_NE(report.error->message.find("another-run"), std::string::npos) << report.error->message;
  EXPECT_NE(report.error->message.find("pid " + std::to_string(other.backend_pid())), std::string::npos);
  EXPECT_TRUE(sink_.saw("waiting_for_lock"));
  ASSERT_FALSE(sink_.lock_holders.empty());
  EXPECT_EQ(sink_.lock_holders[0].application, "another-run");
  EXPECT_GE(fake_clock_.elapsed(), milliseconds(5'000));
  EXPECT_FALSE(database_.has_relation("t"));
  EXPECT_FALSE(database_.has_relation("alembic_version"));
}

TEST_F(Contention, TakesTheLockAsSoonAsItIsFree) {
  revision("a1", "", "CREATE TABLE t (id int);");
  auto other = std::make_unique<test::Client>(database_.url());
  other->run(kTakeLock);
  use_fake_clock_ = true;
  settings_.execution.lock_wait = milliseconds(600'000);
  fake_clock_.on_wait = [&](milliseconds) {
    if (fake_clock_.waits.size() == 3) {
      other->run("SELECT pg_advisory_unlock_all()");
    }
  };
  const auto report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(fake_clock_.waits.size(), 3U);
  EXPECT_GT(report.lock_waited.count(), 0);
}

TEST_F(Contention, LetsOneOfTwoSimultaneousRunsDoTheWork) {
  revision("a1", "", "CREATE TABLE t (n int);");
  for (int i = 2; i <= 60; ++i) {
    revision("r" + std::to_string(i), i == 2 ? "a1" : "r" + std::to_string(i - 1), "INSERT INTO t VALUES (1);");
  }
  settings_.execution.lock_wait = milliseconds(60'000);
  const auto source = this->source();
  const auto graph = this->graph();
  std::vector<std::thread> workers;
  std::atomic<int> executed{0};
  std::atomic<int> failures{0};
  for (int worker = 0; worker < 6; ++worker) {
    workers.emplace_back([&] {
      auto sessions = postgres::PostgresFactory::create(database_.url(), settings_.execution).value();
      SystemClock clock;
      ProgressSink sink;
      athanor::Migrator migrator(*sessions, clock, settings_, sink);
      for (int attempt = 0; attempt < 20; ++attempt) {
        const auto seen = migrator.observe();
        if (!seen) {
          break;
        }
        const auto plan = make_plan(graph, source, Direction::Upgrade, seen->current_heads, {"heads"}).value();
        const auto report = migrator.execute(plan, StopToken());
        executed += static_cast<int>(report.executed.size());
        if (report.ok()) {
          return;
        }
        if (report.error->code != ErrorCode::StalePlan) {
          break;
        }
      }
      ++failures;
    });
  }
  for (auto& worker : workers) {
    worker.join();
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(executed, 60);
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "59");
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.history"), "60");
}

TEST_F(Contention, TriesAgainAfterLockTimeoutUntilTheOtherIsGone) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "ALTER TABLE t ADD COLUMN x int;");
  revision("c3", "b2", "ALTER TABLE t ADD COLUMN y int;");
  ASSERT_TRUE(upgrade("a1").ok());
  auto other = database_.connect();
  other.run("BEGIN; SELECT * FROM t");
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  sink_.on_retry = [&](int attempt) {
    if (attempt == 2) {
      other.run("COMMIT");
    }
  };
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.lock_retries, 2);
  EXPECT_TRUE(sink_.saw("retrying 1 55P03"));
  EXPECT_EQ(database_.version_rows(), Rows{"c3"});
}

TEST_F(Contention, GivesUpWhenTheRetryBudgetIsUsedUpAndNamesTheBlocker) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "ALTER TABLE t ADD COLUMN x int;");
  ASSERT_TRUE(upgrade("a1").ok());
  auto other = database_.connect();
  other.run("SET application_name = 'long report'; BEGIN; SELECT * FROM t WHERE id = 4711");
  settings_.execution.lock_timeout = milliseconds(1'500);
  settings_.execution.lock_retry_budget = milliseconds(2'000);
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::LockTimeout);
  EXPECT_EQ(report.error->sqlstate, "55P03");
  EXPECT_EQ(report.error->retry, RetryClass::Transient);
  ASSERT_FALSE(report.blockers.empty());
  EXPECT_EQ(report.blockers[0].application, "long report");
  EXPECT_EQ(report.blockers[0].pid, other.backend_pid());
  EXPECT_EQ(report.blockers[0].query.find("4711"), std::string::npos) << report.blockers[0].query;
  EXPECT_TRUE(sink_.saw("blocked"));
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
}

TEST_F(Contention, NamesAPreparedTransactionThatHoldsTheLock) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "ALTER TABLE t ADD COLUMN x int;");
  ASSERT_TRUE(upgrade("a1").ok());
  const std::string gid = "transfer " + database_.name();
  database_.run("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '" + gid + "'");
  settings_.execution.lock_timeout = milliseconds(1'500);
  const auto report = upgrade();
  database_.run("ROLLBACK PREPARED '" + gid + "'");
  ASSERT_FALSE(report.ok());
  ASSERT_EQ(report.blockers.size(), 1U);
  EXPECT_EQ(report.blockers[0].pid, 0);
  EXPECT_EQ(report.blockers[0].application, gid);
  EXPECT_EQ(report.blockers[0].user, "postgres");
  EXPECT_NE(describe_blocker(report.blockers[0]).find("prepared transaction \"" + gid), std::string::npos);
}

TEST_F(Contention, StopsAStatementAtItsTimeout) {
  revision("a1", "", "SELECT pg_sleep(30);");
  settings_.execution.statement_timeout = milliseconds(200);
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "57014");
  EXPECT_NE(report.error->message.find("statement timeout"), std::string::npos);
}

TEST_F(Contention, TellsATimeoutOfTheRevisionsOwn) {
  revision("a1", "", "SET LOCAL statement_timeout = '200ms';\nSELECT pg_sleep(30);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error->message.find("that the revision set"), std::string::npos) << report.error->message;
}

TEST_F(Contention, TellsACancelledStatementFromATimeout) {
  revision("a1", "", "SELECT pg_sleep(30);");
  for (const int timeout : {0, 60'000}) {
    settings_.execution.statement_timeout = milliseconds(timeout);
    std::thread admin([&] {
      EXPECT_TRUE(
          database_.wait_until("SELECT bool_or(pg_cancel_backend(pid)) FROM pg_stat_activity"
                               " WHERE datname = current_database() AND query LIKE '%pg_sleep(30)%'"
                               " AND state = 'active' AND pid <> pg_backend_pid()"));
    });
    const auto report = upgrade();
    admin.join();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error->sqlstate, "57014");
    EXPECT_NE(report.error->message.find("cancelled by another session"), std::string::npos) << report.error->message;
    EXPECT_EQ(report.error->hint.find("statement_timeout"), std::string::npos) << report.error->hint;
    EXPECT_NE(report.error->hint.find("pg_cancel_backend"), std::string::npos) << report.error->hint;
  }
}

TEST_F(Contention, DoesNotLeaveAnInvalidIndexWhenAnotherRunWaitsForTheLock) {
  revision("a1", "", "CREATE TABLE t (id int);");
  revision("b2", "a1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY t_id ON t (id);");
  ASSERT_TRUE(upgrade("a1").ok());
  settings_.execution.lock_wait = milliseconds(60'000);
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  const auto source = this->source();
  const auto graph = this->graph();
  std::atomic<int> fine{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&] {
      auto sessions = postgres::PostgresFactory::create(database_.url(), settings_.execution).value();
      SystemClock clock;
      ProgressSink sink;
      athanor::Migrator migrator(*sessions, clock, settings_, sink);
      const auto plan = make_plan(graph, source, Direction::Upgrade, {"a1"}, {"heads"}).value();
      const auto report = migrator.execute(plan, StopToken());
      fine += report.ok() || report.error->code == ErrorCode::StalePlan ? 1 : 0;
    });
  }
  for (auto& worker : workers) {
    worker.join();
  }
  EXPECT_EQ(fine, 4);
  EXPECT_EQ(database_.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass"), "t");
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.history WHERE revision = 'b2'"), "1");
}

}  // namespace
}  // namespace athanor
