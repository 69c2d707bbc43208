#include "migrations/execute/migration_lock.hpp"
#include "migrations/execute/recovery.hpp"
#include "run_scene.hpp"

namespace athanor {
namespace {

using test::rows;
using test::server_error;

class LostRun : public test::RunScene {
 protected:
  LostRun() { settings.execution.lock_wait = milliseconds(10'000); }
  void takes_lock() { server.query("pg_try_advisory_lock").answers(rows({{"t"}})); }
  void tells_state() {
    server.query("SELECT version_num").answers(rows({{"r2"}}));
    server.query("run-1").answers(rows({{"r1"}, {"r2"}}));
  }
  Result<ResolvedRun> resolve(const std::string& transaction = "") {
    const std::string id = "run-1";
    return resolve_lost_run({settings, versions, ledger, id, transaction}, factory, clock, stop.token(), session);
  }
  test::ScriptedFactory factory;
};

TEST_F(LostRun, IsJudgedByTheLedgerUnderTheLock) {
  factory.then(server);
  takes_lock();
  tells_state();
  const auto found = resolve();
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_EQ(found->current_heads, std::vector<std::string>{"r2"});
  EXPECT_EQ(found->committed, (std::set<std::string>{"r1", "r2"}));
  EXPECT_EQ(found->transaction_committed, std::nullopt);
  EXPECT_TRUE(session);
}

TEST_F(LostRun, DoesNotCountFailuresAsCommitted) {
  factory.then(server);
  takes_lock();
  server.query("SELECT version_num");
  server.query("outcome OPERATOR(pg_catalog.<>) 'failed'");
  ASSERT_TRUE(resolve());
}

TEST_F(LostRun, ConnectsAgainWhileTheServerIsAway) {
  const Error away(ErrorCode::DatabaseUnreachable, "starting up");
  ASSERT_EQ(away.retry, RetryClass::Transient);
  factory.then(away);
  factory.then(away);
  factory.then(server);
  takes_lock();
  tells_state();
  ASSERT_TRUE(resolve());
  EXPECT_EQ(clock.waits, (std::vector<milliseconds>{milliseconds(100), milliseconds(200)}));
}

TEST_F(LostRun, DoesNotConnectAgainAfterAnErrorThatStays) {
  factory.then(Error(ErrorCode::AuthenticationFailed, "no").with_retry(RetryClass::Terminal));
  const auto found = resolve();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::AuthenticationFailed);
  EXPECT_EQ(factory.opened, 1);
  EXPECT_TRUE(clock.waits.empty());
}

TEST_F(LostRun, GivesUpAfterTheTimeThatTheLockMayBeWaitedFor) {
  settings.execution.lock_wait = milliseconds(250);
  const Error away(ErrorCode::DatabaseUnreachable, "no");
  factory.then(away);
  factory.then(away);
  EXPECT_FALSE(resolve());
  EXPECT_EQ(factory.opened, 2);
}

TEST_F(LostRun, WaitsForATransactionInProgress) {
  factory.then(server);
  server.query("pg_xact_status($1::pg_catalog.xid8) [77]").answers(rows({{"in progress"}}));
  server.query("pg_xact_status").answers(rows({{"committed"}}));
  takes_lock();
  tells_state();
  const auto found = resolve("77");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->transaction_committed, true);
  EXPECT_EQ(clock.waits, std::vector<milliseconds>{milliseconds(200)});
}

TEST_F(LostRun, TellsARollback) {
  factory.then(server);
  server.query("pg_xact_status").answers(rows({{"aborted"}}));
  takes_lock();
  tells_state();
  EXPECT_EQ(resolve("77")->transaction_committed, false);
}

TEST_F(LostRun, LeavesTheTransactionUnknownWhenTheServerCannotTell) {
  factory.then(server);
  server.query("pg_xact_status").fails(server_error("22023"));
  takes_lock();
  tells_state();
  const auto found = resolve("77");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->transaction_committed, std::nullopt);
}

TEST_F(LostRun, IsNotJudgedWhileTheOldSessionHoldsTheLock) {
  settings.execution.lock_wait = milliseconds(0);
  factory.then(server);
  server.query("pg_try_advisory_lock").answers(rows({{"f"}}));
  server.query("pg_locks");
  const auto found = resolve();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::LockHeld);
}

}  // namespace
}  // namespace athanor
