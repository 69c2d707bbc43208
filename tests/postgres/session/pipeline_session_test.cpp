#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "migrations/postgres/connect.hpp"
#include "migrations/session/session_reset.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor {
namespace {

using postgres::PostgresFactory;
using test::TestDatabase;

class PipelineSession : public testing::Test {
 protected:
  std::unique_ptr<Session> open(ExecutionSettings settings = {}) {
    factory_ = PostgresFactory::create(database_.url(), settings).value();
    auto session = factory_->open();
    EXPECT_TRUE(session) << session.error().describe();
    return std::move(session).value();
  }
  static Transaction of(std::vector<std::string> statements) {
    Transaction transaction;
    for (auto& sql : statements) {
      transaction.commands.push_back({std::move(sql), {}, ""});
    }
    return transaction;
  }
  TestDatabase database_{"session"};
  std::unique_ptr<PostgresFactory> factory_;
};

TEST_F(PipelineSession, CommitsTransactionsThatAreInFlightTogether) {
  auto session = open();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(session->submit(of({"CREATE TABLE t" + std::to_string(i) + " (id int)"})));
  }
  EXPECT_EQ(session->in_flight(), 50U);
  for (int i = 0; i < 50; ++i) {
    const auto outcome = session->collect();
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->error);
  }
  EXPECT_EQ(database_.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "50");
}

TEST_F(PipelineSession, EndsWhenTheConnectionBreaksWhileItSendsAndAnswersAreWaiting) {
  auto session = open();
  const std::string idle = "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = " + std::to_string(session->backend_pid()) +
                           " AND state = 'idle' AND query LIKE 'COMMIT%'";
  ASSERT_TRUE(session->submit(of({"CREATE TABLE first (id int)"})));
  ASSERT_TRUE(database_.wait_until(idle));  // its answers have come, and nobody has taken them
  database_.run("SELECT pg_terminate_backend(" + std::to_string(session->backend_pid()) + ", 5000)");
  (void)session->submit(of({"SELECT '" + std::string(4'000'000, 'x') + "'"}));  // more than any buffer takes
  EXPECT_FALSE(session->collect()->error);
  const auto second = session->collect();
  EXPECT_TRUE(!second || second->lost);
  EXPECT_FALSE(session->alive());
}

TEST_F(PipelineSession, RunsNothingBehindATransactionThatFailed) {
  auto session = open();
  ASSERT_TRUE(session->submit(of({"CREATE TABLE first (id int)"})));
  ASSERT_TRUE(session->submit(of({"CREATE TABLE second (id int)", "SELECT no_such_column FROM first"})));
  ASSERT_TRUE(session->submit(of({"CREATE TABLE third (id int)"})));
  EXPECT_FALSE(session->collect()->error);
  const auto failed = session->collect().value();
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->sqlstate, "42703");
  EXPECT_EQ(failed.failed_command, 1U);
  EXPECT_FALSE(failed.skipped);
  const auto skipped = session->collect().value();
  EXPECT_TRUE(skipped.skipped);
  ASSERT_TRUE(session->recover());
  EXPECT_TRUE(database_.has_relation("first"));
  EXPECT_FALSE(database_.has_relation("second"));
  EXPECT_FALSE(database_.has_relation("third"));
  ASSERT_TRUE(session->submit(of({"CREATE TABLE fourth (id int)"})));
  EXPECT_FALSE(session->collect()->error);
}

TEST_F(PipelineSession, NamesCommitAsTheFailedCommandWhenADeferredConstraintFails) {
  auto session = open();
  database_.run(
      "CREATE TABLE parent (id int PRIMARY KEY);"
      "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
  ASSERT_TRUE(session->submit(of({"INSERT INTO child VALUES (1)"})));
  const auto outcome = session->collect().value();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->sqlstate, "23503");
  EXPECT_EQ(outcome.failed_command, 1U);
}

TEST_F(PipelineSession, ForgetsWhatARevisionSetForTheNextOne) {
  auto session = open();
  Transaction setting = of({"SET search_path = pg_catalog", "SET lock_timeout = 0"});
  setting.commands.insert(setting.commands.end(), session_reset().begin(), session_reset().end());
  ASSERT_TRUE(session->submit(setting));
  EXPECT_FALSE(session->collect()->error);
  EXPECT_EQ(session->query("SHOW lock_timeout")->text(0, 0), "2s");
  EXPECT_NE(session->query("SHOW search_path")->text(0, 0), "pg_catalog");
}

TEST_F(PipelineSession, PinsItsSettingsAgainstThoseOfTheRole) {
  test::TestRole role(database_);
  database_.run("ALTER ROLE " + role.name() + " SET statement_timeout = '1ms'");
  database_.run("ALTER ROLE " + role.name() + " SET idle_session_timeout = '1s'");
  ExecutionSettings settings;
  settings.search_path = "app, public";
  settings.lock_timeout = milliseconds(1234);
  auto factory = PostgresFactory::create(role.url(), settings).value();
  auto session = factory->open().value();
  EXPECT_EQ(session->query("SHOW statement_timeout")->text(0, 0), "0");
  EXPECT_EQ(session->query("SHOW idle_session_timeout")->text(0, 0), "0");
  EXPECT_EQ(session->query("SHOW lock_timeout")->text(0, 0), "1234ms");
  EXPECT_EQ(session->query("SHOW search_path")->text(0, 0), "app, public");
  EXPECT_EQ(session->query("SHOW client_connection_check_interval")->text(0, 0), "500ms");
  EXPECT_EQ(session->query("SHOW application_name")->text(0, 0), "athanor");
}

TEST_F(PipelineSession, WorksAsTheConfiguredRole) {
  test::TestRole role(database_, "NOLOGIN");
  ExecutionSettings settings;
  settings.role = role.name();
  auto session = open(settings);
  EXPECT_EQ(session->query("SELECT current_user")->text(0, 0), role.name());
  Transaction setting = of({"RESET ROLE", "SET ROLE postgres"});
  setting.commands.insert(setting.commands.end(), session_reset().begin(), session_reset().end());
  ASSERT_TRUE(session->submit(setting));
  EXPECT_FALSE(session->collect()->error);
  EXPECT_EQ(session->query("SELECT current_user")->text(0, 0), role.name());
}

TEST_F(PipelineSession, ReportsALostConnectionInsteadOfReconnecting) {
  auto session = open();
  database_.run("SELECT pg_terminate_backend(" + std::to_string(session->backend_pid()) + ")");
  const auto answer = session->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ConnectionLost);
  EXPECT_EQ(answer.error().retry, RetryClass::Transient);
  EXPECT_FALSE(session->alive());
  EXPECT_FALSE(session->query("SELECT 1"));
}

TEST_F(PipelineSession, SaysThatATransactionInFlightIsLost) {
  auto session = open();
  ASSERT_TRUE(session->submit(of({"SELECT pg_sleep(60)"})));
  EXPECT_TRUE(database_.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"));
  database_.run("SELECT pg_terminate_backend(" + std::to_string(session->backend_pid()) + ")");
  const auto outcome = session->collect().value();
  EXPECT_TRUE(outcome.lost);
}

TEST_F(PipelineSession, CancelsWhenTheListenerAsksForIt) {
  auto session = open();
  int asked = 0;
  session->set_wait_listener([&](milliseconds) { return ++asked == 2; });
  const auto answer = session->query("SELECT pg_sleep(60)");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().sqlstate, "57014");
  EXPECT_GE(asked, 2) << "it goes on being asked until the answer is there";
  EXPECT_TRUE(session->query("SELECT 1"));
}

TEST_F(PipelineSession, DoesNotDeadlockOnMuchInputAndMuchOutput) {
  auto session = open();
  const std::string large(8U << 20U, 'x');
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(
        session->submit(of({"DO $$ BEGIN FOR i IN 1..20000 LOOP RAISE WARNING 'a line that fills buffers %', i;"
                            " END LOOP; END $$",
                            "SELECT repeat('y', 4000000)", "SELECT length('" + large + "')"})));
  }
  for (int i = 0; i < 4; ++i) {
    const auto outcome = session->collect().value();
    ASSERT_FALSE(outcome.error) << outcome.error->describe();
    EXPECT_EQ(outcome.answers[2].text(0, 0), std::to_string(large.size()));
  }
}

TEST_F(PipelineSession, HearsAStopWhileItSends) {
  auto session = open();
  session->set_wait_listener([](milliseconds) { return true; });
  Transaction transaction = of({"SELECT pg_sleep(60)"});
  for (int i = 0; i < 12; ++i) {
    transaction.commands.push_back({"SELECT length('" + std::string(1U << 20U, 'x') + "')", {}, ""});
  }
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(session->submit(transaction)) << "the server reads on once it cancelled the statement";
  const auto outcome = session->collect().value();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->sqlstate, "57014");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(PipelineSession, DropsRowsThatNobodyReads) {
  auto session = open();
  Transaction transaction;
  transaction.commands.push_back(
      {"SELECT repeat('x', 1000) FROM generate_series(1, 200000)", {}, "", true});  // 200 MB, and 64 MiB may be kept
  transaction.commands.push_back({"SELECT 'kept'", {}, ""});
  ASSERT_TRUE(session->submit(transaction));
  const auto outcome = session->collect().value();
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
  EXPECT_TRUE(outcome.answers[0].rows.empty());
  EXPECT_EQ(outcome.answers[0].affected, 200'000);
  EXPECT_EQ(outcome.answers[1].text(0, 0), "kept");
  const auto simple = session->execute_autocommit("SELECT repeat('x', 1000) FROM generate_series(1, 200000)");
  ASSERT_TRUE(simple) << simple.error().describe();
  EXPECT_TRUE(simple->empty());
}

TEST_F(PipelineSession, DropsWhatCopySendsAndGoesOn) {
  auto session = open();
  ASSERT_TRUE(session->execute_autocommit("COPY (SELECT generate_series(1, 100000)) TO STDOUT"));
  EXPECT_EQ(session->query("SELECT 1")->text(0, 0), "1");
  EXPECT_FALSE(session->execute_autocommit("COPY pg_temp.nothing FROM STDIN"));
}

TEST_F(PipelineSession, TellsWarningsAndOnRequestNotices) {
  const auto heard = [&](bool notices) {
    ExecutionSettings settings;
    settings.show_notices = notices;
    auto session = open(settings);
    std::vector<std::string> texts;
    session->set_message_listener(
        [&](const ServerMessage& message) { texts.push_back(message.severity + " " + message.text); });
    EXPECT_TRUE(session->execute_autocommit(
        "DO $$ BEGIN RAISE WARNING 'careful' USING HINT = 'slowly'; RAISE NOTICE 'by the way'; END $$"));
    return texts;
  };
  EXPECT_EQ(heard(false), std::vector<std::string>{"WARNING careful"});
  EXPECT_EQ(heard(true), (std::vector<std::string>{"WARNING careful", "NOTICE by the way"}));
}

TEST_F(PipelineSession, TellsOnlySoManyMessagesOfAStatement) {
  auto session = open();
  std::vector<std::string> texts;
  session->set_message_listener([&](const ServerMessage& message) { texts.push_back(message.text); });
  ASSERT_TRUE(session->execute_autocommit("DO $$ BEGIN FOR i IN 1..1000 LOOP RAISE WARNING 'line %', i; END LOOP; END $$"));
  ASSERT_EQ(texts.size(), 101U);
  EXPECT_EQ(texts.back(), "900 more messages from the server are not shown");
}

TEST_F(PipelineSession, GivesErrorsTheServersHintAndPosition) {
  auto session = open();
  const Error unknown = session->query("SELECT 1,\n  no_such_column").error();
  EXPECT_EQ(unknown.position, 13);
  const Error misspelt = session->query("SELECT datnam FROM pg_database").error();
  EXPECT_EQ(misspelt.hint, "Perhaps you meant to reference the column \"pg_database.datname\".");
  const Error raised =
      session->execute_autocommit("DO $$ BEGIN\n RAISE EXCEPTION 'no way %', 4711 USING HINT = 'the hint'; END $$").error();
  EXPECT_EQ(raised.message, "no way 4711") << "an author's text is no value of the data";
  EXPECT_EQ(raised.hint, "the hint");
  EXPECT_EQ(raised.body_line, 2);
}

TEST_F(PipelineSession, ShowsValuesOnlyOnRequest) {
  const std::vector<std::string> statements{"SELECT '4111111111111111'::text::int", "CREATE ROLE zz PASSWORD 4111111111111111",
                                            "SELECT 'x4111111111111111'::text::date",
                                            "SELECT * FROM missing WHERE 4111111111111111"};
  auto session = open();
  for (const auto& sql : statements) {
    EXPECT_EQ(session->query(sql).error().describe().find("4111111111111111"), std::string::npos) << sql;
  }
  ExecutionSettings settings;
  settings.show_values = true;
  EXPECT_EQ(open(settings)->query(statements[0]).error().message,
            "value \"4111111111111111\" is out of range for type integer");
}

TEST_F(PipelineSession, AnswersEachStatementOfARoundTripOnItsOwn) {
  auto session = open();
  const auto answers = session->query_each({{"SELECT 1", {}, ""}, {"SELECT 1 / 0", {}, ""}, {"SELECT $1::int + 1", {"2"}, ""}});
  ASSERT_TRUE(answers) << answers.error().describe();
  ASSERT_EQ(answers->size(), 3U);
  EXPECT_EQ((*answers)[0]->text(0, 0), "1");
  EXPECT_EQ((*answers)[1].error().sqlstate, "22012");
  EXPECT_EQ((*answers)[2]->text(0, 0), "3") << "an error is nobody else's";
  EXPECT_TRUE(session->query("SELECT 1"));
  ASSERT_TRUE(session->submit(of({"CREATE TABLE afterwards (id int)"})));
  EXPECT_FALSE(session->collect()->error);
}

TEST_F(PipelineSession, TellsAStatementWhoseDeferredConstraintFailsAtItsCommit) {
  database_.run("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);");
  auto session = open();
  const auto answers = session->query_each(
      {{"INSERT INTO c VALUES (1)", {}, ""}, {"INSERT INTO p VALUES (1)", {}, ""}, {"INSERT INTO c VALUES (1)", {}, ""}});
  ASSERT_TRUE(answers) << answers.error().describe();
  EXPECT_EQ((*answers)[0].error().sqlstate, "23503");
  EXPECT_TRUE((*answers)[1]);
  EXPECT_TRUE((*answers)[2]);
  EXPECT_EQ(session->query("INSERT INTO c VALUES (2)").error().sqlstate, "23503");
  EXPECT_EQ(session->query("SELECT count(*) FROM c")->text(0, 0), "1");
}

// What is read under a lock must not be a picture from before the lock was had.
TEST_F(PipelineSession, ReadsInARoundTripWhatWasCommittedBetweenItsStatements) {
  database_.run("CREATE TABLE t (id int); ALTER DATABASE " + database_.name() +
                " SET default_transaction_isolation = 'serializable'");
  auto session = open();
  database_.run("SELECT pg_advisory_lock(7)");
  Result<std::vector<Result<Rows>>> answers = fail(ErrorCode::Internal, "not asked");
  std::thread asking([&] {
    answers =
        session->query_each({{"SELECT count(*), pg_advisory_lock(7) FROM t", {}, ""}, {"SELECT count(*) FROM t", {}, ""}});
  });
  auto other = database_.connect();
  EXPECT_TRUE(database_.wait_until("SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"));
  other.run("INSERT INTO t VALUES (1)");
  database_.run("SELECT pg_advisory_unlock(7)");
  asking.join();
  ASSERT_TRUE(answers) << answers.error().describe();
  EXPECT_EQ((*answers)[0]->text(0, 0), "0");
  EXPECT_EQ((*answers)[1]->text(0, 0), "1");
}

TEST_F(PipelineSession, TellsALostConnectionOfAWholeRoundTrip) {
  auto session = open();
  const auto answers = session->query_each(
      {{"SELECT 1", {}, ""}, {"SELECT pg_terminate_backend(pg_backend_pid())", {}, ""}, {"SELECT 2", {}, ""}});
  ASSERT_FALSE(answers);
  EXPECT_EQ(answers.error().code, ErrorCode::ConnectionLost);
  EXPECT_FALSE(session->alive());
}

TEST_F(PipelineSession, KeepsRowValuesAndSqlTextOutOfErrors) {
  auto session = open();
  database_.run("CREATE TABLE card (number text PRIMARY KEY); INSERT INTO card VALUES ('4111-1111')");
  const auto duplicate = session->query("INSERT INTO card VALUES ('4111-1111')");
  ASSERT_FALSE(duplicate);
  EXPECT_EQ(duplicate.error().sqlstate, "23505");
  EXPECT_EQ(duplicate.error().describe().find("4111"), std::string::npos) << duplicate.error().describe();
  const auto invalid = session->query("SELECT '4111-1111'::integer");
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().describe(), "invalid input syntax for type integer (SQLSTATE 22P02)");
}

TEST_F(PipelineSession, RunsConcurrentStatementsOutsideATransaction) {
  auto session = open();
  database_.run("CREATE TABLE t (id int)");
  EXPECT_TRUE(session->execute_autocommit("CREATE INDEX CONCURRENTLY t_id ON t (id)"));
  EXPECT_EQ(database_.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass"), "t");
}

TEST_F(PipelineSession, AbortsOnTheServerWhenTheClientDies) {
  auto session = open();
  ASSERT_TRUE(session->submit(of({"CREATE TABLE half (id int)", "SELECT pg_sleep(30)"})));
  EXPECT_TRUE(database_.wait_until("SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"));
  session.reset();
  EXPECT_TRUE(database_.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'", 5'000));
  EXPECT_FALSE(database_.has_relation("half"));
}

}  // namespace
}  // namespace athanor
