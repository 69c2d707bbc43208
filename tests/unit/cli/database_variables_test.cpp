#include "migrations/cli/database_variables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace athanor::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Environment = std::map<std::string, std::string>;

Result<std::string> database_of(const Environment& environment) {
  return database_of_environment([&environment](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(DatabaseVariables, NameNoneWhenNoneIsSet) {
  EXPECT_EQ(database_of({{"ATHANOR_DATABASE_PASSWORD", "x"}}).value(), "");
}

TEST(DatabaseVariables, PreferTheUrlAndDropLineEnds) {
  EXPECT_EQ(database_of({{"DATABASE_URL", "postgresql://db/app\r\n"}, {"ATHANOR_DATABASE_HOST", "other"}}).value(),
            "postgresql://db/app");
}

TEST(DatabaseVariables, EncodePartsSoThatNoneCanBecomeAnother) {
  EXPECT_EQ(database_of({{"ATHANOR_DATABASE_HOST", "db.example.org\n"},
                         {"ATHANOR_DATABASE_NAME", "my/app?sslmode=disable"},
                         {"ATHANOR_DATABASE_USER", "me@home"},
                         {"ATHANOR_DATABASE_PASSWORD", "p@ss:w/rd%$(X)\n"}})
                .value(),
            "postgresql://me%40home:p%40ss%3Aw%2Frd%25%24%28X%29@db.example.org:5432/my%2Fapp%3Fsslmode%3Ddisable");
  EXPECT_EQ(database_of({{"ATHANOR_DATABASE_HOST", "fd00::1"},
                         {"ATHANOR_DATABASE_PORT", "6432"},
                         {"ATHANOR_DATABASE_NAME", "app"},
                         {"ATHANOR_DATABASE_USER", "me"}})
                .value(),
            "postgresql://me@[fd00::1]:6432/app");
}

TEST(DatabaseVariables, SayWhichPartIsMissingAndNoValue) {
  const auto missing = database_of({{"ATHANOR_DATABASE_HOST", "db"}, {"ATHANOR_DATABASE_NAME", "secret-app"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::MissingDatabaseUrl);
  EXPECT_THAT(missing.error().message, HasSubstr("ATHANOR_DATABASE_USER"));
  EXPECT_THAT(missing.error().describe(), Not(HasSubstr("secret-app")));
  const auto port = database_of({{"ATHANOR_DATABASE_HOST", "db"},
                                 {"ATHANOR_DATABASE_PORT", "54x"},
                                 {"ATHANOR_DATABASE_NAME", "app"},
                                 {"ATHANOR_DATABASE_USER", "me"}});
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error().describe(), Not(HasSubstr("54x")));
}

}  // namespace
}  // namespace athanor::cli
