#include "run_scene.hpp"

namespace athanor {
namespace {

using test::plan_of;
using test::rows;

const Rows kBlocker = rows({{"4712", "psql", "bob", "local socket", "idle in transaction", "2026-11-21T02:10:00+00:00", ""}});

class WhileWaiting : public test::RunScene {
 protected:
  WhileWaiting() {
    settings.execution.stop_grace = milliseconds(5'000);
    observers.observer = &observer;
    run(plan_of({{"r1", "SELECT 1"}}));
    context->running = &plan.revisions[0];
  }
};

TEST_F(WhileWaiting, LetsAStatementRunForTheGracePeriodAfterAStop) {
  EXPECT_FALSE(context->while_waiting(milliseconds(250)));
  stop.request(StopLevel::Graceful);
  EXPECT_FALSE(context->while_waiting(milliseconds(250)));
  clock.advance(milliseconds(4'999));
  EXPECT_FALSE(context->while_waiting(milliseconds(250)));
  clock.advance(milliseconds(1));
  EXPECT_TRUE(context->while_waiting(milliseconds(250)));
}

TEST_F(WhileWaiting, CancelsAtOnceOnTheSecondStop) {
  stop.request(StopLevel::Now);
  EXPECT_TRUE(context->while_waiting(milliseconds(0)));
}

TEST_F(WhileWaiting, AsksWhoBlocksOnceTheWaitIsLong) {
  EXPECT_FALSE(context->while_waiting(milliseconds(749)));
  EXPECT_TRUE(observer.sent.empty());
  observer.query("pg_blocking_pids").answers(kBlocker);
  EXPECT_FALSE(context->while_waiting(milliseconds(750)));
  EXPECT_TRUE(sink.saw("blocked"));
  ASSERT_EQ(report.blockers.size(), 1U);
  EXPECT_EQ(report.blockers[0].pid, 4712);
}

TEST_F(WhileWaiting, KeepsTheLastBlockersWhenNobodyBlocksAnyMore) {
  observer.query("pg_blocking_pids").answers(kBlocker);
  EXPECT_FALSE(context->while_waiting(milliseconds(1'000)));
  observer.query("pg_blocking_pids");
  EXPECT_FALSE(context->while_waiting(milliseconds(2'000)));
  EXPECT_EQ(report.blockers.size(), 1U);
}

TEST_F(WhileWaiting, AsksBeforeAShortLockTimeoutIsOver) {
  settings.execution.lock_timeout = milliseconds(100);
  EXPECT_FALSE(context->while_waiting(milliseconds(25)));
  EXPECT_TRUE(observer.sent.empty());
  observer.query("pg_blocking_pids").answers(kBlocker);
  EXPECT_FALSE(context->while_waiting(milliseconds(50)));
  EXPECT_TRUE(sink.saw("blocked"));
}

TEST_F(WhileWaiting, AsksWheneverItCanAfterALockTimeoutThatNobodyExplained) {
  settings.execution.lock_timeout = milliseconds(100);
  report.lock_retries = 1;
  observer.query("pg_blocking_pids").answers(kBlocker);
  EXPECT_FALSE(context->while_waiting(milliseconds(5)));
  EXPECT_TRUE(sink.saw("blocked"));
}

}  // namespace
}  // namespace athanor
