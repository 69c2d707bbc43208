// init, revision, merge, edit: the real program writing a project from nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class AuthorCommands : public ::testing::Test {
 protected:
  test::ProcessResult run(std::vector<std::string> arguments,
                          std::map<std::string, std::optional<std::string>> environment = {}) {
    arguments.insert(arguments.begin(), test::athanor_binary());
    return test::run_process(arguments, {.environment = std::move(environment), .directory = folder_.string()});
  }
  Json run_json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const auto result = run(std::move(arguments));
    EXPECT_EQ(result.err, "");
    return Json::parse(result.out);
  }

  test::TempFolder folder_;
};

TEST_F(AuthorCommands, StartAProjectThatTheOtherCommandsUnderstand) {
  ASSERT_EQ(run({"init", "migrations"}).exit_code, 0);
  const Json first = run_json({"revision", "-m", "Create users", "--rev-id", "a1b2"});
  ASSERT_TRUE(first["success"].get<bool>()) << first;
  EXPECT_EQ(first["path"], "migrations/versions/a1b2_create_users.sql");
  EXPECT_EQ(first["down_revision"], Json::array());
  const Json second = run_json({"revision", "-m", "Add email to users"});
  EXPECT_EQ(second["down_revision"], Json::array({"a1b2"}));
  const Json graph = run_json({"graph"});
  EXPECT_EQ(graph["bases"], Json::array({"a1b2"}));
  EXPECT_EQ(graph["heads"], Json::array({second["revision"]}));
}

TEST_F(AuthorCommands, InitMakesMigrationsUnlessAFolderIsNamed) {
  ASSERT_EQ(run({"init"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_directory(folder_ / "migrations/versions"));
  EXPECT_THAT(test::read_file(folder_ / "athanor.yaml"), HasSubstr("\"migrations/versions\""));
}

TEST_F(AuthorCommands, AMessageThatIsNoTextWritesNoFile) {
  ASSERT_EQ(run({"init"}).exit_code, 0);
  const auto refused = run({"revision", "-m", "caf\xe9 table added"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("UTF-8"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "migrations/versions"));
  EXPECT_EQ(run({"heads"}).exit_code, 0);
}

TEST_F(AuthorCommands, InitLeavesWhatIsThereAlone) {
  folder_.write("athanor.yaml", "version_table: mine\n");
  folder_.write("full/file.txt", "x");
  const auto refused = run({"init", "full"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("not empty"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "full/versions"));
  ASSERT_EQ(run({"init", "new"}).exit_code, 0);
  EXPECT_EQ(test::read_file(folder_ / "athanor.yaml"), "version_table: mine\n");
}

TEST_F(AuthorCommands, InitWritesAConfigurationThatIsRead) {
  ASSERT_EQ(run({"init", "db"}).exit_code, 0);
  EXPECT_THAT(test::read_file(folder_ / "athanor.yaml"), HasSubstr("\"db/versions\""));
  EXPECT_EQ(run_json({"heads"})["warnings"], Json::array());
}

TEST_F(AuthorCommands, MergeJoinsHeads) {
  ASSERT_EQ(run({"init", "migrations"}).exit_code, 0);
  run({"revision", "-m", "Create users", "--rev-id", "aaaa"});
  run({"revision", "-m", "Create bills", "--rev-id", "bbbb", "--head", "base", "--branch-label", "billing"});
  const Json merged = run_json({"merge", "heads"});
  ASSERT_TRUE(merged["success"].get<bool>()) << merged;
  EXPECT_EQ(merged["down_revision"], Json::array({"aaaa", "bbbb"}));
  EXPECT_THAT(test::read_file(folder_ / merged["path"].get<std::string>()), HasSubstr("Merge aaaa and bbbb"));
  const Json again = run_json({"merge", "heads"});
  EXPECT_EQ(again["error"]["code"], "invalid-target");
}

TEST_F(AuthorCommands, RevisionRefusesMessagesThatSayNothing) {
  ASSERT_EQ(run({"init", "migrations"}).exit_code, 0);
  for (const char* message : {"migration", "changes", "update", "fix", "Fix!", ""}) {
    const auto result = run({"revision", "-m", message});
    EXPECT_EQ(result.exit_code, 2) << message;
    EXPECT_THAT(result.err, HasSubstr("hint:")) << message;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "migrations/versions"));
}

TEST_F(AuthorCommands, RevisionAutogenerateAsksForADesiredSchema) {
  ASSERT_EQ(run({"init", "migrations"}).exit_code, 0);
  const auto result = run({"revision", "-m", "Create users", "--autogenerate"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("no desired schema is configured"));
  EXPECT_THAT(result.err, HasSubstr("models: shop.models:SQLModel.metadata"));
}

TEST_F(AuthorCommands, RevisionWritesNativeFilesBesideAlembicsOwn) {
  folder_.write("versions/abcd_old.py", "\"\"\"old\"\"\"\nrevision = 'abcd'\ndown_revision = None\n");
  const Json made = run_json({"--migrations", "versions", "revision", "-m", "Create users"});
  ASSERT_TRUE(made["success"].get<bool>()) << made;
  EXPECT_EQ(made["down_revision"], Json::array({"abcd"}));
  EXPECT_TRUE(made["path"].get<std::string>().ends_with(".sql"));
}

TEST_F(AuthorCommands, RevisionRunsHooksOnTheNewFile) {
  folder_.write("athanor.yaml",
                "version_locations: [versions]\npost_write_hooks:\n  - name: copy\n    type: exec\n    entrypoint: cp\n"
                "    options: REVISION_SCRIPT_FILENAME copied.sql\n");
  std::filesystem::create_directories(folder_ / "versions");
  const Json made = run_json({"revision", "-m", "Create users"});
  ASSERT_TRUE(made["success"].get<bool>()) << made;
  EXPECT_EQ(test::read_file(folder_ / "copied.sql"), test::read_file(folder_ / made["path"].get<std::string>()));
}

TEST_F(AuthorCommands, EditOpensTheFilesInTheEditor) {
  ASSERT_EQ(run({"init", "migrations"}).exit_code, 0);
  run({"revision", "-m", "Create users", "--rev-id", "aaaa"});
  const auto result = run({"edit", "head"}, {{"VISUAL", std::nullopt}, {"EDITOR", "cp -t ."}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "aaaa_create_users.sql"));
  EXPECT_EQ(run({"edit", "head"}, {{"VISUAL", "false"}}).exit_code, 3);
}

}  // namespace
}  // namespace athanor
