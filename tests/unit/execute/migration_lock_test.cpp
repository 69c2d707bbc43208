#include "migrations/execute/migration_lock.hpp"

#include "run_scene.hpp"

namespace athanor {
namespace {

using test::rows;

const Rows kHolder = rows({{"4712", "athanor", "alice", "10.1.2.3", "active", "2026-11-21T02:10:00+00:00", ""}});

class MigrationLockTest : public test::RunScene {
 protected:
  void is_held_by_another(int times) {
    for (; times > 0; --times) {
      server.query("pg_try_advisory_lock").answers(rows({{"f"}}));
      server.query("pg_locks").answers(kHolder);
    }
  }
  Result<milliseconds> acquire(milliseconds deadline) {
    session = server.session();
    return MigrationLock::acquire(*session, clock, stop.token(),
                                  {deadline, [this](const auto&, milliseconds waited) { reported.push_back(waited); }});
  }
  std::vector<milliseconds> reported;
};

TEST_F(MigrationLockTest, IsPolledWithLongerPausesUntilItIsFree) {
  is_held_by_another(3);
  server.query("pg_try_advisory_lock").answers(rows({{"t"}}));
  EXPECT_EQ(acquire(milliseconds(10'000)).value(), milliseconds(350));
  EXPECT_EQ(clock.waits, (std::vector<milliseconds>{milliseconds(50), milliseconds(100), milliseconds(200)}));
  EXPECT_EQ(reported.size(), 3U);
}

TEST_F(MigrationLockTest, IsGivenUpAtTheDeadlineExactlyAndNamesTheHolder) {
  is_held_by_another(3);
  const auto waited = acquire(milliseconds(120));
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::LockHeld);
  EXPECT_NE(waited.error().message.find("pid 4712"), std::string::npos);
  EXPECT_EQ(clock.waits, (std::vector<milliseconds>{milliseconds(50), milliseconds(70)}));
}

TEST_F(MigrationLockTest, IsTriedOnceWithoutADeadline) {
  is_held_by_another(1);
  EXPECT_FALSE(acquire(milliseconds(0)));
  EXPECT_TRUE(clock.waits.empty());
}

TEST_F(MigrationLockTest, IsNoLongerWaitedForAfterAStop) {
  is_held_by_another(1);
  stop.request(StopLevel::Graceful);
  const auto waited = acquire(milliseconds(10'000));
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::Interrupted);
}

TEST_F(MigrationLockTest, IsPolledAtLeastOnceASecond) {
  is_held_by_another(8);
  server.query("pg_try_advisory_lock").answers(rows({{"t"}}));
  ASSERT_TRUE(acquire(milliseconds(60'000)));
  EXPECT_EQ(clock.waits.back(), milliseconds(1'000));
}

TEST_F(MigrationLockTest, IsMissedWhenItIsReleased) {
  session = server.session();
  server.query("SELECT pg_catalog.pg_advisory_unlock(1635018866, 1)").answers(rows({{"t"}}));
  EXPECT_TRUE(MigrationLock::release(*session));
  server.query("SELECT pg_catalog.pg_advisory_unlock(1635018866, 1)").answers(rows({{"f"}}));
  EXPECT_FALSE(MigrationLock::release(*session));
}

TEST_F(MigrationLockTest, IsHeldByTheSessionThatTheServerNames) {
  session = server.session();
  server.query("pg_backend_pid()").answers(rows({{"t"}}));
  EXPECT_TRUE(MigrationLock::is_held(*session).value());
  server.query("pg_backend_pid()").answers(rows({{"f"}}));
  EXPECT_FALSE(MigrationLock::is_held(*session).value());
}

}  // namespace
}  // namespace athanor
