#include "migrations/config/setting_override.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace athanor {
namespace {

using ::testing::HasSubstr;

TEST(SettingOverride, SetsDurationsTextsAndSwitches) {
  Configuration configuration;
  EXPECT_TRUE(override_setting(configuration, "lock_timeout=5s"));
  EXPECT_TRUE(override_setting(configuration, "role=owner=of=all"));
  EXPECT_TRUE(override_setting(configuration, "allow_session_pooler=true"));
  EXPECT_TRUE(override_setting(configuration, "version_table=versions"));
  EXPECT_TRUE(override_setting(configuration, "transaction_per_migration=false"));
  EXPECT_TRUE(override_setting(configuration, "recursive_version_locations=true"));
  EXPECT_TRUE(configuration.recursive_version_locations);
  EXPECT_EQ(configuration.execution.lock_timeout, milliseconds(5'000));
  EXPECT_EQ(configuration.execution.role, "owner=of=all");
  EXPECT_TRUE(configuration.execution.allow_session_pooler);
  EXPECT_EQ(configuration.version_table, "versions");
  EXPECT_FALSE(configuration.transaction_per_migration);
}

TEST(SettingOverride, SetsLevelsOfLint) {
  Configuration configuration;
  EXPECT_TRUE(override_setting(configuration, "lint.drop-column=error"));
  EXPECT_TRUE(override_setting(configuration, "lint.varchar-n=off"));
  EXPECT_TRUE(override_setting(configuration, "lint.small_table_rows=50"));
  EXPECT_EQ(configuration.lint.levels.at("drop-column"), Severity::Error);
  EXPECT_EQ(configuration.lint.levels.at("varchar-n"), Severity::Off);
  EXPECT_EQ(configuration.lint.small_table_rows, 50);
  for (const char* const wrong : {"lint.drop-colum=error", "lint.drop-column=fatal", "lint.drop-column=", "lint.=error",
                                  "lint.small_table_rows=-1", "lint.small_table_rows=few", "lint.small_table_rows="}) {
    const auto result = override_setting(configuration, wrong);
    ASSERT_FALSE(result) << wrong;
    EXPECT_EQ(result.error().code, ErrorCode::Usage);
    EXPECT_THAT(result.error().describe(), HasSubstr("-x lint."));
  }
  EXPECT_THAT(override_setting(configuration, "lint.drop-colum=error").error().hint, HasSubstr("drop-column"));
}

TEST(SettingOverride, ListsTheSettingsWhenItDoesNotKnowOne) {
  Configuration configuration;
  const auto result = override_setting(configuration, "lock_timout=5s");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Usage);
  EXPECT_THAT(result.error().hint, HasSubstr("did you mean `lock_timeout`"));
  EXPECT_THAT(result.error().hint, HasSubstr("statement_timeout"));
}

TEST(SettingOverride, NamesTheSettingWhoseValueIsWrong) {
  Configuration configuration;
  const auto result = override_setting(configuration, "lock_timeout=5");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Usage);
  EXPECT_THAT(result.error().describe(), HasSubstr("-x lock_timeout"));
  EXPECT_FALSE(override_setting(configuration, "allow_session_pooler=maybe"));
  EXPECT_FALSE(override_setting(configuration, "lock_timeout"));
}

TEST(SettingOverride, RefusesNamesThatPostgresWouldCutOff) {
  Configuration configuration;
  EXPECT_TRUE(override_setting(configuration, "version_table=" + std::string(63, 'v')));
  EXPECT_FALSE(override_setting(configuration, "version_table=" + std::string(64, 'v')));
  EXPECT_FALSE(override_setting(configuration, "role=" + std::string(64, 'r')));
  EXPECT_FALSE(override_setting(configuration, "version_table="));
}

TEST(SettingOverride, RefusesThePlaceForPasswordsWithoutRepeatingThem) {
  Configuration configuration;
  const auto result = override_setting(configuration, "url=postgresql://app:hunter2@db/app");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().hint, HasSubstr("DATABASE_URL"));
  EXPECT_THAT(result.error().describe() + result.error().hint, testing::Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace athanor
