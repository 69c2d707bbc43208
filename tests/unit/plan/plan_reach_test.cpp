// Which statement of a plan is the first that reaches beyond its database.
#include "migrations/plan/plan_reach.hpp"

#include "tests/unit/plan/history.hpp"

namespace athanor {
namespace {

std::string first(const std::string& up, const std::string& down, ReachOptions options,
                  Direction operation = Direction::Upgrade) {
  const test::History history({{"a1", "", "-- athanor:upgrade\n" + up + "\n\n-- athanor:downgrade\n" + down + "\n"}});
  const bool upgrade = operation == Direction::Upgrade;
  const auto plan =
      history.plan(operation, upgrade ? std::vector<std::string>{} : std::vector<std::string>{"a1"}, upgrade ? "head" : "base");
  EXPECT_TRUE(plan) << plan.error().describe();
  const auto found = first_far_statement(*plan, options);
  return found ? found->place : std::string();
}

const std::string kServer = "SELECT 1;\nCREATE ROLE r;";
const std::string kOutside = "COPY t TO PROGRAM 'cat';";
const std::string kPlain = "SELECT 1;";

TEST(PlanReach, NamesFileAndLine) {
  EXPECT_EQ(first(kServer, kPlain, {}), "a1_step.sql:8");
  EXPECT_EQ(first(kPlain, kPlain, {}), "");
}

TEST(PlanReach, PassesOverTheServerWhereThatIsThrownAway) {
  EXPECT_EQ(first(kServer, kPlain, {.server = false}), "");
  EXPECT_NE(first(kOutside, kPlain, {.server = false}), "");
}

TEST(PlanReach, CoversTheDowngradesWhereTheyAreRunToo) {
  EXPECT_EQ(first(kPlain, kServer, {}), "");
  EXPECT_NE(first(kPlain, kServer, {.downgrades = true}), "");
  EXPECT_EQ(first(kPlain, kServer, {.server = false, .downgrades = true}), "");
  EXPECT_NE(first(kPlain, kServer, {}, Direction::Downgrade), "");
  EXPECT_EQ(first(kServer, kPlain, {.downgrades = true}, Direction::Downgrade), "");
}

}  // namespace
}  // namespace athanor
