#include <gtest/gtest.h>

#include "tests/unit/plan/history.hpp"

namespace athanor {
namespace {

using test::History;
using test::small_history;

std::vector<std::string> ids(const Plan& plan) {
  std::vector<std::string> all;
  for (const auto& revision : plan.revisions) {
    all.push_back(revision.walk.revision.value_or("(stamp)"));
  }
  return all;
}

// Counts reads, so that a test can say which bodies were opened.
class CountingSource final : public RevisionSource {
 public:
  explicit CountingSource(const RevisionSource& inner) : inner_(inner) {}
  [[nodiscard]] Result<std::vector<Revision>> list() const override { return inner_.list(); }
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override {
    reads.push_back(revision.id);
    return inner_.read(revision);
  }
  mutable std::vector<std::string> reads;

 private:
  const RevisionSource& inner_;
};

TEST(Planner, AnUpgradeCarriesBodiesRowsAndMessages) {
  const auto history = small_history();
  const auto plan = history.plan(Direction::Upgrade, {}, "bbb2");
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_EQ(ids(*plan), (std::vector<std::string>{"aaa1", "bbb2"}));
  EXPECT_EQ(plan->to, std::vector<std::string>{"bbb2"});
  EXPECT_EQ(plan->revisions[0].message, "Step aaa1");
  EXPECT_TRUE(plan->revisions[0].single_transaction());
  EXPECT_EQ(plan->revisions[0].steps().size(), 1U);
  EXPECT_FALSE(plan->revisions[1].single_transaction());
  EXPECT_EQ(plan->revisions[1].down, std::vector<std::string>{"aaa1"});
}

TEST(Planner, ADowngradeRunsTheOtherSection) {
  const auto history = small_history();
  const auto plan = history.plan(Direction::Downgrade, {"aaa1"}, "base");
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_EQ(plan->revisions.at(0).steps().at(0).statements.at(0).sql, "DROP TABLE users");
  EXPECT_TRUE(plan->to.empty());
}

TEST(Planner, OnlyBodiesOfTheStepsAreRead) {
  const auto history = small_history();
  const CountingSource source(history.source());
  ASSERT_TRUE(make_plan(history.graph(), source, Direction::Upgrade, {"aaa1"}, {"bbb2"}));
  EXPECT_EQ(source.reads, std::vector<std::string>{"bbb2"});
  source.reads.clear();
  ASSERT_TRUE(make_walk(history.graph(), Direction::Upgrade, {}, {"heads"}));
  ASSERT_TRUE(make_plan(history.graph(), source, Direction::Stamp, {}, {"heads"}));
  EXPECT_TRUE(source.reads.empty());
}

TEST(Planner, AStampHasNoScripts) {
  const auto history = small_history();
  const auto plan = history.plan(Direction::Stamp, {}, "eee5");
  ASSERT_TRUE(plan) << plan.error().describe();
  ASSERT_EQ(plan->revisions.size(), 1U);
  EXPECT_EQ(plan->revisions[0].script, nullptr);
  EXPECT_TRUE(plan->revisions[0].steps().empty());
  EXPECT_TRUE(plan->revisions[0].single_transaction());
  EXPECT_EQ(plan->to, std::vector<std::string>{"eee5"});
}

TEST(Planner, NothingToDoIsAnEmptyPlanWithAHash) {
  const auto history = small_history();
  const auto plan = history.plan(Direction::Upgrade, {"eee5"}, "heads");
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_TRUE(plan->empty());
  EXPECT_EQ(plan->to, std::vector<std::string>{"eee5"});
  EXPECT_EQ(plan->hash.size(), 64U);
}

TEST(Planner, UpgradeAndDowngradeTakeOneTarget) {
  const auto history = small_history();
  for (const auto direction : {Direction::Upgrade, Direction::Downgrade}) {
    for (const std::vector<std::string>& targets : {std::vector<std::string>{}, {"aaa1", "bbb2"}}) {
      const auto walk = make_walk(history.graph(), direction, {}, targets);
      ASSERT_FALSE(walk);
      EXPECT_EQ(walk.error().code, ErrorCode::Usage);
    }
  }
}

TEST(Planner, AnIrreversibleRevisionStopsTheDowngradeBeforeAnythingRuns) {
  const History history({{"aaa1", "", "-- athanor:upgrade\nDELETE FROM t;\n-- athanor:irreversible the rows are gone\n"},
                         {"bbb2", "aaa1", "-- athanor:upgrade\n-- athanor:downgrade\n"}});
  const auto plan = history.plan(Direction::Downgrade, {"bbb2"}, "base");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::Irreversible);
  EXPECT_EQ(plan.error().message, "revision aaa1 cannot be undone: the rows are gone");
  EXPECT_TRUE(history.plan(Direction::Downgrade, {"bbb2"}, "aaa1"));
  EXPECT_TRUE(history.plan(Direction::Upgrade, {}, "head"));
}

TEST(Planner, AMissingDowngradeSectionIsAnErrorAndAnEmptyOneIsNot) {
  const History history({{"aaa1", "", "-- athanor:upgrade\nSELECT 1;\n"}, {"bbb2", "aaa1", "-- athanor:downgrade\n"}});
  const auto plan = history.plan(Direction::Downgrade, {"bbb2"}, "base");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::Irreversible);
  EXPECT_EQ(plan.error().message, "revision aaa1 cannot be undone: its file has no downgrade section");
  EXPECT_NE(plan.error().context.find("aaa1_step.sql"), std::string::npos);
  EXPECT_TRUE(history.plan(Direction::Downgrade, {"bbb2"}, "aaa1"));
}

TEST(Planner, AMalformedBodyInTheMiddleFailsTheWholePlan) {
  const History history({{"aaa1", "", "-- athanor:upgrade\nSELECT 1;\n"}, {"bbb2", "aaa1", "-- athanor:upgrade\nCOMMIT;\n"}});
  const auto plan = history.plan(Direction::Upgrade, {}, "head");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::UnsupportedStatement);
}

TEST(PlanHash, IsTheSameOnEveryMachine) {
  const auto history = small_history();
  const auto hash = [&](Direction direction, const std::vector<std::string>& from, const std::string& target) {
    const auto plan = history.plan(direction, from, target);
    return plan ? plan->hash : plan.error().describe();
  };
  // Approvals name these: a release that changes one breaks every approval that waits.
  EXPECT_EQ(hash(Direction::Upgrade, {}, "eee5"), "66c7ee71eb046288dd7eeea160adbba4e58ba067c13d6989aa87e7e6e722682c");
  EXPECT_EQ(hash(Direction::Downgrade, {"bbb2"}, "base"), "1d7ec008fe49d1fbe2bd39540772e3b4b5c5aaabb48c67be9165493fd07f0a3a");
  EXPECT_EQ(hash(Direction::Stamp, {"aaa1"}, "eee5"), "1b9dee8a354958b50a6d499d97ffedf1dd3a90575e8a7e87fa0211e54cc98fab");
  EXPECT_EQ(hash(Direction::Upgrade, {"eee5"}, "head"), "17b0d6191b6548c7dd8c7f70d9127954475c98c09482788ffa76175bd0f590a2");
}

TEST(PlanHash, CoversWhatWouldBeDoneAndNothingElse) {
  const auto history = small_history();
  const auto base = history.plan(Direction::Upgrade, {"ccc3", "ddd4"}, "eee5");
  const auto turned = history.plan(Direction::Upgrade, {"ddd4", "ccc3"}, "head");
  ASSERT_TRUE(base && turned);
  EXPECT_EQ(base->hash, turned->hash) << "the order of rows and the spelling of the target do not matter";
  EXPECT_NE(base->hash, history.plan(Direction::Upgrade, {"bbb2"}, "eee5")->hash);
  EXPECT_NE(history.plan(Direction::Upgrade, {"eee5"}, "eee5")->hash, history.plan(Direction::Stamp, {"eee5"}, "eee5")->hash);
  const History one({{"aaa1", "", "-- athanor:upgrade\nSELECT 1;\n"}});
  const History two({{"aaa1", "", "-- athanor:upgrade\nSELECT 2;\n"}});
  EXPECT_NE(one.plan(Direction::Upgrade, {}, "head")->hash, two.plan(Direction::Upgrade, {}, "head")->hash);
}

}  // namespace
}  // namespace athanor
