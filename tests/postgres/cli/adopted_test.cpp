// Folders and history tables as the real tools leave them (adopted/README.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/postgres/cli/cli_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Recorded : CliScene {
  explicit Recorded(const std::string& tool) {
    const std::filesystem::path from = std::filesystem::path(ATHANOR_SOURCE_DIR) / "tests/postgres/cli/adopted" / tool;
    std::filesystem::copy(from / "migrations", folder.path() / "old", std::filesystem::copy_options::recursive);
    database.run(read_file((from / "history.sql").string()));
  }
};

TEST(AdoptedFromARealTool, Goose) {
  Recorded scene("goose");
  const Json adopted = scene.json({"adopt", "goose", "old"});
  EXPECT_EQ(adopted["exit_code"], 0) << adopted;
  EXPECT_EQ(adopted["applied"], 2);
  EXPECT_THAT(scene.rows(), ElementsAre("00002"));
}

TEST(AdoptedFromARealTool, GolangMigrate) {
  Recorded scene("golang-migrate");
  const Json adopted = scene.json({"adopt", "golang-migrate", "old"});
  EXPECT_EQ(adopted["exit_code"], 0) << adopted;
  EXPECT_EQ(adopted["applied"], 2);
  EXPECT_THAT(scene.rows(), ElementsAre("000002"));
}

TEST(AdoptedFromARealTool, Flyway) {
  Recorded scene("flyway");
  const Json adopted = scene.json({"adopt", "flyway", "old", "--placeholder", "tbl=users"});
  EXPECT_EQ(adopted["exit_code"], 6) << adopted;  // the repeatable script ran, version 2.5 did not
  EXPECT_THAT(adopted["message"].get<std::string>(), HasSubstr("Flyway applied R__view.sql and not V2.5__drop_name.sql"));
  std::filesystem::remove(scene.folder.path() / "old/V2.5__drop_name.sql");
  const Json whole = scene.json({"adopt", "flyway", "old", "--placeholder", "tbl=users"});
  EXPECT_EQ(whole["exit_code"], 0) << whole;  // the checksums are Flyway's own
  EXPECT_EQ(whole["applied"], 3);
  // With another value the repeatable script is another one: pending, as Flyway takes it.
  EXPECT_EQ(scene.json({"adopt", "flyway", "old", "--placeholder", "tbl=people", "-o", "elsewhere"})["applied"], 2);
}

TEST(AdoptedFromARealTool, FlywayWithAChangedScript) {
  Recorded scene("flyway");
  scene.folder.write("old/V1__users.sql", "CREATE TABLE users (id bigint);\n");
  const Json refused = scene.json({"adopt", "flyway", "old", "--placeholder", "tbl=users"});
  EXPECT_EQ(refused["error"]["code"], "checksum-mismatch") << refused;
}

TEST(AdoptedFromARealTool, Liquibase) {
  Recorded scene("liquibase");
  const Json adopted = scene.json({"adopt", "liquibase", "old"});
  EXPECT_EQ(adopted["exit_code"], 0) << adopted;
  EXPECT_EQ(adopted["applied"], 3);
  EXPECT_THAT(scene.rows(), ElementsAre("fn"));
}

}  // namespace
}  // namespace athanor::test
