#include "migrations/cli/post_write_hook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.hpp"

namespace athanor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PostWriteHook, PutsTheFileWhereTheOptionsSay) {
  EXPECT_THAT(*hook_command({"fmt", "exec", "pg_format", "-i REVISION_SCRIPT_FILENAME --keep", ""}, "v/a b.sql"),
              ElementsAre("pg_format", "-i", "v/a b.sql", "--keep"));
  EXPECT_THAT(*hook_command({"fmt", "exec", "pg_format", "--keep", ""}, "a.sql"), ElementsAre("pg_format", "a.sql", "--keep"));
  EXPECT_THAT(*hook_command({"lint", "module", "sqlfluff", "fix REVISION_SCRIPT_FILENAME", ""}, "a.sql"),
              ElementsAre("python3", "-m", "sqlfluff", "fix", "a.sql"));
  EXPECT_THAT(*hook_command({"out", "exec", "x", "--to=REVISION_SCRIPT_FILENAME.REVISION_SCRIPT_FILENAME", ""}, "f"),
              ElementsAre("x", "--to=f.f"));
}

TEST(PostWriteHook, RunsInItsFolderWithoutAShell) {
  const test::TempFolder folder;
  const std::string file = folder.write("a.sql", "text");
  ASSERT_TRUE(run_hooks({{"copy", "exec", "cp", "REVISION_SCRIPT_FILENAME 'b;c.sql'", folder.string()}}, file));
  EXPECT_EQ(test::read_file(folder / "b;c.sql"), "text");
}

TEST(PostWriteHook, NamesTheHookThatFails) {
  const auto failed = run_hooks({{"nay", "exec", "false", "", ""}}, "a.sql");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().describe(), HasSubstr("hook 'nay'"));
  EXPECT_THAT(failed.error().describe(), HasSubstr("exit code 1"));
  const auto missing = run_hooks({{"gone", "exec", "no-such-program-here", "", ""}}, "a.sql");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::Io);
  EXPECT_THAT(missing.error().describe(), HasSubstr("no-such-program-here"));
}

}  // namespace
}  // namespace athanor::cli
