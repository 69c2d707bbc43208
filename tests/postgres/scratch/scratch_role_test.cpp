// Which roles may run a rehearsal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/rehearse/containment.hpp"
#include "tests/postgres/scratch/scratch_scene.hpp"
#include "tests/support/scripted_session.hpp"

namespace athanor::test {
namespace {

using testing::HasSubstr;

// The answer for a scratch server that is the database's own, or another one.
Result<void> check(const schema::ScratchDatabase& copy, const char* own, ScratchRole allowed) {
  Dialogue dialogue;
  dialogue.query("pg_database").answers(rows({{own}}));
  const auto live = dialogue.session();
  return check_scratch_role(*live, copy, allowed);
}

TEST(ScratchRole, ThatCanDoMoreIsAcceptedOnlyElsewhereAndOnlyIfTheServerIsForThat) {
  ScratchScene scene;
  scene.use_running_server();  // as superuser
  const auto server = scene.server();
  const auto copy = server->create();
  ASSERT_TRUE(copy) << copy.error().describe();
  EXPECT_TRUE(check(**copy, "f", ScratchRole::AnyElsewhere));
  const auto elsewhere = check(**copy, "f", ScratchRole::Limited);
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("the role of its URL is a superuser"));
  EXPECT_THAT(elsewhere.error().hint, HasSubstr("athanor.dev/scratch-server"));
  for (const ScratchRole allowed : {ScratchRole::Limited, ScratchRole::AnyElsewhere}) {
    const auto own = check(**copy, "t", allowed);
    ASSERT_FALSE(own);
    EXPECT_THAT(own.error().message, HasSubstr("the scratch server is the database's own"));
  }
}

}  // namespace
}  // namespace athanor::test
