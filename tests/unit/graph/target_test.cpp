// What targets mean, and how a wrong one is refused.
#include <gmock/gmock.h>

#include "migrations/graph/graph_target.hpp"
#include "migrations/graph/target_position.hpp"
#include "migrations/graph/walk.hpp"
#include "tests/unit/graph/sketch.hpp"

namespace athanor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two branches from one base, and a line of its own:
// base <- core1 <- core2        base <- shop1 <- shop2        solo1 <- solo2
RevisionGraph shop() {
  return graph({revision("base00"), revision("core1", {"base00"}, {}, {"core"}), revision("core2", {"core1"}),
                revision("shop1", {"base00"}, {}, {"shop"}), revision("shop2", {"shop1"}), revision("solo1"),
                revision("solo2", {"solo1"})});
}

TEST(RelativeTarget, TakesBranchSymbolAndNumberApart) {
  const auto target = relative_target("shop@abc+12");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->branch, "shop");
  EXPECT_EQ(target->symbol, "abc");
  EXPECT_EQ(target->text, "+12");
  EXPECT_EQ(target->steps, 12);
}

TEST(RelativeTarget, ReadsOnlyTheBeginningOfATarget) {
  const auto target = relative_target("svc-2x");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->symbol, "svc");
  EXPECT_EQ(target->steps, -2);
}

TEST(RelativeTarget, SearchesForItsBranchAfterEveryAt) {
  const auto target = relative_target("core@shop@+1");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->branch, "core@shop");
  EXPECT_EQ(target->steps, 1);
}

TEST(RelativeTarget, IsNoneWithoutSignAndNumber) {
  for (const std::string text : {"head", "", "+", "-", "a@b", "1", "a+b", "@-"}) {
    EXPECT_FALSE(relative_target(text)) << text;
  }
}

TEST(RelativeTarget, SurvivesNumbersWithoutEnd) {
  const auto target = relative_target("-" + std::string(400, '9'));
  ASSERT_TRUE(target);
  EXPECT_LT(target->steps, -1'000'000);
  EXPECT_EQ(code_of(downgrade_walk(graph(line(3)), {"r000002"}, "-" + std::string(400, '9'))), ErrorCode::RelativeOutOfRange);
}

TEST(Target, MayBeAnIdAUniquePrefixOrALabel) {
  const RevisionGraph built = shop();
  EXPECT_THAT(*built.resolve("core2"), ElementsAre("core2"));
  EXPECT_THAT(*built.resolve("base"), IsEmpty());
  EXPECT_THAT(*built.resolve("base0"), ElementsAre("base00"));
  EXPECT_THAT(*built.resolve("shop"), ElementsAre("shop1"));
  EXPECT_THAT(*built.resolve("shop@head"), ElementsAre("shop2"));
  EXPECT_THAT(*built.resolve("heads"), ElementsAre("core2", "shop2", "solo2"));
  EXPECT_THAT(*built.resolve("solo2@heads"), ElementsAre("solo2"));
  EXPECT_THAT(*built.resolve("shop@-1"), ElementsAre("shop1"));
  EXPECT_THAT(*built.resolve("current", {"solo1", "core1"}), ElementsAre("solo1", "core1"));
}

TEST(Target, IsRefusedWhenNothingHasThisName) {
  const auto found = shop().resolve("nowhere");
  EXPECT_EQ(code_of(found), ErrorCode::UnknownRevision);
  EXPECT_THAT(found.error().message, HasSubstr("'nowhere'"));
  EXPECT_EQ(code_of(upgrade_walk(shop(), {}, "nobranch@head")), ErrorCode::UnknownRevision);
  EXPECT_EQ(code_of(upgrade_walk(shop(), {}, "")), ErrorCode::InvalidTarget);
}

TEST(Target, IsRefusedWhenSeveralRevisionsBeginLikeThis) {
  const auto found = shop().resolve("solo");
  EXPECT_EQ(code_of(found), ErrorCode::AmbiguousPrefix);
  EXPECT_THAT(found.error().message, AllOf(HasSubstr("solo1"), HasSubstr("solo2")));
}

TEST(Target, ShortIdsAreNotFoundByPrefix) {
  const auto found = graph({revision("abc")}).resolve("ab");
  EXPECT_EQ(code_of(found), ErrorCode::UnknownRevision);
  EXPECT_THAT(found.error().hint, HasSubstr("four characters"));
}

TEST(Target, IsRefusedOnABranchItIsNotOn) {
  EXPECT_EQ(code_of(shop().resolve("shop@core2")), ErrorCode::UnknownRevision);
}

TEST(Target, HeadWithSeveralHeadsNamesThemAndTheWayOut) {
  const auto walk = upgrade_walk(shop(), {}, "head");
  EXPECT_EQ(code_of(walk), ErrorCode::MultipleHeads);
  EXPECT_THAT(walk.error().message, AllOf(HasSubstr("core2"), HasSubstr("shop2"), HasSubstr("solo2")));
  EXPECT_THAT(walk.error().hint, AllOf(HasSubstr("<branch>@head"), HasSubstr("'heads'")));
}

TEST(Target, HeadCountsVersionedHeadsAndHeadsEffectiveOnes) {
  const RevisionGraph built = graph({revision("a"), revision("b", {}, {"a"})});
  EXPECT_EQ(code_of(built.resolve("head")), ErrorCode::MultipleHeads);
  EXPECT_THAT(*built.resolve("heads"), ElementsAre("b"));
}

TEST(Target, RangesNeedTheOfflineMode) {
  EXPECT_EQ(code_of(upgrade_walk(shop(), {}, "base00:core1")), ErrorCode::RangeNotAllowed);
  EXPECT_EQ(code_of(downgrade_walk(shop(), {"core1"}, "core1:base")), ErrorCode::RangeNotAllowed);
}

TEST(Target, CountsUpFromTheOnlyRow) {
  EXPECT_THAT(revisions_of(*upgrade_walk(graph(line(4)), {"r000000"}, "+2")), ElementsAre("r000001", "r000002"));
}

TEST(Target, CountsUpAlongTheNamedBranch) {
  EXPECT_THAT(revisions_of(*upgrade_walk(shop(), {"base00"}, "shop@+1")), ElementsAre("shop1"));
  EXPECT_EQ(code_of(upgrade_walk(shop(), {"base00"}, "+1")), ErrorCode::AmbiguousWalk);
}

TEST(Target, CountingUpFromSeveralRowsIsAmbiguous) {
  EXPECT_EQ(code_of(upgrade_walk(shop(), {"core1", "solo1"}, "+1")), ErrorCode::AmbiguousWalk);
}

TEST(Target, CountingBeyondTheEndIsAnErrorWithTheNumber) {
  const auto walk = upgrade_walk(graph(line(3)), {"r000001"}, "+5");
  EXPECT_EQ(code_of(walk), ErrorCode::RelativeOutOfRange);
  EXPECT_THAT(walk.error().message, HasSubstr("+5"));
  EXPECT_EQ(code_of(downgrade_walk(graph(line(3)), {"r000001"}, "-3")), ErrorCode::RelativeOutOfRange);
  EXPECT_EQ(code_of(downgrade_walk(graph(line(3)), {"r000002"}, "r000001-3")), ErrorCode::WalkedTooFar);
  EXPECT_EQ(code_of(upgrade_walk(graph(line(3)), {"r000001"}, "r000001+5")), ErrorCode::RelativeOutOfRange);
  EXPECT_EQ(code_of(downgrade_walk(graph(line(3)), {"r000001"}, "+1")), ErrorCode::RelativeOutOfRange);
  EXPECT_EQ(code_of(upgrade_walk(graph(line(3)), {"r000001"}, "-1")), ErrorCode::RelativeOutOfRange);
}

TEST(Target, CountingDownABranchThatIsNotAppliedIsAClearError) {
  const auto walk = downgrade_walk(shop(), {"solo2"}, "shop@-1");
  EXPECT_EQ(code_of(walk), ErrorCode::RelativeOutOfRange);
  EXPECT_THAT(walk.error().message, HasSubstr("'shop'"));
}

TEST(Target, CountingDownFromSeveralRowsTakesTheFirstAndWarns) {
  const auto walk = downgrade_walk(shop(), {"core2", "solo2"}, "-1");
  ASSERT_TRUE(walk);
  EXPECT_THAT(revisions_of(*walk), ElementsAre("core2"));
  EXPECT_THAT(walk->warnings, ElementsAre(HasSubstr("ambiguous")));
  EXPECT_THAT(downgrade_walk(shop(), {"core2"}, "-1")->warnings, IsEmpty());
}

TEST(Target, CountsDownABranchThatOtherRowsDependOn) {
  const RevisionGraph built =
      graph({revision("a1", {}, {}, {"alpha"}), revision("a2", {"a1"}), revision("b1", {}, {"a2"}, {"beta"})});
  const auto walk = downgrade_walk(built, {"b1"}, "alpha@-1");
  ASSERT_TRUE(walk);
  EXPECT_THAT(revisions_of(*walk), ElementsAre("b1", "a2"));
}

TEST(Target, MustBeBelowTheRowsForADowngrade) {
  EXPECT_EQ(code_of(downgrade_walk(shop(), {"core1"}, "solo1")), ErrorCode::InvalidDowngradeTarget);
  EXPECT_EQ(code_of(downgrade_walk(shop(), {"core1"}, "core2")), ErrorCode::InvalidDowngradeTarget);
}

// As Alembic does, which takes what is before the last @ for the branch.
TEST(Target, OfADowngradeIsCutAtItsLastAt) {
  EXPECT_THAT(revisions_of(*downgrade_walk(shop(), {"shop2"}, "shop@shop1")), ElementsAre("shop2"));
  const auto walk = downgrade_walk(shop(), {"core2", "shop2"}, "core@shop@shop1");
  ASSERT_TRUE(walk) << walk.error().describe();
  EXPECT_THAT(revisions_of(*walk), ElementsAre("shop2"));
  EXPECT_FALSE(downgrade_walk(shop(), {"core2", "shop2"}, "core@shop@base00")) << "no branch is called core@shop";
}

TEST(Target, RowsThatNoFileExplainsAreNamedWithTheWayOut) {
  const auto walk = upgrade_walk(shop(), {"0123456789ab"}, "heads");
  EXPECT_EQ(code_of(walk), ErrorCode::UnknownDatabaseRevision);
  EXPECT_THAT(walk.error().message, HasSubstr("0123456789ab"));
  EXPECT_THAT(walk.error().hint, HasSubstr("stamp"));
  EXPECT_EQ(code_of(stamp_walk(shop(), {"0123456789ab"}, {"core1"})), ErrorCode::UnknownDatabaseRevision);
}

TEST(Target, RowsThatIncludeEachOtherAreRefused) {
  EXPECT_EQ(code_of(upgrade_walk(shop(), {"core1", "base00"}, "heads")), ErrorCode::OverlappingHeads);
}

TEST(OverlappingRows, AreThoseThatAnotherRowIncludesOrThatAreThereTwice) {
  const RevisionGraph built = graph({revision("a1"), revision("a2", {"a1"}), revision("a3", {"a2"}), revision("b1", {}, {"a2"}),
                                     revision("c1"), revision("m1", {"a3", "c1"})});
  const auto overlaps = [&](const Names& rows) {
    std::string text;
    for (const OverlappingRow& overlap : overlapping_rows(built, rows)) {
      text += overlap.included_by + ">" + overlap.row + " ";
    }
    return text;
  };
  EXPECT_EQ(overlaps({}), "");
  EXPECT_EQ(overlaps({"a3"}), "");
  EXPECT_EQ(overlaps({"a3", "b1", "c1"}), "");
  EXPECT_EQ(overlaps({"a1", "a3"}), "a3>a1 ") << "an ancestor that is no parent";
  EXPECT_EQ(overlaps({"a3", "a1"}), "a3>a1 ") << "in whatever order the rows come";
  EXPECT_EQ(overlaps({"a2", "b1"}), "b1>a2 ") << "by a dependency";
  EXPECT_EQ(overlaps({"c1", "m1"}), "m1>c1 ") << "by a merge";
  EXPECT_EQ(overlaps({"a1", "a1"}), "a1>a1 ") << "twice";
  EXPECT_EQ(overlaps({"a1", "nowhere"}), "") << "which file that is, unknown_heads() asks";
}

TEST(OverlappingRows, AreRefusedByNameWithTheWayOut) {
  const RevisionGraph built = graph({revision("a1"), revision("a2", {"a1"}), revision("b1")});
  EXPECT_TRUE(refuse_overlapping_rows(built, {"a2", "b1"}));
  const auto refused = refuse_overlapping_rows(built, {"a1", "a2", "b1"});
  EXPECT_EQ(code_of(refused), ErrorCode::OverlappingHeads);
  EXPECT_THAT(refused.error().message, HasSubstr("'a2' includes 'a1'"));
  EXPECT_THAT(refused.error().hint, HasSubstr("athanor stamp --purge a2 b1"));
  const auto twice = refuse_overlapping_rows(built, {"a2", "a2"});
  EXPECT_EQ(code_of(twice), ErrorCode::OverlappingHeads);
  EXPECT_THAT(twice.error().message, HasSubstr("'a2' is there more than once"));
  EXPECT_THAT(twice.error().hint, HasSubstr("athanor stamp --purge a2"));
}

}  // namespace
}  // namespace athanor::testing
