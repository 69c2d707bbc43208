// `lint:` of athanor.yaml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/config/configuration.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;

std::string refused(const std::string& text) {
  const auto parsed = parse_configuration(text, "athanor.yaml", "");
  return parsed ? "accepted" : parsed.error().describe() + " | " + parsed.error().hint;
}

TEST(LintConfiguration, ReadsLevelsAndWhatLintCountsOn) {
  const auto parsed = parse_configuration(
      "lint:\n  index-create: warning\n  varchar-n: off\n  drop-table: 'info'\n  small_table_rows: 5000\n  postgres: 16\n",
      "athanor.yaml", "");
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(parsed->lint.levels.at("index-create"), Severity::Warning);
  EXPECT_EQ(parsed->lint.levels.at("varchar-n"), Severity::Off);
  EXPECT_EQ(parsed->lint.levels.at("drop-table"), Severity::Info);
  EXPECT_EQ(parsed->lint.levels.size(), 3U);
  EXPECT_EQ(parsed->lint.small_table_rows, 5'000);
  EXPECT_EQ(parsed->lint.postgres, 16);
}

TEST(LintConfiguration, NamesUnknownRulesAndLevelsWithTheirLine) {
  EXPECT_THAT(refused("lint:\n  index-creat: off\n"), HasSubstr("athanor.yaml:2: field `lint.index-creat`"));
  EXPECT_THAT(refused("lint:\n  index-creat: off\n"), HasSubstr("index-create"));
  EXPECT_THAT(refused("lint:\n  index-create: fatal\n"), HasSubstr("is not one of error, warning, info, off"));
  EXPECT_THAT(refused("lint:\n  index-create: [error]\n"), HasSubstr("athanor.yaml:2"));
  EXPECT_THAT(refused("lint:\n  postgres: 8\n"), HasSubstr("athanor.yaml:2"));
  EXPECT_THAT(refused("lint:\n  small_table_rows: -1\n"), HasSubstr("athanor.yaml:2"));
}

TEST(LintConfiguration, IsLaidOverByAnEnvironment) {
  const std::string text =
      "lint:\n  index-create: warning\n  drop-table: off\nenvironments:\n  ci:\n    lint:\n      drop-table: error\n";
  const auto parsed = parse_configuration(text, "athanor.yaml", "", "ci");
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_EQ(parsed->lint.levels.at("index-create"), Severity::Warning);
  EXPECT_EQ(parsed->lint.levels.at("drop-table"), Severity::Error);
}

}  // namespace
}  // namespace athanor
