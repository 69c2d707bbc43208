#include "migrations/execute/replica_lag.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "tests/support/fake_clock.hpp"

namespace athanor {
namespace {

// Answers what a test has prepared, one row a question, and keeps what it was asked with.
class ScriptedSession final : public ReadSession {
 public:
  Result<Rows> query(std::string_view, const Parameters& parameters) override {
    asked.push_back(parameters);
    if (answers.empty()) {
      return fail(ErrorCode::ConnectionLost, "the dialogue is over");
    }
    Rows rows;
    rows.rows.emplace_back(answers.front().begin(), answers.front().end());
    answers.pop_front();
    return rows;
  }
  std::deque<std::vector<std::string>> answers;
  std::vector<Parameters> asked;
};

TEST(ReplicaLag, IsNotAskedForWithoutAlimit) {
  test::FakeClock clock;
  ScriptedSession session;
  EXPECT_EQ(ReplicaLag(clock, milliseconds(0)).exceeded(session).value(), std::nullopt);
  EXPECT_TRUE(session.asked.empty());
}

TEST(ReplicaLag, IsWhatTheServerTells) {
  test::FakeClock clock;
  ScriptedSession session;
  session.answers = {{"0/100", "201", "f"}, {"0/200", "200", "f"}};
  ReplicaLag lag(clock, milliseconds(200));
  EXPECT_EQ(lag.exceeded(session).value(), milliseconds(201));
  EXPECT_EQ(lag.exceeded(session).value(), std::nullopt);
}

TEST(ReplicaLag, OfAreplicaThatTellsNoneIsTheAgeOfWhatItHasNotReplayed) {
  test::FakeClock clock;
  ScriptedSession session;
  session.answers = {{"0/100", "0", "f"}, {"0/200", "0", "t"}, {"0/300", "0", "t"}, {"0/400", "0", "f"}, {"0/500", "0", "t"}};
  ReplicaLag lag(clock, milliseconds(200));
  EXPECT_EQ(lag.exceeded(session).value(), std::nullopt);
  EXPECT_EQ(session.asked[0][0], std::nullopt);
  clock.advance(milliseconds(150));
  EXPECT_EQ(lag.exceeded(session).value(), std::nullopt) << "0/100 is not old enough";
  clock.advance(milliseconds(150));
  EXPECT_EQ(lag.exceeded(session).value(), milliseconds(300));
  EXPECT_EQ(session.asked[2][0], "0/100");
  EXPECT_EQ(lag.exceeded(session).value(), std::nullopt) << "0/100 is replayed";
  clock.advance(milliseconds(100));
  EXPECT_EQ(lag.exceeded(session).value(), std::nullopt);
  EXPECT_EQ(session.asked[4][0], "0/400");
}

TEST(ReplicaLag, CannotBeKeptByAroleThatMayNotSeeIt) {
  ScriptedSession session;
  session.answers = {{"app", "f"}, {"app", "t"}};
  const auto blind = ReplicaLag::require_visible(session);
  ASSERT_FALSE(blind);
  EXPECT_EQ(blind.error().code, ErrorCode::InsufficientPrivilege);
  EXPECT_NE(blind.error().message.find("app"), std::string::npos);
  EXPECT_NE(blind.error().hint.find("pg_monitor"), std::string::npos);
  EXPECT_TRUE(ReplicaLag::require_visible(session));
}

}  // namespace
}  // namespace athanor
