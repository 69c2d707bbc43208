// Archives that mean harm get nowhere.
#include "operator/sources/artifact_archive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/temp_folder.hpp"
#include "tests/unit/sources/archive_sketch.hpp"

namespace athanor::controller {
namespace {

using sketch::archive_of;
using sketch::ArchiveEntry;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Archive : public ::testing::Test {
 protected:
  Result<void> unpack(const std::string& bytes) {
    request_.file = folder_.write("artifact.tar.gz", bytes);
    auto made = UnpackedFolder::create(folder_ / "cache");
    into_ = std::move(*made);
    return unpack_archive(request_, *into_);
  }
  Error refused(const std::vector<ArchiveEntry>& entries) {
    const auto done = unpack(archive_of(entries));
    EXPECT_FALSE(done);
    return done ? Error() : done.error();
  }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(into_->path())) {
      if (!entry.is_directory()) {
        names.push_back(fs::relative(entry.path(), into_->path()).string());
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  test::TempFolder folder_;
  ArchiveRequest request_;
  std::unique_ptr<UnpackedFolder> into_;
};

TEST_F(Archive, RevisionFilesOfTheFolderAreWrittenAndNothingElse) {
  request_.folder = "db/versions";
  ASSERT_TRUE(unpack(archive_of({{"./", "", AE_IFDIR},
                                 {"./README.md", "hello"},
                                 {"./db/versions/", "", AE_IFDIR},
                                 {"./db/versions/one.sql", "SELECT 1;"},
                                 {"./db/versions/two.py", "revision = 'two'"},
                                 {"./db/versions/notes.txt", "no"},
                                 {"./db/versions/.hidden.sql", "no"},
                                 {"./db/versions/sub/three.sql", "no: not recursive"},
                                 {"./db/versions2/four.sql", "no"},
                                 {"./link", "", AE_IFLNK, "/etc/passwd"}})));
  EXPECT_THAT(files(), ElementsAre("one.sql", "two.py"));
  EXPECT_EQ(test::read_file(into_->path() + "/one.sql"), "SELECT 1;");
}

TEST_F(Archive, SubFoldersAreTakenWhenTheyAreWanted) {
  request_.recursive = true;
  const std::string deep = "a/" + std::string(120, 'n') + "/" + std::string(120, 'm') + ".sql";  // needs a pax header
  ASSERT_TRUE(unpack(archive_of({{"one.sql", "1"}, {deep, "2"}, {".git/three.sql", "3"}})));
  EXPECT_THAT(files(), ElementsAre(deep, "one.sql"));
}

TEST_F(Archive, NamesThatLeadOutAreRefusedWhereverTheyStand) {
  request_.folder = "db";
  for (const char* name : {"../evil.sql", "db/../../evil.sql", "/tmp/evil.sql", "other/../x.txt"}) {
    const Error error = refused({{"db/one.sql", "1"}, {name, "evil"}});
    EXPECT_EQ(error.code, ErrorCode::PathEscape) << name;
  }
  EXPECT_FALSE(fs::exists(folder_ / "cache/evil.sql"));
}

TEST_F(Archive, LinksInTheFolderAndDevicesAreRefused) {
  request_.folder = "db";
  EXPECT_EQ(refused({{"db/evil.sql", "", AE_IFLNK, "/etc/passwd"}}).code, ErrorCode::PathEscape);
  EXPECT_EQ(refused({{"db/one.sql", "1"}, {"db/two.sql", "", AE_IFREG, "", "db/one.sql"}}).code, ErrorCode::PathEscape);
  EXPECT_EQ(refused({{"db", "", AE_IFLNK, "/etc"}, {"db/x.sql", "1"}}).code, ErrorCode::PathEscape);
  EXPECT_EQ(refused({{"elsewhere/pipe", "", AE_IFIFO}}).code, ErrorCode::PathEscape);
}

TEST_F(Archive, AFileThatComesTwiceIsRefused) {
  const Error error = refused({{"one.sql", "1"}, {"./one.sql", "2"}});
  EXPECT_EQ(error.code, ErrorCode::PathEscape);
  EXPECT_THAT(error.context, HasSubstr("one.sql"));
}

TEST_F(Archive, WhatUnpacksToTooMuchIsRefusedAlsoInFilesThatNobodyWants) {
  request_.max_bytes = std::uint64_t{1} << 20U;
  const std::string bomb = archive_of({{"bomb.bin", std::string(std::size_t{16} << 20U, '\0')}});
  ASSERT_LT(bomb.size(), std::size_t{64} << 10U);
  auto done = unpack(bomb);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::FileTooLarge);
  // In many small pieces, too.
  std::vector<ArchiveEntry> pieces;
  for (int i = 0; i < 40; ++i) {
    pieces.push_back({"piece" + std::to_string(i), std::string(std::size_t{32} << 10U, '\0')});
  }
  EXPECT_EQ(refused(pieces).code, ErrorCode::FileTooLarge);
}

TEST_F(Archive, LimitsOnFilesHold) {
  request_.limits.max_files = 2;
  EXPECT_THAT(refused({{"a.sql", "1"}, {"b.sql", "1"}, {"c.sql", "1"}}).hint, HasSubstr("--max-files"));
  request_.limits.max_file_bytes = 10;
  const Error error = refused({{"a.sql", "12345678901"}});
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_EQ(error.context, "a.sql");
  request_.limits.max_source_bytes = 8;
  const Error together = refused({{"a.sql", "12345"}, {"b.sql", "6789"}});
  EXPECT_EQ(together.code, ErrorCode::FileTooLarge);
  EXPECT_EQ(together.message, "the artifact contains more than 8 bytes of revision files");
}

TEST_F(Archive, WhatIsTruncatedOrNoArchiveIsRefused) {
  std::string noise;
  for (unsigned i = 0, state = 1; i < 100'000; ++i) {
    state = state * 1'103'515'245U + 12'345U;
    noise += static_cast<char>(state >> 16U);
  }
  const std::string whole = archive_of({{"one.sql", noise}, {"two.sql", "2"}});
  for (const std::string& bytes : {whole.substr(0, whole.size() / 2), whole.substr(0, 20), std::string("no archive at all"),
                                   std::string("PK\x03\x04 a zip, perhaps")}) {
    const auto done = unpack(bytes);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::MalformedRevision);
  }
}

TEST_F(Archive, AFolderThatIsNotThereIsSaid) {
  request_.folder = "versions";
  const Error error = refused({{"db/one.sql", "1"}});
  EXPECT_THAT(error.message, HasSubstr("no folder 'versions'"));
  EXPECT_EQ(error.retry, RetryClass::Terminal);
  EXPECT_THAT(files(), IsEmpty());
}

TEST(InnerPath, IsCleanedOrRefused) {
  EXPECT_EQ(clean_inner_path("./a//b/"), "a/b");
  EXPECT_EQ(clean_inner_path(""), "");
  EXPECT_EQ(clean_inner_path("a/..b"), "a/..b");
  EXPECT_EQ(clean_inner_path("/a"), std::nullopt);
  EXPECT_EQ(clean_inner_path("a/.."), std::nullopt);
  EXPECT_EQ(clean_inner_path(std::string(256, 'n')), std::nullopt);
}

}  // namespace
}  // namespace athanor::controller
