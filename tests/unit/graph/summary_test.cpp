// Heads, bases, points, labels, and the order of history.
#include <gmock/gmock.h>

#include "migrations/graph/history.hpp"
#include "tests/unit/graph/sketch.hpp"

namespace athanor::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

//      base
//     /    |
//  left   right
//     |    /
//      join
std::vector<Revision> diamond() {
  return {revision("base"), revision("left", {"base"}), revision("right", {"base"}), revision("join", {"left", "right"})};
}

TEST(Summary, TellsBranchPointsFromMergePoints) {
  const RevisionGraph built = graph(diamond());
  EXPECT_THAT(branch_points(built), ElementsAre("base"));
  EXPECT_THAT(merge_points(built), ElementsAre("join"));
  EXPECT_TRUE(is_branch_point(built, "base"));
  EXPECT_TRUE(is_merge_point(built, "join"));
  EXPECT_FALSE(is_merge_point(built, "left"));
  EXPECT_TRUE(is_head(built, "join"));
  EXPECT_FALSE(is_head(built, "unknown"));
  EXPECT_THAT(built.children("base"), ElementsAre("left", "right"));
}

TEST(Summary, GivesHeadsAndBasesInLoadOrder) {
  const RevisionGraph built = graph({revision("z"), revision("a"), revision("m", {"z"}), revision("b", {"a"})});
  EXPECT_THAT(built.bases(), ElementsAre("z", "a"));
  EXPECT_THAT(built.heads(), ElementsAre("m", "b"));
}

TEST(Summary, LeavesRevisionsThatAreDependedUponOutOfTheEffectiveHeads) {
  const RevisionGraph built = graph({revision("a"), revision("b"), revision("c", {"b"}, {"a"})});
  EXPECT_THAT(built.heads(), ElementsAre("a", "c"));
  EXPECT_THAT(built.effective_heads(), ElementsAre("c"));
}

TEST(Summary, SpreadsALabelToAllDescendants) {
  const RevisionGraph built =
      graph({revision("a"), revision("b", {"a"}, {}, {"x"}), revision("c", {"b"}), revision("d", {"b"}), revision("e", {"a"})});
  EXPECT_THAT(built.branch_labels("c"), ElementsAre("x"));
  EXPECT_THAT(built.branch_labels("d"), ElementsAre("x"));
  EXPECT_THAT(built.branch_labels("a"), IsEmpty());
  EXPECT_THAT(built.branch_labels("e"), IsEmpty());
}

TEST(Summary, SpreadsALabelDownALineThatDoesNotBranch) {
  const RevisionGraph built =
      graph({revision("a"), revision("b", {"a"}), revision("c", {"b"}, {}, {"x"}), revision("d", {"c"})});
  EXPECT_THAT(inherited_labels(built), ElementsAre(Pair("a", ElementsAre("x")), Pair("b", ElementsAre("x")),
                                                   Pair("c", ElementsAre("x")), Pair("d", ElementsAre("x"))));
}

TEST(Summary, StopsALabelAtABranchPointBelowIt) {
  const RevisionGraph built =
      graph({revision("a"), revision("b", {"a"}), revision("c", {"b"}, {}, {"x"}), revision("d", {"a"})});
  EXPECT_THAT(built.branch_labels("b"), ElementsAre("x"));
  EXPECT_THAT(built.branch_labels("a"), IsEmpty());
}

TEST(Summary, CountsADependencyAsABranchWhenALabelGoesDown) {
  const RevisionGraph built = graph({revision("a"), revision("b", {"a"}, {}, {"x"}), revision("other", {}, {"a"})});
  EXPECT_THAT(built.branch_labels("a"), IsEmpty());
}

TEST(Summary, UnitesLabelsAtAMerge) {
  auto revisions = diamond();
  revisions[1].labels = {"one"};
  revisions[2].labels = {"two", "three"};
  EXPECT_THAT(graph(revisions).branch_labels("join"), ElementsAre("one", "three", "two"));
}

TEST(Summary, ListsHistoryNewestFirst) {
  EXPECT_THAT(full_history(graph(diamond())), ElementsAre("join", "left", "right", "base"));
}

TEST(Summary, CutsHistoryToARangeWithBothEnds) {
  const RevisionGraph built = graph(line(5));
  EXPECT_THAT(*history_range(built, "r000001", "r000003"), ElementsAre("r000003", "r000002", "r000001"));
  EXPECT_THAT(*history_range(built, "r000003", ""), ElementsAre("r000004", "r000003"));
  EXPECT_THAT(*history_range(built, "", "r000001"), ElementsAre("r000001", "r000000"));
  EXPECT_THAT(*history_range(built, "current", "", {"r000003"}), ElementsAre("r000004", "r000003"));
  EXPECT_THAT(*history_range(built, "", "current", {"r000001"}), ElementsAre("r000001", "r000000"));
  EXPECT_THAT(*history_range(built, "-2", ""), ElementsAre("r000004", "r000003", "r000002"));
}

TEST(Summary, RefusesAHistoryRangeWhoseEndsAreNotInLine) {
  const RevisionGraph built = graph({revision("a"), revision("b", {"a"}), revision("c", {"a"})});
  EXPECT_EQ(code_of(history_range(built, "b", "c")), ErrorCode::InvalidTarget);
}

TEST(Summary, KnowsWhatRowsImply) {
  const RevisionGraph built =
      graph({revision("a"), revision("b", {"a"}), revision("x"), revision("y", {"x"}, {"b"}), revision("z", {"y"})});
  EXPECT_THAT(*built.applied({"y"}), ElementsAre("a", "b", "x", "y"));
  EXPECT_THAT(*built.applied({}), IsEmpty());
  EXPECT_EQ(code_of(built.applied({"gone"})), ErrorCode::UnknownDatabaseRevision);
}

}  // namespace
}  // namespace athanor::testing
