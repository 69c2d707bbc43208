// The `backup` section of athanor.yaml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/config/configuration.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;

TEST(BackupSettings, AreReadFromTheConfiguration) {
  const auto configuration = parse_configuration(
      "version_table: v\nexecution:\n  role: owner\nbackup:\n  folder: dumps\n  programs: /opt/pg/bin\n  compression: 1\n"
      "  keep: 7\n  max_age: 30d\n  accept_max_age: 1h\n  min_free: 1GiB\n  check_space: false\n"
      "  lock_timeout: 5s\n  wait: 1m\n",
      "athanor.yaml", "/project");
  ASSERT_TRUE(configuration.has_value()) << configuration.error().describe();
  const BackupJob job = backup_job(*configuration);
  EXPECT_EQ(job.version_table, "v");
  EXPECT_EQ(job.role, "owner");
  const BackupSettings& settings = job.settings;
  EXPECT_EQ(settings.folder, "/project/dumps");
  EXPECT_EQ(settings.programs, "/opt/pg/bin");
  EXPECT_EQ(settings.compression, 1);
  EXPECT_EQ(settings.retention.keep, 7);
  EXPECT_EQ(settings.retention.max_age, std::chrono::hours(24 * 30));
  EXPECT_EQ(settings.accept_max_age, std::chrono::hours(1));
  EXPECT_EQ(settings.min_free, std::size_t{1} << 30U);
  EXPECT_FALSE(settings.check_space);
  EXPECT_EQ(settings.lock_timeout, std::chrono::seconds(5));
  EXPECT_EQ(settings.wait, std::chrono::minutes(1));
}

TEST(BackupSettings, NameTheFieldThatIsWrong) {
  const auto refused = parse_configuration("backup:\n  compression: 10\n", "athanor.yaml", "");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().describe(), HasSubstr("athanor.yaml:2"));
  EXPECT_THAT(refused.error().describe(), HasSubstr("backup.compression"));
}

}  // namespace
}  // namespace athanor
