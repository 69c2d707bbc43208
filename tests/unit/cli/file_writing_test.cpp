#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "migrations/cli/new_file.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NewFile, IsNeverWrittenOverAnother) {
  const test::TempFolder folder;
  const std::string path = folder / "deep/er/a.sql";
  ASSERT_TRUE(write_new_file(path, "first"));
  const auto again = write_new_file(path, "second");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::Io);
  EXPECT_THAT(again.error().describe(), HasSubstr("exists"));
  EXPECT_EQ(test::read_file(path), "first");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "deep/er"), std::filesystem::directory_iterator()), 1)
      << "a draft was left behind";
}

class RevisionWriter : public ::testing::Test {
 protected:
  static Revision revision(std::string id, std::vector<std::string> down, std::string path,
                           std::vector<std::string> labels = {}) {
    Revision made;
    made.id = std::move(id);
    made.down = std::move(down);
    made.path = std::move(path);
    made.labels = std::move(labels);
    return made;
  }

  Result<RevisionDraft> draft(const RevisionRequest& request) {
    auto graph = RevisionGraph::build(revisions_);
    EXPECT_TRUE(graph);
    return draft_revision(configuration_, *graph, request, WallTime(std::chrono::seconds(1'790'000'000)));
  }

  Configuration configuration_;
  std::vector<Revision> revisions_{revision("a1", {}, "one/a1.sql", {"core"}), revision("b2", {"a1"}, "one/b2.sql")};
};

TEST_F(RevisionWriter, ContinuesTheOnlyHead) {
  const auto made = draft({.message = "Add email to users", .id = "c3"});
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_THAT(made->revision.down, ElementsAre("b2"));
  EXPECT_EQ(made->revision.path, "migrations/versions/c3_add_email_to_users.sql");
  EXPECT_THAT(made->text, HasSubstr("-- Revision: c3\n-- Revises: b2\n"));
}

TEST_F(RevisionWriter, BeginsAtBaseInAnEmptyFolder) {
  revisions_.clear();
  const auto made = draft({.message = "Create users"});
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_TRUE(made->revision.down.empty());
  EXPECT_EQ(made->revision.id.size(), 12U);
}

TEST_F(RevisionWriter, AsksWhichOfSeveralHeads) {
  revisions_.push_back(revision("x9", {}, "one/x9.sql"));
  const auto made = draft({.message = "Add email to users"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::MultipleHeads);
  EXPECT_THAT(made.error().hint, HasSubstr("--head"));
}

TEST_F(RevisionWriter, WantsSpliceForAParentThatIsNotAHead) {
  const auto refused = draft({.message = "Start a branch", .heads = {"a1"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::NotAHead);
  EXPECT_THAT(refused.error().hint, HasSubstr("--splice"));
  const auto made = draft({.message = "Start a branch", .heads = {"a1"}, .splice = true});
  ASSERT_TRUE(made);
  EXPECT_THAT(made->revision.down, ElementsAre("a1"));
}

TEST_F(RevisionWriter, KeepsLabelsAndResolvesPrefixesAmongDependencies) {
  revisions_.push_back(revision("feedbeef", {}, "one/f.sql"));
  const auto made =
      draft({.message = "Start billing", .heads = {"base"}, .labels = {"billing"}, .depends_on = {"core", "feed"}});
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_TRUE(made->revision.down.empty());
  EXPECT_THAT(made->revision.depends_on, ElementsAre("core", "feedbeef"));
  EXPECT_THAT(made->revision.labels, ElementsAre("billing"));
}

TEST_F(RevisionWriter, RefusesWhatWouldBreakTheGraph) {
  EXPECT_EQ(draft({.message = "Add email to users", .id = "a1"}).error().code, ErrorCode::DuplicateRevision);
  EXPECT_EQ(draft({.message = "Add email to users", .labels = {"core"}}).error().code, ErrorCode::DuplicateLabel);
  EXPECT_EQ(draft({.message = "Add email to users", .id = "a@b"}).error().code, ErrorCode::InvalidRevisionId);
  EXPECT_EQ(draft({.message = "Add email to users", .id = std::string(33, 'a')}).error().code, ErrorCode::InvalidRevisionId);
  EXPECT_EQ(draft({.message = "Add email to users", .heads = {"zzzz"}}).error().code, ErrorCode::UnknownRevision);
  EXPECT_EQ(draft({.message = "fix"}).error().code, ErrorCode::Usage);
}

TEST_F(RevisionWriter, ChoosesTheLocationOfTheParent) {
  configuration_.version_locations = {"other", "one"};
  const auto beside = draft({.message = "Add email to users"});
  ASSERT_TRUE(beside) << beside.error().describe();
  EXPECT_TRUE(beside->revision.path.starts_with("one/")) << beside->revision.path;
  const auto named = draft({.message = "Add email to users", .version_path = "./other/"});
  ASSERT_TRUE(named) << named.error().describe();
  EXPECT_TRUE(named->revision.path.starts_with("other/")) << named->revision.path;
  EXPECT_EQ(draft({.message = "Start billing", .heads = {"base"}}).error().code, ErrorCode::Usage);
  EXPECT_EQ(draft({.message = "Start billing", .version_path = "third"}).error().code, ErrorCode::Usage);
}

TEST_F(RevisionWriter, NamesMergesAfterTheirParents) {
  EXPECT_EQ(merge_message({"a", "b"}), "Merge a and b");
  EXPECT_EQ(merge_message({"a", "b", "c"}), "Merge a, b and c");
}

}  // namespace
}  // namespace athanor::cli
