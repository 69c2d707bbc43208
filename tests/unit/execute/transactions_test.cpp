#include "run_scene.hpp"

namespace athanor {
namespace {

using test::kCloseAll;
using test::kGuard;
using test::kHistory;
using test::kLock;
using test::plan_of;
using test::rows;
using test::server_error;

class Transactions : public test::RunScene {
 protected:
  // The transaction of the revision that makes this table.
  test::Exchange& transaction_of(const std::string& table) {
    return server.transaction({kLock, "alembic_version", "CREATE TABLE " + table, kCloseAll, kGuard, kHistory})
        .answers(kHistory, rows({{"77"}}));
  }
  Result<void> go() { return run_transactions(*context, 0, plan.revisions.size()); }
};

TEST_F(Transactions, AreSentBeforeTheFirstIsAnswered) {
  transaction_of("a");
  transaction_of("b");
  run(plan_of({{"r1", "CREATE TABLE a ()"}, {"r2", "CREATE TABLE b ()"}}));
  ASSERT_TRUE(go());
  ASSERT_EQ(server.sent.size(), 4U);
  EXPECT_TRUE(server.sent[1].starts_with("submit"));
  EXPECT_EQ(server.sent[2], "collect");
  EXPECT_EQ(report.executed.size(), 2U);
  EXPECT_EQ(report.current_heads, std::vector<std::string>{"r2"});
}

TEST_F(Transactions, AreTriedAgainFromTheOneThatMetALock) {
  transaction_of("a");
  transaction_of("b").fails_at("CREATE TABLE b", server_error("55P03"));
  transaction_of("c");
  server.recover();
  transaction_of("b");
  transaction_of("c");
  run(plan_of({{"r1", "CREATE TABLE a ()"}, {"r2", "CREATE TABLE b ()"}, {"r3", "CREATE TABLE c ()"}}));
  ASSERT_TRUE(go());
  EXPECT_EQ(report.executed.size(), 3U);
  EXPECT_EQ(report.lock_retries, 1);
  EXPECT_TRUE(sink.saw("retrying 1 55P03"));
}

TEST_F(Transactions, HaveTheWholeLockBudgetAgainAfterEachSuccess) {
  transaction_of("a").fails_at("CREATE TABLE a", server_error("55P03"));
  transaction_of("b");
  server.recover();
  transaction_of("a").meanwhile([&] { clock.advance(milliseconds(900)); });
  transaction_of("b").fails_at("CREATE TABLE b", server_error("55P03"));
  server.recover();
  transaction_of("b");
  run(plan_of({{"r1", "CREATE TABLE a ()"}, {"r2", "CREATE TABLE b ()"}}));
  ASSERT_TRUE(go());
  EXPECT_EQ(clock.waits, (std::vector<milliseconds>{milliseconds(250), milliseconds(250)}));
}

TEST_F(Transactions, EndWithTheBudgetAndSayThatItWasALock) {
  settings.execution.lock_retry_budget = milliseconds(0);
  transaction_of("a").fails_at("CREATE TABLE a", server_error("55P03"));
  server.recover();
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message.find("could not obtain a lock"), std::string::npos);
  EXPECT_EQ(outcome.error().context, "r1.sql:7");
  EXPECT_EQ(report.failed_revision, "r1");
  EXPECT_EQ(report.failed_line, 7);
}

TEST_F(Transactions, WhoseCommitWasNotAnsweredAreUnknownAndNameTheirId) {
  transaction_of("a").is_lost();
  transaction_of("b");
  run(plan_of({{"r1", "CREATE TABLE a ()"}, {"r2", "CREATE TABLE b ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::CommitOutcomeUnknown);
  EXPECT_EQ(context->lost_transaction, "77");
  EXPECT_TRUE(report.executed.empty());
}

TEST_F(Transactions, LostBeforeTheirAnswersAreUnknownWithoutAnId) {
  transaction_of("a").is_lost(false);
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::CommitOutcomeUnknown);
  EXPECT_EQ(context->lost_transaction, "");
}

TEST_F(Transactions, AreSentAgainOnceWhenTheSessionWasNotClean) {
  const auto dirty = server_error(std::string(RevisionGuard::kSessionDirty));
  transaction_of("a").fails_at(kLock, dirty);
  server.recover();
  transaction_of("a").fails_at(kLock, dirty);
  server.recover();
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().sqlstate, RevisionGuard::kSessionDirty);
  EXPECT_EQ(report.lock_retries, 0);
}

// The first look asks pg_class alone, which cannot tell a change of owner that the migrator may trust.
TEST_F(Transactions, AreLookedAtCloselyBeforeARevisionIsBlamedForOurTables) {
  const auto changed = server_error(std::string(RevisionGuard::kTablesChanged));
  transaction_of("a").without("pg_has_role").fails_at(kGuard, changed);
  transaction_of("b");
  server.recover();
  server.transaction({"CREATE TABLE a", "pg_has_role", kHistory}).answers(kHistory, rows({{"77"}}));
  server.transaction({"CREATE TABLE b", "pg_has_role", kHistory}).fails_at(kGuard, changed);
  server.recover();
  run(plan_of({{"r1", "CREATE TABLE a ()"}, {"r2", "CREATE TABLE b ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::BookkeepingChanged);
  EXPECT_EQ(report.executed.size(), 1U);
}

TEST_F(Transactions, AreSentAloneAndUnpreparedWhenTheyDropOurPreparedStatements) {
  transaction_of("a").fails_at(kHistory, server_error("26000"));
  transaction_of("b");
  server.recover();
  server.transaction({kLock, "CREATE TABLE a", "DEALLOCATE ALL", kGuard, kHistory});
  server.recover();
  transaction_of("b").without("DEALLOCATE ALL");
  run(plan_of({{"r1", "CREATE TABLE a ()"}, {"r2", "CREATE TABLE b ()"}}));
  ASSERT_TRUE(go());
  EXPECT_EQ(report.executed.size(), 2U);
}

TEST_F(Transactions, WhoseOwnStatementMissesAPreparedOneHaveFailed) {
  server.transaction({kLock, "EXECUTE gone", kGuard}).fails_at("EXECUTE gone", server_error("26000"));
  server.recover();
  run(plan_of({{"r1", "EXECUTE gone"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().sqlstate, "26000");
  EXPECT_EQ(report.failed_line, 7);
}

TEST_F(Transactions, AreNotSentAfterAStop) {
  stop.request(StopLevel::Graceful);
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Interrupted);
  EXPECT_TRUE(server.sent.empty());
}

TEST_F(Transactions, AreNotTriedAgainAfterAStop) {
  transaction_of("a").fails_at("CREATE TABLE a", server_error("55P03")).meanwhile([&] { stop.request(StopLevel::Graceful); });
  server.recover();
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::Interrupted);
  EXPECT_FALSE(sink.saw("retrying 1 55P03"));
}

TEST_F(Transactions, OfAStampAreOne) {
  Plan stamp = plan_of({{"r1", "SELECT 1"}, {"r2", "SELECT 1"}});
  stamp.operation = Direction::Stamp;
  for (auto& revision : stamp.revisions) {
    revision.walk.revision.reset();
    revision.script.reset();
  }
  server.transaction({kLock, "INSERT INTO app.alembic_version", kLock, "UPDATE ONLY app.alembic_version", kHistory, kHistory});
  run(std::move(stamp));
  ASSERT_TRUE(go());
  EXPECT_EQ(report.executed.size(), 2U);
}

TEST_F(Transactions, TellAChangedVersionRowFromAFailingStatement) {
  const auto zero = server_error("22012", "division by zero");
  transaction_of("a").fails_at("alembic_version", zero);
  server.recover();
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto by_guard = go();
  ASSERT_FALSE(by_guard);
  EXPECT_EQ(by_guard.error().code, ErrorCode::VersionRowMismatch);

  server.transaction({kLock, "SELECT 1 / 0", kGuard}).fails_at("SELECT 1 / 0", zero);
  server.recover();
  run(plan_of({{"r1", "SELECT 1 / 0"}}));
  const auto by_statement = go();
  ASSERT_FALSE(by_statement);
  EXPECT_EQ(by_statement.error().code, ErrorCode::StatementFailed);
}

TEST_F(Transactions, NameTheRowsThatAnotherToolWroteMeanwhile) {
  transaction_of("a").fails_at(kGuard, server_error(std::string(RevisionGuard::kRowsChanged)));
  server.recover();
  server.query("SELECT version_num::pg_catalog.text FROM ONLY app.alembic_version").answers(rows({{"x9"}}));
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::VersionRowMismatch);
}

TEST_F(Transactions, BlameTheRevisionForRowsThatNobodyElseWrote) {
  transaction_of("a").fails_at(kGuard, server_error(std::string(RevisionGuard::kRowsChanged)));
  server.recover();
  server.query("SELECT version_num::pg_catalog.text FROM ONLY app.alembic_version");
  run(plan_of({{"r1", "CREATE TABLE a ()"}}));
  const auto outcome = go();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::BookkeepingChanged);
}

}  // namespace
}  // namespace athanor
