#include "migrations/base/program_path.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <tuple>

#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

class ProgramPath : public testing::Test {
 protected:
  [[nodiscard]] std::string file(const std::string& name, mode_t mode) const {
    const std::string path = folder_.write(name, "#!/bin/sh\n");
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  test::TempFolder folder_;
};

TEST_F(ProgramPath, AProgramIsAFileThatMayBeExecuted) {
  EXPECT_TRUE(is_program(file("bin/tool", 0700)));
  EXPECT_FALSE(is_program(file("bin/text", 0600)));
  EXPECT_FALSE(is_program(folder_ / "bin"));
  EXPECT_FALSE(is_program(folder_ / "bin/nothing"));
}

TEST_F(ProgramPath, TheFirstFolderThatHasAProgramOfTheNameIsTaken) {
  std::ignore = file("a/tool", 0600);
  const std::string second = file("b/tool", 0700);
  std::ignore = file("c/tool", 0700);
  const std::string path = "::/nowhere:" + folder_ / "a" + ":" + folder_ / "b" + ":" + folder_ / "c";
  EXPECT_EQ(find_program("tool", path), second);
  EXPECT_EQ(find_program("other", path), "");
  EXPECT_EQ(find_program("tool", ""), "");
}

TEST_F(ProgramPath, FoldersThatDependOnTheWorkingFolderArePassedOver) {
  EXPECT_NE(find_program("sh", "/bin"), "");
  EXPECT_EQ(find_program("sh", "../../../../../../../../../bin:bin:."), "");
}

}  // namespace
}  // namespace athanor
