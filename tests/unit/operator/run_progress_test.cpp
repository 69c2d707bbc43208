#include "operator/reconcile/run_progress.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

using namespace std::chrono_literals;

class RunProgressTest : public testing::Test {
 protected:
  RunProgressTest() { progress.run_started(*plan); }
  void finish(std::size_t index) { progress.revision_finished(index, plan->revisions[index], 1ms); }

  std::shared_ptr<const Plan> plan = sketch::snapshot(sketch::line())->plan(Direction::Upgrade, {}, {"a3"}).value();
  test::FakeClock clock;
  ReconcileObserver observer;
  Log log;
  std::vector<RunState> reported;
  RunProgress progress{clock, observer, log, [this](const Plan&, const RunState& state) { reported.push_back(state); }};
  Blocker report{4711, "nightly-report", "bob", "", "active", "2026-11-21T02:10:00+00:00", ""};
};

TEST_F(RunProgressTest, PublishesADelayedReportWhileTheServerIsBusy) {
  finish(0);
  EXPECT_EQ(reported.size(), 1U);  // within the same second
  clock.advance(1s);
  progress.working(plan->revisions[1], 1s);
  ASSERT_EQ(reported.size(), 2U);
  EXPECT_EQ(reported.back().progress.done, 1);
  EXPECT_EQ(reported.back().progress.revision, "a2");
  clock.advance(1s);
  progress.working(plan->revisions[1], 2s);
  EXPECT_EQ(reported.size(), 2U) << "nothing is new";
}

TEST_F(RunProgressTest, ReportsImmediatelyWhoHoldsALockAndThatTheWaitIsOver) {
  progress.revision_started(0, plan->revisions[0]);
  progress.blocked(plan->revisions[0], {report}, 800ms);
  ASSERT_EQ(reported.size(), 2U);
  ASSERT_TRUE(reported.back().wait);
  EXPECT_FALSE(reported.back().wait->migration_lock);
  EXPECT_EQ(reported.back().wait->holders.front().pid, 4711);
  progress.revision_started(0, plan->revisions[0]);  // the same revision, tried again
  EXPECT_TRUE(reported.back().wait);
  progress.working(plan->revisions[0], 800ms);
  EXPECT_FALSE(reported.back().wait);
}

TEST_F(RunProgressTest, ReportsWhoHoldsTheMigrationLock) {
  progress.waiting_for_lock({report}, 50ms);
  ASSERT_EQ(reported.size(), 2U);
  EXPECT_TRUE(reported.back().wait->migration_lock);
  clock.advance(1s);
  progress.revision_started(0, plan->revisions[0]);
  EXPECT_FALSE(reported.back().wait);
}

}  // namespace
}  // namespace athanor::controller
