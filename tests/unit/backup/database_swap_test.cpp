#include "migrations/backup/database_swap.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/support/scripted_session.hpp"

namespace athanor {
namespace {

using test::rows;
using test::server_error;

class DatabaseSwapTest : public testing::Test {
 protected:
  void holder_asks_for_lock(bool held) { holder.query("pg_backend_pid()").answers(rows({{held ? "t" : "f"}})); }
  // Up to the moment when nobody can come in any more and nobody else is left.
  void closes_the_door() {
    server.query("pg_database WHERE datname = $1 [app_before_");
    holder_asks_for_lock(true);
    server.autocommit("ALTER DATABASE app ALLOW_CONNECTIONS false");
    server.query("pg_terminate_backend(pid)").answers(rows({{"t"}}));
    server.query("pid <> $2::int");
  }
  test::Exchange& swaps() {
    server.query("pid <> pg_backend_pid()");
    return server.transaction({"RENAME TO app_before_", "ALTER DATABASE fresh RENAME TO app", "ALLOW_CONNECTIONS true"});
  }
  Result<std::string> replace() {
    const auto session = server.session();
    return DatabaseSwap(*session, clock).replace("app", "fresh", holder.session());
  }

  test::FakeClock clock;
  test::Dialogue server;
  test::Dialogue holder;
};

TEST_F(DatabaseSwapTest, ExchangesTheNamesOnceNobodyElseIsLeft) {
  closes_the_door();
  holder_asks_for_lock(true);
  swaps();
  const auto previous = replace();
  ASSERT_TRUE(previous) << previous.error().describe();
  EXPECT_TRUE(previous->starts_with("app_before_"));
  EXPECT_EQ(holder.sent.back(), "close");
}

TEST_F(DatabaseSwapTest, ClosesNothingWhenTheLockIsLostAlready) {
  server.query("pg_database WHERE datname = $1");
  holder_asks_for_lock(false);
  const auto previous = replace();
  ASSERT_FALSE(previous);
  EXPECT_EQ(previous.error().code, ErrorCode::ConnectionLost);
}

TEST_F(DatabaseSwapTest, ExchangesNothingWhenTheLockWasLostWhileOthersWereSentAway) {
  closes_the_door();
  holder_asks_for_lock(false);
  server.autocommit("ALTER DATABASE app ALLOW_CONNECTIONS true");
  const auto previous = replace();
  ASSERT_FALSE(previous);
  EXPECT_EQ(previous.error().code, ErrorCode::ConnectionLost);
}

TEST_F(DatabaseSwapTest, TriesAgainWhileTheDatabaseIsInUse) {
  closes_the_door();
  holder_asks_for_lock(true);
  swaps().fails_at("RENAME TO app_before_", server_error("55006"));
  server.recover();
  swaps();
  EXPECT_TRUE(replace());
  EXPECT_FALSE(clock.waits.empty());
}

TEST_F(DatabaseSwapTest, OpensTheOldDatabaseAgainWhenTheSwapFails) {
  closes_the_door();
  holder_asks_for_lock(true);
  swaps().fails_at("RENAME TO app_before_", server_error("42501"));
  server.recover();
  server.autocommit("ALTER DATABASE app ALLOW_CONNECTIONS true");
  const auto previous = replace();
  ASSERT_FALSE(previous);
  EXPECT_EQ(previous.error().sqlstate, "42501");
}

TEST_F(DatabaseSwapTest, SaysHowToOpenTheOldDatabaseWhenThatFailsToo) {
  closes_the_door();
  holder_asks_for_lock(true);
  swaps().fails_at("RENAME TO app_before_", server_error("42501"));
  server.recover();
  server.autocommit("ALTER DATABASE app ALLOW_CONNECTIONS true").fails(server_error("42501"));
  const auto previous = replace();
  ASSERT_FALSE(previous);
  EXPECT_NE(previous.error().hint.find("ALTER DATABASE app ALLOW_CONNECTIONS true"), std::string::npos);
}

}  // namespace
}  // namespace athanor
