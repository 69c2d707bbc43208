// Alembic's version folder read where it is: everything about the graph works without Python, running a body does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/postgres/alembic/alembic_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kNotRenderable = 4;

class InPlace : public ::testing::Test {
 protected:
  // Ids that Alembic's lines begin with, or that stand behind their arrow.
  std::vector<std::string> alembic_ids(const std::vector<std::string>& words, const std::string& pattern) {
    const std::string text = scene_.succeed(Tool::Alembic, database_, words);
    const std::regex id(pattern);
    std::vector<std::string> ids;
    for (std::sregex_iterator match(text.begin(), text.end(), id); match != std::sregex_iterator(); ++match) {
      ids.push_back((*match)[1]);
    }
    EXPECT_FALSE(ids.empty()) << text;
    return ids;
  }

  std::vector<std::string> our_ids(std::vector<std::string> words, const std::string& list) {
    words.emplace_back("--json");
    const ProcessResult result = scene_.run_in_place(database_, words);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    std::vector<std::string> ids;
    const Json answer = Json::parse(result.out);
    for (const Json& one : answer.at(list)) {
      ids.push_back(one.is_object() ? one.at("revision").get<std::string>() : one.get<std::string>());
    }
    return ids;
  }

  AlembicScene scene_;
  TestDatabase database_;
};

constexpr const char* kFirstWord = "(?:^|\n)([0-9a-f]{12})";
constexpr const char* kBehindArrow = "-> ([0-9a-f]{12})";

TEST_F(InPlace, HeadsAndHistoryAreAlembics) {
  EXPECT_EQ(our_ids({"heads"}, "heads"), alembic_ids({"heads"}, kFirstWord));
  EXPECT_EQ(our_ids({"history"}, "history"), alembic_ids({"history"}, kBehindArrow));
  EXPECT_EQ(our_ids({"history", "-r", "7c3d7e9f1a2b:billing@head"}, "history"),
            alembic_ids({"history", "-r", "7c3d7e9f1a2b:billing@head"}, kBehindArrow));
}

TEST_F(InPlace, CurrentIsAlembics) {
  scene_.succeed(Tool::Alembic, database_, {"upgrade", "9e5f9a1b3c4d"});
  scene_.succeed(Tool::Alembic, database_, {"upgrade", "e4a51b5f809c"});
  auto theirs = alembic_ids({"current"}, kFirstWord);
  std::ranges::sort(theirs);
  EXPECT_EQ(our_ids({"current"}, "current_revision"), theirs);
}

TEST_F(InPlace, ThePlanHasAlembicsStepsInAlembicsOrder) {
  EXPECT_EQ(our_ids({"plan", "upgrade", "heads", "--from", "base"}, "steps"),
            alembic_ids({"upgrade", "heads", "--sql"}, "-- Running upgrade [^\n]*-> ([0-9a-f]{12})"));
}

TEST_F(InPlace, AnUpgradeSaysHowToGetFilesThatCanRun) {
  const ProcessResult result = scene_.run_in_place(database_, {"upgrade", "heads"});
  EXPECT_EQ(result.exit_code, kNotRenderable);
  EXPECT_THAT(result.err, HasSubstr("athanor import alembic"));
  EXPECT_FALSE(database_.has_relation("public.team"));
  EXPECT_THAT(database_.version_rows(), IsEmpty());
}

TEST_F(InPlace, StampNeedsNoBodies) {
  const ProcessResult result = scene_.run_in_place(database_, {"stamp", "heads"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(scene_.succeed(Tool::Alembic, database_, {"current"}), HasSubstr("d3940a4e7f8b (head)"));
}

}  // namespace
}  // namespace athanor::test
