// Steps and row operations.
#include <gmock/gmock.h>

#include "migrations/graph/walk.hpp"
#include "tests/unit/graph/sketch.hpp"

namespace athanor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = RowOperation::Kind;
using Operations = std::vector<RowOperation>;

RevisionGraph diamond() {
  return graph(
      {revision("base"), revision("left", {"base"}), revision("right", {"base"}), revision("join", {"left", "right"})});
}

TEST(Upgrade, InsertsTheFirstRowAndUpdatesItAlongALine) {
  const auto walk = upgrade_walk(graph(line(2)), {}, "head");
  ASSERT_TRUE(walk);
  ASSERT_EQ(walk->steps.size(), 2U);
  EXPECT_EQ(walk->steps[0].operations, (Operations{{Kind::Insert, "", "r000000"}}));
  EXPECT_EQ(walk->steps[1].operations, (Operations{{Kind::Update, "r000000", "r000001"}}));
  EXPECT_THAT(walk->steps[1].from, ElementsAre("r000000"));
  EXPECT_THAT(walk->steps[1].to, ElementsAre("r000001"));
  EXPECT_EQ(walk->steps[1].direction, Direction::Upgrade);
}

TEST(Upgrade, InsertsARowAtABranchAndDropsItAtTheMerge) {
  const auto walk = upgrade_walk(diamond(), {}, "head");
  ASSERT_TRUE(walk);
  EXPECT_THAT(revisions_of(*walk), ElementsAre("base", "right", "left", "join"));
  EXPECT_EQ(walk->steps[2].operations, (Operations{{Kind::Insert, "", "left"}}));
  EXPECT_EQ(walk->steps[3].operations, (Operations{{Kind::Delete, "left", ""}, {Kind::Update, "right", "join"}}));
  EXPECT_THAT(walk->steps[2].heads, ElementsAre("left", "right"));
  EXPECT_THAT(walk->steps[3].heads, ElementsAre("join"));
}

TEST(Upgrade, RunsDependenciesFirst) {
  const RevisionGraph built = graph({revision("a1"), revision("a2", {"a1"}), revision("b1", {}, {"a2"})});
  const auto walk = upgrade_walk(built, {}, "b1");
  ASSERT_TRUE(walk);
  EXPECT_THAT(revisions_of(*walk), ElementsAre("a1", "a2", "b1"));
  EXPECT_THAT(walk->steps.back().heads, ElementsAre("b1"));
}

TEST(Upgrade, HasNothingToDoForAnOlderTargetOrTheBaseOfABranch) {
  const RevisionGraph built = graph({revision("a", {}, {}, {"x"}), revision("b", {"a"}), revision("c", {"b"})});
  EXPECT_THAT(upgrade_walk(built, {"c"}, "a")->steps, IsEmpty());
  EXPECT_THAT(upgrade_walk(built, {"c"}, "head")->steps, IsEmpty());
  EXPECT_THAT(upgrade_walk(built, {}, "x@base")->steps, IsEmpty());
}

TEST(Upgrade, RefusesAMergeWhoseParentHasNoRowOfItsOwn) {
  // "join" follows both "left" and "right", and "right" needs "left" as well: when "join" comes, "left" has no row to delete.
  const RevisionGraph built = graph({revision("base"), revision("left", {"base"}), revision("right", {"base"}, {"left"}),
                                     revision("other", {"base"}), revision("join", {"left", "right", "other"})});
  const auto walk = upgrade_walk(built, {}, "join");
  ASSERT_FALSE(walk);
  EXPECT_EQ(walk.error().code, ErrorCode::VersionRowMismatch);
  EXPECT_EQ(walk.error().retry, RetryClass::Terminal);
  EXPECT_NE(walk.error().message.find("'left'"), std::string::npos) << walk.error().message;
}

TEST(Downgrade, UndoesTheLineAndDeletesTheLastRow) {
  const auto walk = downgrade_walk(graph(line(2)), {"r000001"}, "base");
  ASSERT_TRUE(walk);
  EXPECT_THAT(revisions_of(*walk), ElementsAre("r000001", "r000000"));
  EXPECT_EQ(walk->steps[0].operations, (Operations{{Kind::Update, "r000001", "r000000"}}));
  EXPECT_EQ(walk->steps[1].operations, (Operations{{Kind::Delete, "r000000", ""}}));
  EXPECT_THAT(walk->steps[1].heads, IsEmpty());
}

TEST(Downgrade, ThroughAMergeLeavesTheSiblingBranchAsARow) {
  const auto walk = downgrade_walk(diamond(), {"join"}, "left");
  ASSERT_TRUE(walk);
  EXPECT_THAT(revisions_of(*walk), ElementsAre("join"));
  EXPECT_THAT(heads_after({"join"}, *walk), ElementsAre("left", "right"));
}

TEST(Downgrade, TakesDependantsOfWhatItDropsAlong) {
  const RevisionGraph built = graph({revision("a1"), revision("a2", {"a1"}), revision("b1"), revision("b2", {"b1"}, {"a2"})});
  const auto walk = downgrade_walk(built, {"b2"}, "a1");
  ASSERT_TRUE(walk);
  EXPECT_THAT(revisions_of(*walk), ElementsAre("b2", "a2"));
  EXPECT_THAT(heads_after({"b2"}, *walk), ElementsAre("a1", "b1"));
}

TEST(Downgrade, OfABranchToABranchPointLeavesTheOtherBranch) {
  const RevisionGraph built = graph({revision("base"), revision("left", {"base"}, {}, {"l"}),
                                     revision("right", {"base"}, {}, {"r"}), revision("right2", {"right"})});
  const auto walk = downgrade_walk(built, {"left", "right2"}, "r@base");
  ASSERT_TRUE(walk);
  const auto one = downgrade_walk(built, {"left", "right2"}, "l@-1");
  ASSERT_TRUE(one);
  EXPECT_THAT(revisions_of(*one), ElementsAre("left"));
  EXPECT_THAT(heads_after({"left", "right2"}, *one), ElementsAre("right2"));
}

TEST(Downgrade, SkipsParentsThatRemainingRowsCover) {
  const RevisionGraph built = graph({revision("base"), revision("left", {"base"}), revision("right", {"base"})});
  const auto walk = downgrade_walk(built, {"left", "right"}, "left@base");
  ASSERT_TRUE(walk);
  ASSERT_GE(walk->steps.size(), 1U);
  EXPECT_EQ(walk->steps[0].operations.size(), 1U);
  EXPECT_EQ(walk->steps[0].operations[0].kind, Kind::Delete);
}

TEST(Stamp, MovesTheRowWithoutARevision) {
  const auto walk = stamp_walk(graph(line(5)), {"r000001"}, {"head"});
  ASSERT_TRUE(walk);
  ASSERT_EQ(walk->steps.size(), 1U);
  EXPECT_FALSE(walk->steps[0].revision);
  EXPECT_EQ(walk->steps[0].operations, (Operations{{Kind::Update, "r000001", "r000004"}}));
}

TEST(Stamp, FoldsSeveralRowsIntoOneBelowThem) {
  const auto walk = stamp_walk(diamond(), {"left", "right"}, {"base"});
  ASSERT_TRUE(walk);
  EXPECT_THAT(heads_after({"left", "right"}, *walk), IsEmpty());
  const RevisionGraph built = graph({revision("root"), revision("left", {"root"}), revision("right", {"root"})});
  const auto folded = stamp_walk(built, {"left", "right"}, {"root"});
  ASSERT_TRUE(folded);
  EXPECT_EQ(folded->steps.size(), 1U);
  EXPECT_THAT(heads_after({"left", "right"}, *folded), ElementsAre("root"));
}

TEST(Stamp, InsertsARowForABranchThatHasNone) {
  const RevisionGraph built = graph({revision("a"), revision("b")});
  const auto walk = stamp_walk(built, {"a"}, {"b"});
  ASSERT_TRUE(walk);
  EXPECT_EQ(walk->steps.at(0).operations, (Operations{{Kind::Insert, "", "b"}}));
  EXPECT_THAT(walk->steps.at(0).heads, ElementsAre("a", "b"));
}

TEST(Stamp, OfSeveralTargetsGivesARowEach) {
  const auto walk = stamp_walk(graph({revision("a"), revision("b"), revision("c")}), {}, {"a", "c"});
  ASSERT_TRUE(walk);
  EXPECT_THAT(heads_after({}, *walk), ElementsAre("a", "c"));
}

TEST(Stamp, OfTwoBranchesMovesTheirCommonRowOnce) {
  const RevisionGraph built = graph({revision("root"), revision("a1", {"root"}), revision("b1", {"root"})});
  const auto walk = stamp_walk(built, {"root"}, {"a1", "b1"});
  ASSERT_TRUE(walk) << walk.error().describe();
  ASSERT_EQ(walk->steps.size(), 2U);
  EXPECT_EQ(walk->steps[0].operations, (Operations{{Kind::Update, "root", "a1"}}));
  EXPECT_EQ(walk->steps[1].operations, (Operations{{Kind::Insert, "", "b1"}}));
}

TEST(Stamp, HasNothingToDoWhenTheRowIsThere) {
  EXPECT_THAT(stamp_walk(graph(line(3)), {"r000002"}, {"head"})->steps, IsEmpty());
}

TEST(Offline, WalksFromTheStartOfTheRange) {
  const auto range = offline_walk(graph(line(4)), Direction::Upgrade, "r000000:r000002");
  ASSERT_TRUE(range);
  EXPECT_THAT(range->first, ElementsAre("r000000"));
  EXPECT_THAT(revisions_of(range->second), ElementsAre("r000001", "r000002"));
}

TEST(Offline, StartsFromNothingWithoutARange) {
  const auto range = offline_walk(graph(line(2)), Direction::Upgrade, "head");
  ASSERT_TRUE(range);
  EXPECT_THAT(range->first, IsEmpty());
  EXPECT_THAT(revisions_of(range->second), ElementsAre("r000000", "r000001"));
}

TEST(Offline, DowngradeNeedsARange) {
  EXPECT_EQ(code_of(offline_walk(graph(line(2)), Direction::Downgrade, "base")), ErrorCode::InvalidTarget);
  const auto range = offline_walk(graph(line(3)), Direction::Downgrade, "r000002:r000000");
  ASSERT_TRUE(range);
  EXPECT_THAT(revisions_of(range->second), ElementsAre("r000002", "r000001"));
  EXPECT_EQ(code_of(offline_walk(graph(line(2)), Direction::Downgrade, "a:b:c")), ErrorCode::InvalidTarget);
}

}  // namespace
}  // namespace athanor::testing
