// What an inspection does when the server refuses an answer; facts are tested on real servers.
#include <gtest/gtest.h>

#include "migrations/schema/inspect.hpp"
#include "tests/support/scripted_session.hpp"

namespace athanor::schema {
namespace {

using test::server_error;

// The look that begins is refused at its first question, and its transaction is left.
void refuse(test::Dialogue& dialogue, const std::string& sqlstate) {
  dialogue.query_each({"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", "set_config('search_path', "})
      .answers_each({Rows{}, fail(server_error(sqlstate))});
  dialogue.roll_back();
}

TEST(InspectAgain, RetriesWhenAnObjectIsDroppedMeanwhile) {
  for (const char* state : {"XX000", "42P01", "42704", "42883"}) {
    test::Dialogue dialogue;
    refuse(dialogue, state);
    refuse(dialogue, "42501");
    const auto catalog = inspect(*dialogue.session());
    ASSERT_FALSE(catalog);
    EXPECT_EQ(catalog.error().sqlstate, "42501") << "the second look's, after " << state;
  }
}

TEST(InspectAgain, GivesUpWhenEveryAttemptFails) {
  test::Dialogue dialogue;
  for (int look = 0; look < 10; ++look) {
    refuse(dialogue, "XX000");
  }
  const auto catalog = inspect(*dialogue.session());
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().sqlstate, "XX000");
}

TEST(InspectAgain, DoesNotRetryWhenTheConnectionIsLost) {
  test::Dialogue dialogue;
  dialogue.query_each({"BEGIN", "set_config"}).is_lost();
  const auto catalog = inspect(*dialogue.session());
  ASSERT_FALSE(catalog);
  EXPECT_EQ(catalog.error().code, ErrorCode::ConnectionLost);
}

}  // namespace
}  // namespace athanor::schema
