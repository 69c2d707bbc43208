// Autocommit statements that fail, are cancelled or stopped: what took effect is never guessed, and clean-up has its time.
#include <gtest/gtest.h>

#include <thread>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class AutocommitOutcome : public test::MigrationScene {
 protected:
  void counter(const std::string& procedure, const std::string& statement) {
    revision("a1", "", "CREATE TABLE ctr (n int); INSERT INTO ctr VALUES (0); CREATE TABLE busy ();\n" + procedure);
    revision("b2", "a1", "-- athanor:step autocommit\n" + statement);
    ASSERT_TRUE(upgrade("a1").ok());
  }
  void index_behind_a_writer() {
    revision("a1", "", "CREATE TABLE t (a int); INSERT INTO t VALUES (1);");
    revision("b2", "a1", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY ix ON t (a);");
    ASSERT_TRUE(upgrade("a1").ok());
    writer_ = std::make_unique<test::Client>(database_.url());
    writer_->run("BEGIN; INSERT INTO t VALUES (2)");
  }
  bool runs(const std::string& statement) {
    return database_.wait_until(
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
        " AND wait_event_type = 'Lock' AND query LIKE '" +
        statement + "%' AND pid <> pg_backend_pid()");
  }
  bool cancel(const std::string& statement) {
    return runs(statement) && database_.value(
                                  "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname ="
                                  " current_database() AND state = 'active' AND query LIKE '" +
                                  statement + "%' AND pid <> pg_backend_pid()") == "t";
  }
  [[nodiscard]] std::string intents() { return database_.value("SELECT count(*) FROM athanor.step WHERE state = 'intent'"); }
  [[nodiscard]] std::string invalid() { return database_.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"); }
  Result<void> repair(athanor::Migrator::StepResolution how) {
    auto sessions = factory();
    athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
    return migrator.resolve_step(how, stop_.token());
  }

  std::unique_ptr<test::Client> writer_;
};

TEST_F(AutocommitOutcome, NeverRunsAcallAgainThatMayHaveCommitted) {
  counter("CREATE PROCEDURE pr() LANGUAGE plpgsql AS $$ BEGIN UPDATE ctr SET n = n + 1; COMMIT; LOCK TABLE busy; END $$;",
          "CALL pr();");
  settings_.execution.lock_retry_budget = milliseconds(20'000);
  auto other = database_.connect();
  other.run("BEGIN; LOCK TABLE busy");
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto report = upgrade();
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error->code, ErrorCode::StepOutcomeUnknown);
    EXPECT_NE(report.error->hint.find("athanor repair --step"), std::string::npos) << report.error->hint;
    EXPECT_EQ(report.lock_retries, 0);
    EXPECT_EQ(intents(), "1");
    EXPECT_EQ(database_.value("SELECT n FROM ctr"), "1");
    if (attempt == 0) {
      EXPECT_EQ(report.error->sqlstate, "55P03");
      EXPECT_NE(report.error->message.find("lock timeout"), std::string::npos) << report.error->message;
    }
  }
  other.run("ROLLBACK");
  ASSERT_TRUE(repair(athanor::Migrator::StepResolution::Done));
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT n FROM ctr"), "1");
}

TEST_F(AutocommitOutcome, KeepsTheIntentOfAblockThatFails) {
  counter("", "DO $$ BEGIN UPDATE ctr SET n = n + 1; COMMIT; RAISE EXCEPTION 'no'; END $$;");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::StepOutcomeUnknown);
  EXPECT_NE(report.error->message.find(": no"), std::string::npos) << report.error->message;
  EXPECT_EQ(intents(), "1");
  EXPECT_EQ(database_.value("SELECT n FROM ctr"), "1");
}

TEST_F(AutocommitOutcome, TellsAstopInsideAcallAsAstopAndKeepsItsIntent) {
  counter("CREATE PROCEDURE pr() LANGUAGE plpgsql AS $$ BEGIN UPDATE ctr SET n = n + 1; COMMIT; LOCK TABLE busy; END $$;",
          "CALL pr();");
  settings_.execution.lock_timeout = milliseconds(60'000);
  auto other = database_.connect();
  other.run("BEGIN; LOCK TABLE busy");
  std::thread stopper([&] {
    EXPECT_TRUE(runs("CALL"));
    stop_.request();
    stop_.request();
  });
  const auto report = upgrade();
  stopper.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::Interrupted);
  EXPECT_EQ(intents(), "1");
}

TEST_F(AutocommitOutcome, RunsAnUpdateAgainThatMetAlock) {
  counter("", "UPDATE ctr SET n = n + 1;");
  settings_.execution.lock_retry_budget = milliseconds(20'000);
  auto other = database_.connect();
  other.run("BEGIN; UPDATE ctr SET n = n");
  sink_.on_retry = [&](int) { other.run("ROLLBACK"); };
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.lock_retries, 1);
  EXPECT_EQ(database_.value("SELECT n FROM ctr"), "1");
}

TEST_F(AutocommitOutcome, TellsAstopThatComesWhileItWaitsToTryAgain) {
  counter("", "UPDATE ctr SET n = n + 1;");
  settings_.execution.lock_retry_budget = milliseconds(20'000);
  auto other = database_.connect();
  other.run("BEGIN; UPDATE ctr SET n = n");
  sink_.on_retry = [&](int) { stop_.request(); };
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::Interrupted) << text(report.error);
  EXPECT_EQ(intents(), "0");
}

TEST_F(AutocommitOutcome, LetsAnIndexWaitForAwriterInOneGo) {
  index_behind_a_writer();
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  std::thread application([&] {
    EXPECT_TRUE(runs("CREATE INDEX"));
    std::this_thread::sleep_for(milliseconds(600));  // longer than lock_timeout
    writer_->run("COMMIT");
  });
  const auto report = upgrade();
  application.join();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.lock_retries, 0);
}

TEST_F(AutocommitOutcome, TellsAnAdministratorsCancelAndCleansUpWithinTheBudget) {
  index_behind_a_writer();
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  std::thread administrator([&] {
    EXPECT_TRUE(cancel("CREATE INDEX"));
    EXPECT_TRUE(runs("DROP INDEX"));
    std::this_thread::sleep_for(milliseconds(600));  // longer than lock_timeout
    writer_->run("COMMIT");
  });
  const auto report = upgrade();
  administrator.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "57014");
  EXPECT_NE(report.error->message.find("cancelled by another session"), std::string::npos) << report.error->message;
  EXPECT_EQ(invalid(), "0");
  EXPECT_EQ(intents(), "0");
}

TEST_F(AutocommitOutcome, TellsTheCauseAndTheIndexThatCouldNotBeDropped) {
  index_behind_a_writer();
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  std::thread administrator([&] {
    EXPECT_TRUE(cancel("CREATE INDEX"));
    EXPECT_TRUE(cancel("DROP INDEX"));
  });
  auto report = upgrade();
  administrator.join();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error->message.find("cancelled by another session"), std::string::npos) << report.error->message;
  EXPECT_NE(report.error->hint.find("index public.ix remains"), std::string::npos) << report.error->hint;
  EXPECT_EQ(intents(), "1");
  std::thread application([&] {
    EXPECT_TRUE(runs("DROP INDEX"));
    std::this_thread::sleep_for(milliseconds(600));
    writer_->run("COMMIT");
  });
  report = upgrade();
  application.join();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(invalid(), "0");
}

TEST_F(AutocommitOutcome, TellsAlostConnectionAndGoesOnFromThere) {
  index_behind_a_writer();
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  settings_.execution.lock_wait = milliseconds(20'000);
  std::thread administrator([&] {
    EXPECT_TRUE(runs("CREATE INDEX"));
    database_.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
        " AND query LIKE 'CREATE INDEX%' AND pid <> pg_backend_pid()");
  });
  auto report = upgrade();
  administrator.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::ConnectionLost) << text(report.error);
  EXPECT_EQ(intents(), "1");
  writer_->run("COMMIT");
  report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(invalid(), "0");
}

TEST_F(AutocommitOutcome, EndsAsStoppedWhenTheCleanUpIsBlockedToo) {
  index_behind_a_writer();
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  std::thread stopper([&] {
    EXPECT_TRUE(runs("CREATE INDEX"));
    stop_.request();
    stop_.request();
  });
  const auto report = upgrade();
  stopper.join();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::Interrupted) << text(report.error);
  EXPECT_LT(report.duration, milliseconds(20'000));
  EXPECT_EQ(invalid(), "1");
  EXPECT_EQ(intents(), "1");
}

TEST_F(AutocommitOutcome, WaitsNoLongerThanLockTimeoutWithoutAbudget) {
  index_behind_a_writer();
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "55P03");
  EXPECT_LT(report.duration, milliseconds(20'000));
}

TEST_F(AutocommitOutcome, GivesTheRevisionsLockTimeoutBackAfterIndexes) {
  revision("a1", "", "CREATE TABLE t (a int);");
  revision("b2", "a1",
           "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY ix ON t (a);\n"
           "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS v;");
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  ASSERT_TRUE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT v FROM seen"), "200ms");
}

TEST_F(AutocommitOutcome, AsksTheCatalogWithoutTheTimeLimitThatTheRevisionSet) {
  revision("a1", "", "CREATE TABLE t (a int); CREATE INDEX ix ON t (a);");
  revision("b2", "a1",
           "-- athanor:step autocommit\nSET statement_timeout = '50ms';\n"
           "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON t (a);\n"
           "CREATE TABLE seen AS SELECT current_setting('statement_timeout') AS v;");
  ASSERT_TRUE(upgrade("a1").ok());
  auto other = database_.connect();
  other.run("BEGIN; LOCK TABLE t");  // in the way of the copy that the index is compared on
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  sink_.on_retry = [&](int) { other.run("ROLLBACK"); };
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.lock_retries, 1);
  EXPECT_EQ(database_.value("SELECT v FROM seen"), "50ms");
}

TEST_F(AutocommitOutcome, FinishesAdetachWithinTheBudget) {
  revision("a1", "",
           "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE SCHEMA old;"
           " CREATE TABLE old.p1 PARTITION OF p FOR VALUES FROM (0) TO (10);");
  revision("b2", "a1", "-- athanor:step autocommit\nALTER TABLE p DETACH PARTITION old.p1 CONCURRENTLY;");
  ASSERT_TRUE(upgrade("a1").ok());
  auto reader = database_.connect();
  reader.run("BEGIN; SELECT * FROM p");
  auto detacher = database_.connect();
  detacher.run("SET statement_timeout = '300ms'");
  EXPECT_NE(detacher.attempt("ALTER TABLE p DETACH PARTITION old.p1 CONCURRENTLY"), "");
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  sink_.on_retry = [&](int attempt) {
    if (attempt == 2) {
      reader.run("COMMIT");
    }
  };
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.lock_retries, 2);
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_inherits"), "0");
}

TEST_F(AutocommitOutcome, StopsWhenTheVersionTableChangesBetweenItsStatements) {
  revision("a1", "", "CREATE TABLE t (n int);");
  revision("b2", "a1", "-- athanor:step autocommit\nUPDATE alembic_version SET version_num = 'x9';\nINSERT INTO t VALUES (1);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::VersionRowMismatch);
  EXPECT_EQ(database_.value("SELECT count(*) FROM t"), "0");
}

}  // namespace
}  // namespace athanor
