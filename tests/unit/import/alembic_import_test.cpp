// The writing half, without Python: rendered projects made by hand.
#include "migrations/import/alembic_import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using test::TempFolder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RenderedRevision revision(std::string id, std::vector<std::string> down, std::string sql) {
  RenderedRevision result;
  result.file = "/project/versions/" + id + "_change.py";
  result.id = std::move(id);
  result.down = std::move(down);
  result.description = {"Change " + result.id};
  result.upgrade.parts = {{RenderedPart::Kind::Sql, std::move(sql), 0}};
  return result;
}

RenderedProject project_of(std::vector<RenderedRevision> revisions, std::vector<std::string> heads) {
  RenderedProject project;
  project.version_table = "alembic_version";
  project.revisions = std::move(revisions);
  project.heads = std::move(heads);
  project.bases = {"aa11"};
  return project;
}

TEST(AlembicImport, WritesEveryFileAndFindsAlembicsGraph) {
  const TempFolder folder;
  const std::string output = folder / "sql/deep";
  const auto project = project_of({revision("aa11", {}, "SELECT 1"), revision("bb22", {"aa11"}, "SELECT 2")}, {"bb22"});
  const auto import = prepare_import(project, output);
  ASSERT_TRUE(import) << import.error().describe();
  EXPECT_FALSE(std::filesystem::exists(output)) << "preparing writes nothing";
  ASSERT_TRUE(write_import(*import, project, output));
  EXPECT_THAT(test::read_file(output + "/bb22_change.sql"), HasSubstr("-- Revises: aa11\n"));
}

TEST(AlembicImport, LeavesNothingBehindWhenTheGraphIsNotAlembics) {
  const TempFolder folder;
  const std::string output = folder / "sql";
  const auto project = project_of({revision("aa11", {}, "SELECT 1"), revision("bb22", {"aa11"}, "SELECT 2")}, {"cc33"});
  const auto import = prepare_import(project, output);
  ASSERT_TRUE(import);
  const auto written = write_import(*import, project, output);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("heads or bases differ"));
  EXPECT_FALSE(std::filesystem::exists(output));
}

TEST(AlembicImport, LeavesNothingBehindWhenAFileCannotBeWritten) {
  const TempFolder folder;
  const std::string output = folder / "sql";
  const auto project = project_of({revision("aa11", {}, "SELECT 1"), revision("bb22", {"aa11"}, "SELECT 2")}, {"bb22"});
  const auto import = prepare_import(project, output);
  ASSERT_TRUE(import);
  test::write_file(output + "/bb22_change.sql", "-- came in between\n");
  const auto written = write_import(*import, project, output);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::Io);
  EXPECT_FALSE(std::filesystem::exists(output + "/aa11_change.sql"));
  EXPECT_EQ(test::read_file(output + "/bb22_change.sql"), "-- came in between\n");
}

TEST(AlembicImport, TellsAnUpgradeFromADowngradeThatCannotBeKept) {
  auto bad_downgrade = revision("aa11", {}, "SELECT 1");
  bad_downgrade.downgrade.parts = {{RenderedPart::Kind::Sql, "ROLLBACK", 0}};
  auto bad_upgrade = revision("bb22", {"aa11"}, "COPY t FROM STDIN");
  const TempFolder folder;
  const auto import = prepare_import(project_of({bad_downgrade, bad_upgrade}, {"bb22"}), folder / "sql");
  ASSERT_TRUE(import);
  ASSERT_THAT(import->irreversible, SizeIs(1));
  EXPECT_EQ(import->irreversible.front().revision, "aa11");
  ASSERT_THAT(import->refused, SizeIs(1));
  EXPECT_EQ(import->refused.front().revision, "bb22");
  EXPECT_THAT(import->files, SizeIs(1));
}

TEST(AlembicImport, RefusesADocstringThatWouldReadAsAField) {
  auto odd = revision("aa11", {}, "SELECT 1");
  odd.description = {"Revises: everything"};
  const TempFolder folder;
  const auto import = prepare_import(project_of({odd}, {"aa11"}), folder / "sql");
  ASSERT_TRUE(import);
  ASSERT_THAT(import->refused, SizeIs(1));
  EXPECT_THAT(import->files, IsEmpty());
}

TEST(AlembicImport, RefusesTwoFilesThatWouldShareAName) {
  auto first = revision("aa11", {}, "SELECT 1");
  auto second = revision("bb22", {"aa11"}, "SELECT 2");
  first.file = "/one/change.py";
  second.file = "/two/change.py";
  const TempFolder folder;
  const auto import = prepare_import(project_of({first, second}, {"bb22"}), folder / "sql");
  ASSERT_FALSE(import);
  EXPECT_THAT(import.error().message, HasSubstr("/two/change.py and /one/change.py would both become"));
}

}  // namespace
}  // namespace athanor
