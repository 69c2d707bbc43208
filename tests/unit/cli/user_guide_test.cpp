// docs/user-guide.md against the code: error codes with their exit codes, verbs, and the settings of -x.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/base/error.hpp"
#include "migrations/cli/command_table.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::cli {
namespace {

using ::testing::HasSubstr;

std::string guide() {
  return test::read_file(std::string(ATHANOR_SOURCE_DIR) + "/docs/user-guide.md");
}

TEST(UserGuide, ListsEveryErrorCodeWithItsExitCode) {
  const std::string text = guide();
  for (int number = 0; number <= static_cast<int>(ErrorCode::ApiInvalid); ++number) {
    const auto code = static_cast<ErrorCode>(number);
    EXPECT_THAT(text, HasSubstr("| `" + std::string(error_name(code)) + "` | " + std::to_string(exit_code(code)) + " |"));
  }
}

TEST(UserGuide, MentionsEveryVerb) {
  const std::string text = guide();
  for (const CommandSpec& command : commands()) {
    EXPECT_TRUE(text.find("`" + std::string(command.name)) != std::string::npos ||
                text.find("athanor " + std::string(command.name)) != std::string::npos)
        << command.name;
  }
}

}  // namespace
}  // namespace athanor::cli
