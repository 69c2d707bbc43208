// What every BackupStore promises, asked of each; then what is the folder's alone.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "migrations/backup/folder_store.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;

std::string whole(BackupReader& reader) {
  std::string text;
  std::string buffer(7, '\0');
  while (true) {
    const auto got = reader.read(buffer);
    if (!got || *got == 0) {
      return got ? text : "error: " + got.error().describe();
    }
    text.append(buffer, 0, *got);
  }
}

std::vector<std::string> names(BackupStore& store) {
  std::vector<std::string> list;
  const auto files = store.list().value();
  for (const StoredFile& file : files) {
    list.push_back(file.name);
  }
  return list;
}

template <class Store>
class StoreContract : public ::testing::Test {
 public:
  test::TempFolder folder;
  std::unique_ptr<BackupStore> make() {
    if constexpr (std::is_same_v<Store, FolderStore>) {
      return FolderStore::open_folder(folder / "backups").value();
    } else {
      return std::make_unique<test::MemoryStore>();
    }
  }
};
using Stores = ::testing::Types<FolderStore, test::MemoryStore>;
TYPED_TEST_SUITE(StoreContract, Stores);

TYPED_TEST(StoreContract, ShowsNothingBeforeItIsPublished) {
  const auto store = this->make();
  auto writer = store->create("a.dump").value();
  ASSERT_TRUE(writer->write("one ").has_value());
  ASSERT_TRUE(writer->write("two").has_value());
  ASSERT_TRUE(writer->finish().has_value());
  EXPECT_EQ(whole(*writer->read_back().value()), "one two");
  EXPECT_TRUE(names(*store).empty());
  ASSERT_TRUE(writer->publish("{}").has_value());
  EXPECT_EQ(names(*store), (std::vector<std::string>{"a.dump", "a.json"}));
  EXPECT_EQ(store->list()->front().size, 7U);
  EXPECT_EQ(whole(*store->open("a.dump").value()), "one two");
  EXPECT_EQ(read_small(*store, "a.json").value(), "{}");
}

TYPED_TEST(StoreContract, LeavesNothingOfAWriterThatGaveUp) {
  const auto store = this->make();
  {
    auto writer = store->create("a.dump").value();
    ASSERT_TRUE(writer->write("half").has_value());
  }
  EXPECT_TRUE(names(*store).empty());
  EXPECT_TRUE(store->create("a.dump").has_value());
}

TYPED_TEST(StoreContract, NeverWritesOverAFile) {
  const auto store = this->make();
  for (const bool first : {true, false}) {
    auto writer = store->create("a.dump").value();
    ASSERT_TRUE(writer->write(first ? "first" : "second").has_value());
    ASSERT_TRUE(writer->finish().has_value());
    EXPECT_EQ(writer->publish("{}").has_value(), first);
  }
  EXPECT_EQ(whole(*store->open("a.dump").value()), "first");
}

TYPED_TEST(StoreContract, SaysWhatIsNotThereAndForgetsTwice) {
  const auto store = this->make();
  EXPECT_EQ(store->open("b.dump").error().code, ErrorCode::BackupNotFound);
  EXPECT_TRUE(store->remove("b.dump").has_value());
  for (const char* name : {"../b.dump", ".b.dump", ""}) {
    EXPECT_EQ(store->create(name).error().code, ErrorCode::BackupRefused) << name;
  }
}

TEST(FolderStore, KeepsFilesToTheirOwner) {
  const test::TempFolder folder;
  const auto store = FolderStore::open_folder(folder / "b").value();
  auto writer = store->create("a.dump").value();
  ASSERT_TRUE(writer->publish("{}").has_value());
  struct stat status {};
  for (const char* name : {"b/a.dump", "b/a.json"}) {
    ASSERT_EQ(::stat((folder / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << name;
  }
  ASSERT_EQ(::stat((folder / "b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(FolderStore, CleansWhatDeadWritersLeftAndNothingElse) {
  const test::TempFolder folder;
  const auto store = FolderStore::open_folder(folder.string()).value();
  folder.write(".athanor-dead.dump.part", "half");
  folder.write(".athanor-alive.dump.part", "half");
  folder.write(".somebody-else.part", "x");
  folder.write("notes.txt", "x");
  const int alive = ::open((folder / ".athanor-alive.dump.part").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(alive, LOCK_EX | LOCK_NB), 0);
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(store->clean(now).value(), 0) << "too young to be taken for dead";
  EXPECT_EQ(store->clean(now + std::chrono::hours(1)).value(), 1);
  ::close(alive);
  EXPECT_FALSE(std::filesystem::exists(folder / ".athanor-dead.dump.part"));
  for (const char* name : {".athanor-alive.dump.part", ".somebody-else.part", "notes.txt"}) {
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  }
}

TEST(FolderStore, TurnsAFileThatMayNotGrowIntoAnErrorAndLeavesNothing) {
  const test::TempFolder folder;
  const auto store = FolderStore::open_folder(folder / "b").value();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{64 << 10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Result<void> written;
  {
    auto writer = store->create("a.dump").value();
    written = writer->write(std::string(128 << 10, 'x'));
  }
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::BackupFailed);
  EXPECT_THAT(written.error().hint, HasSubstr("free some space"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "b"));
}

TEST(FolderStore, RefusesAFolderThatCannotBeMade) {
  const test::TempFolder folder;
  folder.write("file", "x");
  EXPECT_EQ(FolderStore::open_folder(folder / "file").error().code, ErrorCode::BackupRefused);
  EXPECT_EQ(FolderStore::open_folder(folder / "no/such").error().code, ErrorCode::BackupRefused);
  EXPECT_EQ(FolderStore::open_folder("").error().code, ErrorCode::BackupRefused);
}

}  // namespace
}  // namespace athanor
