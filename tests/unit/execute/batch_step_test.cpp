#include "run_scene.hpp"

namespace athanor {
namespace {

using test::kDefaults;
using test::kGuard;
using test::kLock;
using test::plan_of;
using test::rows;
using test::server_error;

class BatchStep : public test::RunScene {
 protected:
  test::Exchange& books(const std::string& what) {
    return server.transaction({"SET TRANSACTION READ WRITE", kLock, kDefaults, kGuard, what});
  }
  test::Exchange& finds_table() {
    server.query("WITH RECURSIVE base").answers(rows({{"r", "public.t", "t", "pg_catalog.int4", {}, {}, {}}}));
    return books("SELECT s.cursor, s.bound");
  }
  // A key that the server is asked for.
  test::Exchange& asks_for_key(const std::string& part, const std::string& key) {
    auto& question = server.transaction({"'DateStyle'", part});
    return key.empty() ? question : question.answers(part, rows({{key, "t"}}));
  }
  void begins(const std::string& bound) {
    finds_table();
    server.transaction({"IS NULL LIMIT 1"});
    asks_for_key("DESC LIMIT 1) AS keys", bound);
    books("'running'");
  }
  test::Exchange& works(const std::string& range, const std::string& cursor_to) {
    return server
        .transaction({"SET TRANSACTION READ WRITE", kLock, "UPDATE t SET a = 1 WHERE " + range, kDefaults, kGuard,
                      "cursor = $7", "run-1, " + cursor_to})
        .answers("UPDATE t SET a", rows({{}, {}}));
  }
  Result<void> go(const std::string& options = "size=2") {
    run(plan_of({{"r1", "-- athanor:step batch table=t key=id " + options + "\nUPDATE t SET a = 1 WHERE {batch}"}}));
    context->parts.emplace(plan.revisions[0].script->checksum, plan.revisions[0].steps());
    return run_batch_step(*context, 0, 0);
  }
};

TEST_F(BatchStep, WalksFromKeyToKeyUnderTheGuardUpToItsBound) {
  begins("4");
  asks_for_key("LIMIT 2", "2");
  works("(id OPERATOR(pg_catalog.<=) '2'", "2");
  asks_for_key("OPERATOR(pg_catalog.>) '2'", "4");
  works("(id OPERATOR(pg_catalog.>) '2'", "4");
  asks_for_key("OPERATOR(pg_catalog.>) '4'", "");
  books("state = 'complete', cursor = NULL");
  const auto outcome = go();
  ASSERT_TRUE(outcome) << outcome.error().describe();
  EXPECT_EQ(sink.events, (std::vector<std::string>{"batch 2", "batch 4"}));
}

TEST_F(BatchStep, HasTheWholeLockBudgetInEachBatch) {
  begins("4");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2").fails_at("UPDATE t", server_error("55P03"));
  server.roll_back();
  works("(id", "2").meanwhile([&] { clock.advance(milliseconds(900)); });
  asks_for_key("LIMIT 2", "4");
  works("(id", "4").fails_at("UPDATE t", server_error("55P03"));
  server.roll_back();
  works("(id", "4");
  asks_for_key("LIMIT 2", "");
  books("'complete'");
  ASSERT_TRUE(go());
  EXPECT_EQ(report.lock_retries, 2);
}

TEST_F(BatchStep, GoesOnFromItsRowAndMakesItItsOwn) {
  finds_table().answers("SELECT s.cursor, s.bound", rows({{"2", "4", "2", "run-0", "running"}}));
  books("run-0, run-1, 4");
  asks_for_key("OPERATOR(pg_catalog.>) '2'", "4");
  works("(id OPERATOR(pg_catalog.>) '2'", "4");
  asks_for_key("OPERATOR(pg_catalog.>) '4'", "");
  books("'complete'");
  ASSERT_TRUE(go());
  EXPECT_EQ(sink.events, std::vector<std::string>{"batch 4"});
}

TEST_F(BatchStep, RefusesNullKeysBeforeTheFirstRow) {
  finds_table();
  server.transaction({"IS NULL LIMIT 1"}).answers("IS NULL LIMIT 1", rows({{"1"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::StatementFailed);
  EXPECT_NE(outcome.error().message.find("NULL"), std::string::npos);
}

TEST_F(BatchStep, StopsWhereAnotherRunMovedTheCursor) {
  begins("4");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2").fails_at("cursor = $7", server_error("22012"));
  server.roll_back();
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::VersionRowMismatch);
}

TEST_F(BatchStep, StopsWhereTheVersionTableChanged) {
  begins("4");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2").fails_at(kGuard, server_error(std::string(RevisionGuard::kRowsChanged)));
  server.roll_back();
  server.query("SELECT version_num").answers(rows({{"x9"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::VersionRowMismatch);
}

TEST_F(BatchStep, TellsADivisionByZeroOfItsStatementAsItIs) {
  begins("4");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2").fails_at("UPDATE t", server_error("22012", "division by zero"));
  server.roll_back();
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::StatementFailed);
}

TEST_F(BatchStep, RestsAtLeastItsPauseAndNoFasterThanItsRate) {
  begins("2");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2");
  asks_for_key("LIMIT 2", "");
  books("'complete'");
  ASSERT_TRUE(go("size=2 pause=700ms rate=100"));
  EXPECT_EQ(clock.waits, std::vector<milliseconds>{milliseconds(700)});
}

TEST_F(BatchStep, RestsForItsRateLessWhatTheBatchTook) {
  begins("2");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2").meanwhile([&] { clock.advance(milliseconds(300)); });
  asks_for_key("LIMIT 2", "");
  books("'complete'");
  ASSERT_TRUE(go("size=2 pause=100ms rate=2"));
  EXPECT_EQ(clock.waits, std::vector<milliseconds>{milliseconds(700)});
}

TEST_F(BatchStep, StopsBetweenTwoBatches) {
  begins("4");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2").meanwhile([&] { stop.request(StopLevel::Graceful); });
  books("run-1, 2, 2");  // the count of the last batch
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Interrupted);
  EXPECT_NE(outcome.error().message.find("after 2 rows"), std::string::npos);
}

TEST_F(BatchStep, BeginsNoBatchAfterAStop) {
  finds_table();
  server.transaction({"IS NULL LIMIT 1"});
  asks_for_key("DESC LIMIT 1) AS keys", "4");
  books("'running'").meanwhile([&] { stop.request(StopLevel::Graceful); });
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Interrupted);
  EXPECT_NE(outcome.error().message.find("after 0 rows"), std::string::npos);
}

TEST_F(BatchStep, WhoseCommitWasNotAnsweredIsUnknown) {
  begins("4");
  asks_for_key("LIMIT 2", "2");
  works("(id", "2").is_lost();
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::CommitOutcomeUnknown);
}

TEST_F(BatchStep, ChecksHowTheServerReadsTheKeysAroundTheStatement) {
  begins("4");
  server.transaction({"current_setting('client_encoding')", "'DateStyle'", "LIMIT 2"}).answers("LIMIT 2", rows({{"2", "t"}}));
  server
      .transaction({kLock, "current_setting('client_encoding')", "UPDATE t SET a = 1", "current_setting('client_encoding')",
                    kDefaults, "cursor = $7"})
      .fails_at("current_setting('client_encoding')", server_error(std::string(RevisionGuard::kTextMisread)));
  server.roll_back();
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::UnsupportedStatement);
  EXPECT_NE(outcome.error().message.find("changed client_encoding"), std::string::npos);
}

TEST_F(BatchStep, RefusesToSendNullsInKeysThatTheServerWouldReadAsWords) {
  begins("{4,NULL}");
  asks_for_key("LIMIT 2", "{2,NULL}");
  server.transaction({kLock, "current_setting('array_nulls')", "UPDATE t SET a = 1"})
      .fails_at("current_setting('array_nulls')", server_error("22012"));
  server.roll_back();
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::UnsupportedStatement);
  EXPECT_NE(outcome.error().message.find("array_nulls"), std::string::npos);
}

TEST_F(BatchStep, EndsAtOnceOnATableWithoutRows) {
  begins("");
  books("'complete'");
  ASSERT_TRUE(go());
}

}  // namespace
}  // namespace athanor
