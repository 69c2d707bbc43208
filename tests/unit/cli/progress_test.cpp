#include "migrations/cli/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_clock.hpp"

namespace athanor::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

PlannedRevision planned(std::string id, std::string parent, std::string message) {
  PlannedRevision revision;
  revision.walk.direction = Direction::Upgrade;
  revision.walk.revision = id;
  if (!parent.empty()) {
    revision.walk.from = {parent};
    revision.down = {std::move(parent)};
  }
  revision.walk.to = {std::move(id)};
  revision.message = std::move(message);
  return revision;
}

struct Scene {
  std::string out;
  std::string err;
  Output output{[this](std::string_view text) { out += text; }, [this](std::string_view text) { err += text; }};
  test::FakeClock clock;
};

const Blocker kPsql{4711, "psql", "alice", "10.0.0.7", "idle in transaction", "2026-11-21T02:10:00+00:00", "SELECT $1"};

TEST(LineProgress, WritesOneLinePerRevision) {
  Scene scene;
  LineProgress progress(scene.output, scene.clock);
  Plan plan;
  plan.revisions = {planned("b", "a", "Add email")};
  progress.run_started(plan);
  progress.revision_started(0, plan.revisions[0]);
  progress.revision_finished(0, plan.revisions[0], milliseconds(12));
  EXPECT_EQ(scene.err, "Running upgrade a -> b, Add email (12 ms)\n");
  EXPECT_EQ(scene.out, "");
}

TEST(LineProgress, NamesTheHolderOfALockAtOnceAndThenRarely) {
  Scene scene;
  LineProgress progress(scene.output, scene.clock);
  progress.waiting_for_lock({kPsql}, milliseconds(0));
  EXPECT_EQ(scene.err,
            "Waiting for the migration lock, held by pid 4711 (psql, alice@10.0.0.7, idle in transaction, since "
            "2026-11-21T02:10:00+00:00, SELECT $1) (0 ms)\n");
  scene.err.clear();
  scene.clock.advance(milliseconds(1'000));
  progress.waiting_for_lock({kPsql}, milliseconds(1'000));
  EXPECT_EQ(scene.err, "");
  scene.clock.advance(milliseconds(4'000));
  progress.waiting_for_lock({kPsql}, milliseconds(5'000));
  EXPECT_THAT(scene.err, HasSubstr("(5.0 s)"));
}

TEST(LineProgress, TellsEveryRetry) {
  Scene scene;
  LineProgress progress(scene.output, scene.clock);
  progress.retrying(planned("b", "a", "Add email"), Error(ErrorCode::LockTimeout, "lock timeout").with_sqlstate("55P03"), 1,
                    milliseconds(2'000));
  EXPECT_EQ(scene.err, "Revision b, Add email: lock timeout (SQLSTATE 55P03); attempt 2 in 2.0 s\n");
}

TEST(BarProgress, RedrawsOneLineAndLeavesNothingBehind) {
  Scene scene;
  BarProgress progress(scene.output, scene.clock, 60);
  Plan plan;
  plan.revisions = {planned("b", "a", "Add email"), planned("c", "b", "Drop login")};
  progress.run_started(plan);
  EXPECT_EQ(scene.err, "\r\x1b[2K[........................] 0/2  (0 ms)");
  scene.clock.advance(milliseconds(60));
  progress.revision_started(0, plan.revisions[0]);
  progress.revision_finished(0, plan.revisions[0], milliseconds(60));
  scene.clock.advance(milliseconds(60));
  progress.revision_started(1, plan.revisions[1]);
  EXPECT_THAT(scene.err, HasSubstr("[############............] 1/2 c, Drop login (120 ms)"));
  progress.run_finished({});
  EXPECT_TRUE(scene.err.ends_with("\r\x1b[2K")) << scene.err;
  EXPECT_THAT(scene.err, Not(HasSubstr("\n")));
}

TEST(BarProgress, DoesNotDrawMoreOftenThanEyesSee) {
  Scene scene;
  BarProgress progress(scene.output, scene.clock, 80);
  Plan plan;
  for (int i = 0; i < 1'000; ++i) {
    plan.revisions.push_back(planned(std::to_string(i), "", "m"));
  }
  progress.run_started(plan);
  const std::size_t before = scene.err.size();
  for (std::size_t i = 0; i < plan.revisions.size(); ++i) {
    progress.revision_started(i, plan.revisions[i]);
    progress.revision_finished(i, plan.revisions[i], milliseconds(0));
  }
  EXPECT_EQ(scene.err.size(), before);
}

TEST(BarProgress, NamesARevisionAsSoonAsItStarts) {
  Scene scene;
  BarProgress progress(scene.output, scene.clock, 80);
  Plan plan;
  plan.revisions = {planned("b", "a", "m"), planned("c", "b", "rewrite everything")};
  progress.run_started(plan);
  progress.revision_started(0, plan.revisions[0]);
  progress.revision_finished(0, plan.revisions[0], milliseconds(0));
  progress.revision_started(1, plan.revisions[1]);
  EXPECT_TRUE(scene.err.ends_with("1/2 c, rewrite everything (0 ms)")) << scene.err;
}

TEST(BarProgress, NeverWrapsTheLine) {
  Scene scene;
  BarProgress progress(scene.output, scene.clock, 60);
  Plan plan;
  plan.revisions = {planned("b", "a", std::string(300, 'x') + "\nsecond line")};
  progress.run_started(plan);
  scene.clock.advance(milliseconds(60));
  scene.err.clear();
  progress.revision_started(0, plan.revisions[0]);
  EXPECT_LE(scene.err.size(), std::string("\r\x1b[2K").size() + 59);
}

TEST(BarProgress, MovesOutOfTheWayOfAMessage) {
  Scene scene;
  BarProgress progress(scene.output, scene.clock, 80);
  Plan plan;
  plan.revisions = {planned("b", "a", "m")};
  progress.run_started(plan);
  scene.err.clear();
  progress.blocked(plan.revisions[0], {kPsql}, milliseconds(500));
  EXPECT_TRUE(scene.err.starts_with("\r\x1b[2KRevision b, m waits for a lock held by pid 4711")) << scene.err;
  EXPECT_TRUE(scene.err.ends_with("\n"));
}

TEST(Progress, SaysNothingWhenQuietOrJson) {
  for (const OutputStyle style : {OutputStyle{.quiet = true}, OutputStyle{.json = true}}) {
    Scene scene;
    scene.output.set_style(style);
    const auto progress = make_progress(scene.output, scene.clock, true, 80);
    Plan plan;
    plan.revisions = {planned("b", "a", "m")};
    progress->run_started(plan);
    progress->waiting_for_lock({kPsql}, milliseconds(0));
    progress->revision_finished(0, plan.revisions[0], milliseconds(1));
    EXPECT_EQ(scene.err, "");
  }
}

TEST(Progress, WritesDurationsAsPeopleDo) {
  EXPECT_EQ(duration_text(milliseconds(0)), "0 ms");
  EXPECT_EQ(duration_text(milliseconds(999)), "999 ms");
  EXPECT_EQ(duration_text(milliseconds(3'450)), "3.4 s");
  EXPECT_EQ(duration_text(milliseconds(312'000)), "5 min 12 s");
}

}  // namespace
}  // namespace athanor::cli
