// When the folder store flushes what to the disk. This program's own fsync() and renameat2() write down what they are called
// for, then do it; one of them can be made to fail.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "migrations/backup/folder_store.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

std::vector<std::string> calls;
std::string failing;  // the flush of a file whose name ends like this fails

std::string name_of(int descriptor) {
  std::array<char, 4096> path{};
  const auto length = ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size());
  return std::filesystem::path(std::string(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0)).filename().string();
}

}  // namespace

extern "C" int fsync(int descriptor) {
  const std::string name = name_of(descriptor);
  calls.push_back("flush " + name);
  if (!failing.empty() && name.ends_with(failing)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned int flags) noexcept {
  calls.push_back("name " + std::filesystem::path(to).filename().string());
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

namespace athanor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FlushedFiles : public testing::Test {
 protected:
  FlushedFiles() {
    calls.clear();
    failing.clear();
  }
  ~FlushedFiles() override { failing.clear(); }
  Result<void> save() {
    TRY_ASSIGN(const auto writer, store_->create("a.dump"));
    TRY(writer->write("bytes"));
    TRY(writer->finish());
    return writer->publish("{}");
  }
  std::vector<StoredFile> stored() { return store_->list().value(); }

  test::TempFolder folder_;
  std::unique_ptr<FolderStore> store_ = FolderStore::open_folder(folder_ / "backups").value();
};

TEST_F(FlushedFiles, AreOnTheDiskBeforeTheyHaveTheirNamesAndTheFolderAfterwards) {
  ASSERT_TRUE(save());
  EXPECT_THAT(calls, ElementsAre("flush .athanor-a.dump.part", "flush .athanor-a.json.part", "name a.json", "name a.dump",
                                 "flush backups"));
}

TEST_F(FlushedFiles, AreNoBackupWhenTheDumpCannotBeFlushed) {
  failing = "a.dump.part";
  const auto saved = save();
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::BackupFailed);
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(FlushedFiles, AreNoBackupWhenTheManifestCannotBeFlushed) {
  failing = "a.json.part";
  const auto saved = save();
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::BackupFailed);
  EXPECT_THAT(stored(), IsEmpty());
}

}  // namespace
}  // namespace athanor
