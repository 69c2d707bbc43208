#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "migrations/revision/source.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using test::TempFolder;

std::string native(const std::string& id, const std::string& down = {}) {
  return "-- Add " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + down + "\n\nSELECT 1;\n";
}
std::string alembic(const std::string& id, const std::string& down = {}) {
  return "\"\"\"Add " + id + "\"\"\"\nrevision = '" + id + "'\ndown_revision = " + (down.empty() ? "None" : "'" + down + "'") +
         "\nbranch_labels = None\ndepends_on = None\n\ndef upgrade():\n    pass\n";
}

std::vector<std::string> ids(const Result<std::vector<Revision>>& listed) {
  if (!listed) {
    return {listed.error().describe()};
  }
  std::vector<std::string> found;
  for (const auto& revision : *listed) {
    found.push_back(revision.id);
  }
  return found;
}

std::vector<std::string> list(const TempFolder& folder, bool recursive = false) {
  return ids(FolderSource({folder.string()}, recursive).list());
}

Error error_of(const TempFolder& folder, SourceLimits limits = {}) {
  auto listed = FolderSource({folder.string()}, false, limits).list();
  if (listed) {
    ADD_FAILURE() << "accepted";
    return {};
  }
  return listed.error();
}

using Ids = std::vector<std::string>;

TEST(FolderSource, ListsBothFormatsByName) {
  const TempFolder folder;
  folder.write("b.sql", native("b1"));
  folder.write("a.py", alembic("a1"));
  folder.write("a.sql", native("a2"));
  folder.write("B.sql", native("b0"));
  folder.write("\xC3\xA9.sql", native("e1"));
  EXPECT_EQ(list(folder), (Ids{"b0", "a1", "a2", "b1", "e1"}));
}

TEST(FolderSource, PassesOverWhatIsNoRevision) {
  const TempFolder folder;
  folder.write("a.sql", native("a1"));
  folder.write("__init__.py", "");
  folder.write("__init__x.py", "");
  folder.write(".hidden.sql", "garbage");
  folder.write("._a.py", "garbage");
  folder.write("_draft.sql", "garbage");
  folder.write("_shared.py", "def helper():\n    pass\n");
  folder.write("README.md", "garbage");
  folder.write("a.sql.orig", "garbage");
  folder.write("__pycache__/a.cpython-311.pyc", "garbage");
  folder.write("sub.sql/inner.sql", native("never"));
  EXPECT_EQ(list(folder), Ids{"a1"});
}

TEST(FolderSource, LoadsAnUnderscoredFileThatIsARevisionAsAlembicDoes) {
  const TempFolder folder;
  folder.write("_a.py", alembic("a1"));
  EXPECT_EQ(list(folder), Ids{"a1"});
}

TEST(FolderSource, KeepsTheOrderOfLocations) {
  const TempFolder folder;
  folder.write("one/z.sql", native("z1"));
  folder.write("two/a.sql", native("a1"));
  EXPECT_EQ(ids(FolderSource({folder / "two", folder / "one"}, false).list()), (Ids{"a1", "z1"}));
  EXPECT_EQ(ids(FolderSource({folder / "one/", folder / "two"}, false).list()), (Ids{"z1", "a1"}));
}

TEST(FolderSource, WalksFilesBeforeFoldersAsAlembicDoes) {
  const TempFolder folder;
  folder.write("b/a.sql", native("ba"));
  folder.write("b/c/a.sql", native("bca"));
  folder.write("b/z.sql", native("bz"));
  folder.write("a/a.sql", native("aa"));
  folder.write("z.sql", native("z1"));
  folder.write("b-a/a.sql", native("b_a"));
  folder.write("__pycache__/x.py", "garbage");
  folder.write(".git/x.sql", "garbage");
  EXPECT_EQ(list(folder, true), (Ids{"z1", "aa", "ba", "bz", "bca", "b_a"}));
  EXPECT_EQ(list(folder, false), Ids{"z1"});
}

TEST(FolderSource, CountsAFileThatTwoLocationsReachOnce) {
  const TempFolder folder;
  folder.write("a.sql", native("a1"));
  folder.write("sub/b.sql", native("b1"));
  EXPECT_EQ(ids(FolderSource({folder / "sub", folder.string()}, true).list()), (Ids{"b1", "a1"}));
  std::filesystem::create_symlink("a.sql", folder / "z.sql");
  EXPECT_EQ(list(folder), Ids{"a1"});
}

TEST(FolderSource, GivesPathsThatCanBeRead) {
  const TempFolder folder;
  folder.write("a.sql", native("a1"));
  const FolderSource source({folder.string() + "/"}, false);
  const auto listed = source.list();
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->front().path, folder / "a.sql");
  EXPECT_EQ(source.read(listed->front()).value(), native("a1"));
}

TEST(FolderSource, NormalisesByteOrderMarkAndLineEndsWhenReading) {
  const TempFolder folder;
  folder.write("a.sql", "\xEF\xBB\xBF-- Add\r\n-- Revision: a1\r\n\r\nSELECT '\r';\r\n");
  const FolderSource source({folder.string()}, false);
  const auto listed = source.list();
  ASSERT_TRUE(listed) << listed.error().describe();
  EXPECT_EQ(source.read(listed->front()).value(), "-- Add\n-- Revision: a1\n\nSELECT '\r';\n");
}

TEST(FolderSource, NamesAMissingLocation) {
  const TempFolder folder;
  const auto listed = FolderSource({folder / "nowhere"}, false).list();
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, ErrorCode::Io);
  EXPECT_EQ(listed.error().describe(),
            (folder / "nowhere") + ": cannot open the folder of revisions: No such file or directory");
}

TEST(FolderSource, RefusesNulBytesAndWhatIsNotUtf8) {
  const TempFolder folder;
  folder.write("a.sql", std::string("-- a\n-- Revision: a1\n\nSELECT '\0';\n", 33));
  EXPECT_EQ(error_of(folder).describe(), (folder / "a.sql") + ":4: NUL byte at offset 30: this is not a text file");
  folder.write("a.sql", "-- caf\xE9\n-- Revision: a1\n");
  EXPECT_EQ(error_of(folder).describe(), (folder / "a.sql") + ":1: byte 0xE9 at offset 6 is not UTF-8");
  EXPECT_EQ(error_of(folder).code, ErrorCode::NotUtf8);
  folder.write("a.sql", std::string("\xFF\xFE-\0-\0", 6));
  EXPECT_EQ(error_of(folder).describe(), (folder / "a.sql") + ":1: the file is UTF-16, not UTF-8");
}

TEST(FolderSource, FindsBadBytesFarIntoABodyWhenItIsRead) {
  const TempFolder folder;
  folder.write("a.sql", native("a1") + std::string(10'000, '\n') + "\xFF");
  const FolderSource source({folder.string()}, false);
  const auto listed = source.list();
  ASSERT_TRUE(listed);
  const auto text = source.read(listed->front());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::NotUtf8);
  EXPECT_EQ(text.error().context, (folder / "a.sql") + ":10007");
}

TEST(FolderSource, ReadsHeadersThatEndBeyondTheFirstBlock) {
  const TempFolder folder;
  std::string comments;
  while (comments.size() < 9'000) {
    comments += "# \xC3\xA9 a comment to push the header down\n";
  }
  folder.write("a.py", comments + alembic("a1"));
  std::string description;
  while (description.size() < 9'000) {
    description += "-- \xC3\xA9\xC3\xA9\xC3\xA9 a long story\n";
  }
  folder.write("b.sql", "-- Add b\n" + description + "--\n-- Revision: b1\n-- Revises: a1\n\nSELECT 1;\n");
  for (std::size_t pad = 0; pad < 3; ++pad) {  // a character cut by the block's end
    folder.write("c.py", std::string(pad, '#') + "# " + std::string(4'091, 'x') + "\xE2\x82\xAC\n" + alembic("c1"));
    EXPECT_EQ(list(folder), (Ids{"a1", "b1", "c1"}));
  }
}

TEST(FolderSource, RefusesAFileBeyondTheLimitAndSaysHowToRaiseIt) {
  const TempFolder folder;
  folder.write("a.sql", native("a1"));
  std::filesystem::resize_file(folder / "a.sql", 100U << 20U);  // sparse
  const auto error = error_of(folder);
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_EQ(error.describe(), (folder / "a.sql") + ": the file has 104857600 bytes, more than the limit of 67108864");
  EXPECT_EQ(error.hint, "raise `limits.file_size` in athanor.yaml, or move bulk data out of the revision");
}

TEST(FolderSource, RefusesALargeBodyWhenReading) {
  const TempFolder folder;
  folder.write("a.sql", native("a1") + std::string(300, ' '));
  const FolderSource source({folder.string()}, false, SourceLimits{.max_file_bytes = 200});
  const auto listed = source.list();
  ASSERT_TRUE(listed);
  const auto text = source.read(listed->front());
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::FileTooLarge);
}

TEST(FolderSource, RefusesMoreFilesThanTheLimit) {
  const TempFolder folder;
  for (const auto* name : {"a", "b", "c"}) {
    folder.write(std::string(name) + ".sql", native(name));
  }
  const auto error = error_of(folder, SourceLimits{.max_files = 2});
  EXPECT_EQ(error.describe(), folder.string() + ": more than 2 revision files");
  EXPECT_EQ(error.hint, "raise `limits.files` in athanor.yaml if they all are revisions");
}

// So many that a second thread helps, which has descriptors of its own.
TEST(FolderSource, ReadsEveryOneOfManyLinksAsItself) {
  const TempFolder folder;
  for (int number = 0; number < 6'000; ++number) {
    const std::string id = "a" + std::to_string(number);
    folder.write("..data/" + id + ".sql", native(id));
    std::filesystem::create_symlink("..data/" + id + ".sql", folder / (id + ".sql"));
  }
  const auto listed = FolderSource({folder.string()}, false).list();
  ASSERT_TRUE(listed) << listed.error().describe();
  EXPECT_EQ(listed->size(), 6'000U);
  for (const auto& revision : *listed) {
    EXPECT_EQ(folder / (revision.id + ".sql"), revision.path);
  }
}

// What the kubelet makes of a ConfigMap: `..data` links to the current generation, every file links through `..data`.
TEST(FolderSource, ReadsAMountedConfigMap) {
  const TempFolder folder;
  folder.write("mount/..2026_11_21/a.sql", native("a1"));
  folder.write("mount/..2026_11_21/b.py", alembic("b1", "a1"));
  folder.write("mount/..2026_11_21/sub/c.sql", native("c1", "b1"));
  std::filesystem::create_symlink("..2026_11_21", folder / "mount/..data");
  std::filesystem::create_symlink("..data/a.sql", folder / "mount/a.sql");
  std::filesystem::create_symlink("..data/b.py", folder / "mount/b.py");
  std::filesystem::create_symlink("..data/sub", folder / "mount/sub");
  std::filesystem::create_symlink("mount", folder / "link-to-mount");
  for (const auto* location : {"mount", "link-to-mount"}) {
    const FolderSource source({folder / location}, false);
    const auto listed = source.list();
    EXPECT_EQ(ids(listed), (Ids{"a1", "b1"}));
    EXPECT_EQ(listed->front().path, (folder / location) + "/a.sql");
    EXPECT_EQ(source.read(listed->front()).value(), native("a1"));
    const FolderSource deep({folder / location}, true);
    const auto all = deep.list();
    EXPECT_EQ(ids(all), (Ids{"a1", "b1", "c1"}));
    EXPECT_EQ(deep.read(all->back()).value(), native("c1", "b1"));
  }
}

// The path of a revision may come from elsewhere than list(): from a plan, or from a ledger.
TEST(FolderSource, ReadsNothingThatLiesOutsideOfItsLocations) {
  const TempFolder folder;
  folder.write("outside.sql", native("o1"));
  folder.write("in/a.sql", native("a1"));
  const FolderSource source({folder / "in"}, true);
  Revision revision;
  for (const char* const path :
       {"in/../outside.sql", "in/x/../../outside.sql", "in/..", "outside.sql", "in2/a.sql", "in//../x.sql"}) {
    revision.path = folder / path;
    const auto text = source.read(revision);
    ASSERT_FALSE(text) << path;
    EXPECT_EQ(text.error().describe(), revision.path + ": the file lies outside the configured locations");
  }
  revision.path = folder / "in/a.sql";
  EXPECT_TRUE(source.read(revision));
}

TEST(FolderSource, RefusesLinksThatLeaveTheLocation) {
  const TempFolder folder;
  folder.write("outside.sql", native("o1"));
  folder.write("in/a.sql", native("a1"));
  for (const auto& target : {std::string("../outside.sql"), folder / "outside.sql", std::string("../in2/x.sql")}) {
    folder.write("in2/x.sql", native("x1"));
    std::filesystem::remove(folder / "in/b.sql");
    std::filesystem::create_symlink(target, folder / "in/b.sql");
    const auto listed = FolderSource({folder / "in"}, false).list();
    ASSERT_FALSE(listed) << target;
    EXPECT_EQ(listed.error().code, ErrorCode::PathEscape);
    EXPECT_EQ(listed.error().describe(), (folder / "in/b.sql") + ": the symbolic link points outside its location");
  }
  std::filesystem::remove(folder / "in/b.sql");
  std::filesystem::create_symlink(folder / "in/a.sql", folder / "in/z.sql");  // absolute, but inside
  EXPECT_EQ(ids(FolderSource({folder / "in"}, false).list()), Ids{"a1"});
}

TEST(FolderSource, DoesNotFollowFoldersOutOfTheLocationNorInCircles) {
  const TempFolder folder;
  folder.write("outside/o.sql", native("o1"));
  folder.write("in/a.sql", native("a1"));
  folder.write("in/.store/x/x.sql", native("x1"));
  std::filesystem::create_directory_symlink("../outside", folder / "in/out");
  std::filesystem::create_directory_symlink(".", folder / "in/again");
  std::filesystem::create_directory_symlink("../..", folder / "in/.store/x/up");
  std::filesystem::create_directory_symlink("../x", folder / "in/.store/x/self");
  std::filesystem::create_directory_symlink(".store/x", folder / "in/x");
  EXPECT_EQ(ids(FolderSource({folder / "in"}, true).list()), (Ids{"a1", "x1"}));
}

TEST(FolderSource, NamesADanglingLink) {
  const TempFolder folder;
  std::filesystem::create_symlink("gone.sql", folder / "a.sql");
  EXPECT_EQ(error_of(folder).describe(), (folder / "a.sql") + ": cannot follow the symbolic link: No such file or directory");
}

TEST(FolderSource, NeverWaitsForAFifoADeviceOrASocket) {
  const TempFolder folder;
  folder.write("in/a.sql", native("a1"));
  ASSERT_EQ(::mkfifo((folder / "in/b.sql").c_str(), 0600), 0);
  EXPECT_EQ(ids(FolderSource({folder / "in"}, false).list()), Ids{(folder / "in/b.sql") + ": not a regular file"});
  std::filesystem::rename(folder / "in/b.sql", folder / "in/fifo");
  std::filesystem::create_symlink("fifo", folder / "in/b.sql");
  EXPECT_EQ(ids(FolderSource({folder / "in"}, false).list()), Ids{(folder / "in/b.sql") + ": not a regular file"});
  std::filesystem::remove(folder / "in/b.sql");
  std::filesystem::create_symlink("/dev/zero", folder / "in/b.sql");
  EXPECT_EQ(FolderSource({folder / "in"}, false).list().error().code, ErrorCode::PathEscape);
}

TEST(FolderSource, RefusesToReadOutsideItsLocations) {
  const TempFolder folder;
  folder.write("secret.sql", native("s1"));
  folder.write("in/a.sql", native("a1"));
  const FolderSource source({folder / "in"}, false);
  for (const auto& path : {folder / "secret.sql", folder / "in/../secret.sql", std::string("/etc/passwd"), folder / "in"}) {
    Revision revision;
    revision.path = path;
    const auto text = source.read(revision);
    ASSERT_FALSE(text) << path;
    EXPECT_EQ(text.error().code, ErrorCode::PathEscape) << path;
  }
}

TEST(FolderSource, KeepsOrderAndFirstErrorWithManyFiles) {
  const TempFolder folder;
  Ids expected;
  for (int index = 0; index < 1'500; ++index) {
    const auto id = "r" + std::to_string(10'000 + index);
    folder.write(id + (index % 3 == 0 ? ".py" : ".sql"), index % 3 == 0 ? alembic(id) : native(id));
    expected.push_back(id);
  }
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(list(folder), expected);
  }
  folder.write("r11400.sql", "late fault\n");
  folder.write("r10700.sql", "early fault\n");
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(error_of(folder).context, (folder / "r10700.sql") + ":1");
  }
}

TEST(MemorySource, ListsInTheGivenOrderAndReads) {
  const MemorySource source({{"z.sql", native("z1")}, {"a.py", alembic("a1")}, {"plain", native("p1")}});
  const auto listed = source.list();
  EXPECT_EQ(ids(listed), (Ids{"z1", "a1", "p1"}));
  EXPECT_EQ(source.read(listed->front()).value(), native("z1"));
  EXPECT_EQ(ids(MemorySource(std::vector<MemorySource::File>{{"bad.sql", "SELECT 1;"}}).list()),
            Ids{"bad.sql:1: no `-- Revision:` in the header of the file"});
}

}  // namespace
}  // namespace athanor
