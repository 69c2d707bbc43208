#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "migrations/backup/client_programs.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;

void install(const test::TempFolder& root, const std::string& folder, const std::string& version) {
  for (const std::string name : {"pg_dump", "pg_restore"}) {
    const std::string path = root.write(folder + "/" + name, "#!/bin/sh\necho '" + name + " (PostgreSQL) " + version + "'\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
}

TEST(ProgramVersion, IsReadFromWhatTheProgramsPrint) {
  EXPECT_EQ(parse_program_version("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n").text, "15.20");
  EXPECT_EQ(parse_program_version("pg_dump (PostgreSQL) 18beta1\n").major, 18);
  EXPECT_EQ(parse_program_version("pg_dump (Other) 15\n").major, 0);
  EXPECT_EQ(parse_program_version("").major, 0);
}

TEST(FindPrograms, TakesTheClosestThatIsNotOlderThanTheServer) {
  const test::TempFolder root;
  install(root, "installed/14/bin", "14.9");
  install(root, "installed/16/bin", "16.4");
  install(root, "path", "17.1");
  const ProgramSearch search{"", {root / "path"}, root / "installed", {}};
  EXPECT_EQ(find_programs(search, 14, {}).value().version, "14.9");
  EXPECT_EQ(find_programs(search, 15, {}).value().pg_dump, root / "installed/16/bin/pg_dump");
  EXPECT_EQ(find_programs(search, 17, {}).value().pg_restore, root / "path/pg_restore");
}

TEST(FindPrograms, RefusesOlderOnesAndNamesThePackage) {
  const test::TempFolder root;
  install(root, "path", "14.9");
  const auto refused = find_programs({"", {root / "path"}, root / "none", {}}, 15, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::BackupRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("pg_dump 14.9"));
  EXPECT_THAT(refused.error().hint, HasSubstr("postgresql-client-15"));
}

TEST(FindPrograms, LooksNowhereElseWhenAFolderIsNamed) {
  const test::TempFolder root;
  install(root, "path", "15.1");
  const auto refused = find_programs({root / "mine", {root / "path"}, root / "none", {}}, 15, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("not found in " + (root / "mine")));
}

}  // namespace
}  // namespace athanor
