// What build() refuses, and what it says then.
#include <gmock/gmock.h>

#include "migrations/graph/history.hpp"
#include "migrations/graph/walk.hpp"
#include "tests/unit/graph/sketch.hpp"

namespace athanor::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Error error_of(std::vector<Revision> revisions) {
  auto built = RevisionGraph::build(std::move(revisions));
  EXPECT_FALSE(built);
  if (built) {
    return {};
  }
  EXPECT_THAT(built.error().hint, Not(IsEmpty()));
  return built.error();
}

TEST(Build, AcceptsAnEmptyFolder) {
  const RevisionGraph empty = graph({});
  EXPECT_EQ(empty.size(), 0U);
  EXPECT_THAT(empty.heads(), IsEmpty());
  EXPECT_THAT(full_history(empty), IsEmpty());
  EXPECT_THAT(upgrade_walk(empty, {}, "heads")->steps, IsEmpty());
  EXPECT_THAT(upgrade_walk(empty, {}, "head")->steps, IsEmpty());
}

TEST(Build, RefusesTheSameIdTwiceAndNamesBothFiles) {
  Revision second = revision("b", {"a"});
  second.path = "versions/other_b.sql";
  const Error error = error_of({revision("a"), revision("b", {"a"}), second});
  EXPECT_EQ(error.code, ErrorCode::DuplicateRevision);
  EXPECT_EQ(error.context, "versions/other_b.sql");
  EXPECT_THAT(error.message, AllOf(HasSubstr("'b'"), HasSubstr("versions/b.sql")));
}

TEST(Build, LetsTheLastOfTwoFilesSpeakForAnIdOnlyWhenAskedTo) {
  Revision second = revision("b");
  second.path = "versions/other_b.sql";
  const auto built = RevisionGraph::build({revision("a"), revision("b", {"a"}), second}, Duplicates::KeepLast);
  ASSERT_TRUE(built);
  EXPECT_EQ(built->size(), 2U);
  EXPECT_EQ(built->find("b")->path, "versions/other_b.sql");
  EXPECT_THAT(built->warnings(), ElementsAre(AllOf(HasSubstr("'b'"), HasSubstr("versions/b.sql"), HasSubstr("other_b.sql"))));
}

TEST(Build, RefusesAMissingParent) {
  const Error error = error_of({revision("a"), revision("b", {"gone"})});
  EXPECT_EQ(error.code, ErrorCode::MissingParent);
  EXPECT_EQ(error.context, "versions/b.sql");
  EXPECT_THAT(error.message, AllOf(HasSubstr("'b'"), HasSubstr("'gone'")));
}

TEST(Build, RefusesALabelAsParent) {
  const Error error = error_of({revision("a", {}, {}, {"billing"}), revision("b", {"billing"})});
  EXPECT_EQ(error.code, ErrorCode::MissingParent);
  EXPECT_THAT(error.message, HasSubstr("branch label"));
}

TEST(Build, RefusesAMissingDependency) {
  const Error error = error_of({revision("a"), revision("b", {"a"}, {"gone"})});
  EXPECT_EQ(error.code, ErrorCode::MissingDependency);
  EXPECT_THAT(error.message, AllOf(HasSubstr("'b'"), HasSubstr("'gone'")));
}

TEST(Build, RefusesARevisionThatFollowsItself) {
  EXPECT_EQ(error_of({revision("a", {"a"})}).code, ErrorCode::SelfLoop);
}

TEST(Build, RefusesARevisionThatDependsOnItself) {
  EXPECT_EQ(error_of({revision("a", {}, {"a"})}).code, ErrorCode::DependencySelfLoop);
}

TEST(Build, RefusesARevisionThatDependsOnItselfThroughItsOwnLabel) {
  EXPECT_EQ(error_of({revision("a", {}, {"billing"}, {"billing"})}).code, ErrorCode::DependencySelfLoop);
}

TEST(Build, RefusesACircleAndNamesItsRevisions) {
  const Error error = error_of(
      {revision("base"), revision("x", {"z", "base"}), revision("y", {"x"}), revision("z", {"y"}), revision("top", {"z"})});
  EXPECT_EQ(error.code, ErrorCode::Cycle);
  EXPECT_THAT(error.message, AllOf(HasSubstr("x"), HasSubstr("y"), HasSubstr("z"), Not(HasSubstr("top"))));
}

TEST(Build, RefusesACircleThroughDependencies) {
  const Error error = error_of({revision("a"), revision("b", {"a"}, {"d"}), revision("c"), revision("d", {"c"}, {"b"})});
  EXPECT_EQ(error.code, ErrorCode::DependencyCycle);
  EXPECT_THAT(error.message, AllOf(HasSubstr("b"), HasSubstr("d")));
}

TEST(Build, RefusesADependencyOnADescendant) {
  EXPECT_EQ(error_of({revision("a", {}, {"c"}), revision("b", {"a"}), revision("c", {"b"})}).code, ErrorCode::DependencyCycle);
}

TEST(Build, RefusesALabelThatTwoRevisionsUse) {
  const Error error = error_of({revision("a", {}, {}, {"x"}), revision("b", {}, {}, {"x"})});
  EXPECT_EQ(error.code, ErrorCode::DuplicateLabel);
  EXPECT_THAT(error.message, AllOf(HasSubstr("'x'"), HasSubstr("'a'"), HasSubstr("'b'")));
}

TEST(Build, RefusesALabelThatIsAnId) {
  EXPECT_EQ(error_of({revision("a"), revision("b", {"a"}, {}, {"a"})}).code, ErrorCode::DuplicateLabel);
}

TEST(Build, RefusesCharactersWithAMeaningInTargets) {
  for (const std::string bad : {"a@b", "a-b", "a+b", "a:b"}) {
    EXPECT_EQ(error_of({revision(bad)}).code, ErrorCode::InvalidRevisionId) << bad;
  }
  EXPECT_EQ(error_of({revision("")}).code, ErrorCode::InvalidRevisionId);
}

TEST(Build, ResolvesDependenciesOnLabels) {
  const RevisionGraph built = graph({revision("a", {}, {}, {"billing"}), revision("b", {}, {"billing"})});
  EXPECT_THAT(built.dependencies("b"), ElementsAre("a"));
}

TEST(Build, KeepsWorkingAfterAMove) {
  RevisionGraph first = graph(line(3));
  RevisionGraph second = std::move(first);
  EXPECT_THAT(second.heads(), ElementsAre("r000002"));
  EXPECT_EQ(second.find("r000001")->down.at(0), "r000000");
  EXPECT_EQ(second.find("nothing"), nullptr);
}

}  // namespace
}  // namespace athanor::testing
