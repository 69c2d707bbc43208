#include "migrations/revision/header_cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "migrations/revision/header_scan.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using test::TempFolder;
namespace fs = std::filesystem;

constexpr int kFiles = 200;  // enough for a cache

class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(std::chrono::seconds shift) : shift_(shift) {}
  [[nodiscard]] SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall_now() const override { return std::chrono::system_clock::now() + shift_; }
  bool wait(milliseconds, const StopToken&) override { return true; }

 private:
  std::chrono::seconds shift_;
};

std::string native(const std::string& id, const std::string& message = "Add") {
  return "-- " + message + "\n-- Revision: " + id + "\n-- Revises:\n\nSELECT 1;\n";
}

FileStamp stamp_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return FileStamp::of(status);
}

std::int64_t changed_at(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec;
}

// The clock of a file system ticks every few milliseconds: changes until the change shows, as it would a moment later.
template <typename Change>
void change_visibly(const std::string& path, Change change) {
  const auto before = changed_at(path);
  do {
    change();
  } while (changed_at(path) == before);
}

void set_modified(const std::string& path, std::int64_t nanoseconds) {
  const struct timespec time { nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000 };
  const std::array<struct timespec, 2> times{time, time};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
}

void overwrite(const std::string& path, std::string_view text) {  // the same inode
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_TRUNC));
  ASSERT_TRUE(file);
  ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

struct Listing {
  std::vector<Revision> revisions;
  std::size_t read = 0;
  std::string error;
};

bool equal(const Revision& a, const Revision& b) {
  return a.id == b.id && a.down == b.down && a.depends_on == b.depends_on && a.labels == b.labels && a.message == b.message &&
         a.created == b.created && a.path == b.path && a.format == b.format;
}

class HeaderCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kFiles; ++i) {
      folder_.write("versions/" + name(i), native(id(i)));
    }
  }

  static std::string id(int i) { return "r" + std::to_string(10'000 + i); }
  static std::string name(int i) { return id(i) + ".sql"; }
  [[nodiscard]] std::string path(int i) const { return folder_ / ("versions/" + name(i)); }

  // Lists twice, with and without the cache, and requires one answer.
  Listing list(bool recursive = false) const { return list({folder_ / "versions"}, recursive, later_); }
  Listing list(const std::vector<std::string>& locations, bool recursive, const Clock& clock) const {
    std::vector<VersionFolder> folders;
    for (const auto& location : locations) {
      folders.push_back(VersionFolder::open(location).value());
    }
    const SourceLimits limits;
    HeaderScan scan(recursive, limits, {folder_ / cache_name_, &clock});
    auto listed = scan.run(folders);
    auto plain = HeaderScan(recursive, limits).run(folders);
    Listing listing{.revisions = {}, .read = scan.files_read(), .error = listed ? "" : listed.error().describe()};
    EXPECT_EQ(listing.error, plain ? "" : plain.error().describe());
    if (listed && plain) {
      EXPECT_TRUE(std::ranges::equal(*listed, *plain, equal));
      listing.revisions = std::move(*listed);
    }
    return listing;
  }
  void fill() const { ASSERT_EQ(list().read, kFiles); }

  [[nodiscard]] std::string cache_file() const {
    for (const auto& entry : fs::directory_iterator(folder_ / cache_name_)) {
      return entry.path().string();
    }
    return {};
  }

  TempFolder folder_;
  std::string cache_name_ = "cache/athanor";
  ShiftedClock later_{std::chrono::seconds(10)};
};

TEST_F(HeaderCacheTest, OpensNoUnchangedFile) {
  fill();
  EXPECT_EQ(list().read, 0U);
  EXPECT_EQ(list().revisions.size(), kFiles);
}

TEST_F(HeaderCacheTest, KeepsEveryFieldOfAHeader) {
  folder_.write("versions/full.sql",
                "-- Fülle: alles\n-- Revision: full\n-- Revises: r10000, r10001\n-- Created: 2026-11-21T02:10:00+00:00\n"
                "-- Labels: one, two\n-- Depends-On: r10002, r10003\n\nSELECT 1;\n");
  folder_.write("versions/full.py",
                "\"\"\"Doc\"\"\"\nrevision = 'py'\ndown_revision = ('r10001', 'r10002')\nbranch_labels = ('x',)\n"
                "depends_on = 'r10004'\n\ndef upgrade():\n    pass\n");
  EXPECT_EQ(list().read, kFiles + 2U);
  const auto listing = list();  // compares every field with what the files say
  EXPECT_EQ(listing.read, 0U);
  const auto full = std::ranges::find(listing.revisions, "full", &Revision::id);
  ASSERT_NE(full, listing.revisions.end());
  EXPECT_EQ(full->message, "Fülle: alles");
  EXPECT_EQ(full->down, (std::vector<std::string>{"r10000", "r10001"}));
  EXPECT_EQ(full->labels, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(full->depends_on, (std::vector<std::string>{"r10002", "r10003"}));
}

TEST_F(HeaderCacheTest, SeesAChangeThatKeepsSizeAndModificationTime) {
  fill();
  const auto before = stamp_of(path(7));
  change_visibly(path(7), [&] {
    overwrite(path(7), native("x10007"));
    set_modified(path(7), before.modified);
  });
  const auto after = stamp_of(path(7));
  ASSERT_EQ(after.size, before.size);
  ASSERT_EQ(after.modified, before.modified);
  ASSERT_EQ(after.inode, before.inode);
  const auto listing = list();
  EXPECT_EQ(listing.read, 1U);
  EXPECT_EQ(listing.revisions[7].id, "x10007");
}

TEST_F(HeaderCacheTest, SeesAFileReplacedByRename) {
  fill();
  const auto other = folder_.write("other", native("x10007"));
  set_modified(other, stamp_of(path(7)).modified);
  fs::rename(other, path(7));
  const auto listing = list();
  EXPECT_EQ(listing.read, 1U);
  EXPECT_EQ(listing.revisions[7].id, "x10007");
}

TEST_F(HeaderCacheTest, SeesTwoFilesThatChangedTheirNames) {
  fill();
  fs::rename(path(3), folder_ / "aside");
  fs::rename(path(4), path(3));
  fs::rename(folder_ / "aside", path(4));
  const auto listing = list();
  EXPECT_EQ(listing.read, 2U);
  EXPECT_EQ(listing.revisions[3].id, id(4));
}

TEST_F(HeaderCacheTest, ReadsOnlyWhatCameAndForgetsWhatWent) {
  fill();
  folder_.write("versions/a_new.sql", native("new"));
  folder_.write("versions/zz_new.sql", native("zz"));
  fs::remove(path(0));
  fs::remove(path(kFiles - 1));
  fs::rename(path(5), folder_ / "versions/r10005_renamed.sql");
  const auto listing = list();
  EXPECT_EQ(listing.read, 3U);
  EXPECT_EQ(listing.revisions.size(), static_cast<std::size_t>(kFiles));
}

TEST_F(HeaderCacheTest, FollowsLinksEveryTime) {
  folder_.write("versions/.data/one", native("one"));
  folder_.write("versions/.data/two", native("two"));
  fs::create_symlink(".data/one", folder_ / "versions/link.sql");
  EXPECT_EQ(list().read, kFiles + 1U);
  EXPECT_EQ(list().read, 1U);
  fs::remove(folder_ / "versions/link.sql");
  fs::create_symlink(".data/two", folder_ / "versions/link.sql");
  EXPECT_EQ(list().revisions.front().id, "two");
  fs::remove(path(9));  // a file that becomes a link
  fs::create_symlink(".data/one", path(9));
  EXPECT_EQ(list().read, 2U);
}

TEST_F(HeaderCacheTest, ReadsTheFileWhenAFolderOnItsPathIsReplaced) {
  folder_.write("versions/.one/sub.sql", native("one"));
  folder_.write("versions/.two/sub.sql", native("two"));
  fs::create_directory_symlink(".one", folder_ / "versions/sub");
  EXPECT_EQ(list(true).read, kFiles + 1U);
  EXPECT_EQ(list(true).read, 0U);
  fs::remove(folder_ / "versions/sub");
  fs::create_directory_symlink(".two", folder_ / "versions/sub");
  EXPECT_EQ(list(true).revisions.back().id, "two");
}

TEST_F(HeaderCacheTest, DoesNotTrustFilesThatMayStillChangeWithinATick) {
  const ShiftedClock now(std::chrono::seconds(0));
  const std::vector<std::string> locations{folder_ / "versions"};
  for (int i = 0; i < kFiles; ++i) {
    set_modified(path(i), 1'000'000'000);  // says nothing: anybody can
  }
  EXPECT_EQ(list(locations, false, now).read, kFiles);
  EXPECT_EQ(list(locations, false, now).read, kFiles);
  EXPECT_EQ(cache_file(), "");
}

TEST_F(HeaderCacheTest, DoesNotTrustFilesFromTheFuture) {
  for (int i = 0; i < 100; ++i) {
    set_modified(path(i), std::int64_t{4'000'000'000} * 1'000'000'000);
  }
  fill();
  EXPECT_EQ(list().read, 100U);
}

TEST_F(HeaderCacheTest, IgnoresAndReplacesADamagedFile) {
  fill();
  const auto file = cache_file();
  const auto good = test::read_file(file);
  std::mt19937 random(20261121);
  std::vector<std::string> damaged{"", "garbage", std::string(5'000, '\xFF'), good + "x", good + good};
  for (int i = 0; i < 60; ++i) {
    damaged.push_back(good.substr(0, random() % good.size()));
    auto flipped = good;
    flipped[random() % good.size()] ^= static_cast<char>(1U << random() % 8U);
    damaged.push_back(flipped);
  }
  for (const auto& bytes : damaged) {
    test::write_file(file, bytes);
    ASSERT_EQ(list().read, kFiles);
    ASSERT_EQ(list().read, 0U);
    ASSERT_EQ(test::read_file(file), good);
  }
}

TEST_F(HeaderCacheTest, IgnoresAFileThatIsTooLarge) {
  fill();
  fs::resize_file(cache_file(), 65U << 20U);  // sparse
  EXPECT_EQ(list().read, kFiles);
  EXPECT_EQ(list().read, 0U);
}

TEST_F(HeaderCacheTest, IgnoresAFileMadeForOtherFolders) {
  fill();
  const auto bytes = test::read_file(cache_file());
  const auto name = cache_file();
  fs::rename(folder_ / "versions", folder_ / "elsewhere");
  fs::remove(name);
  EXPECT_EQ(list({folder_ / "elsewhere"}, false, later_).read, kFiles);
  test::write_file(cache_file(), bytes);  // same inodes, wrong identity
  EXPECT_EQ(list({folder_ / "elsewhere"}, false, later_).read, kFiles);
}

TEST_F(HeaderCacheTest, IgnoresAFileThatOthersMayWrite) {
  fill();
  fs::permissions(cache_file(), fs::perms::group_write, fs::perm_options::add);
  EXPECT_EQ(list().read, kFiles);
  EXPECT_EQ(list().read, 0U);  // replaced by one that is ours alone
  EXPECT_EQ(fs::status(cache_file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  fs::permissions(folder_ / cache_name_, fs::perms::others_write, fs::perm_options::add);
  EXPECT_EQ(list().read, kFiles);
}

TEST_F(HeaderCacheTest, IgnoresFilesAndFoldersOfOtherUsers) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  fill();
  ASSERT_EQ(::chown(cache_file().c_str(), 65'534, 65'534), 0);
  EXPECT_EQ(list().read, kFiles);
  EXPECT_EQ(list().read, 0U);
  ASSERT_EQ(::chown((folder_ / cache_name_).c_str(), 65'534, 65'534), 0);
  EXPECT_EQ(list().read, kFiles);
}

TEST_F(HeaderCacheTest, IsForItsOwnerAlone) {
  fill();
  EXPECT_EQ(fs::status(folder_ / cache_name_).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(cache_file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(HeaderCacheTest, DoesWithoutWhereNothingCanBeWritten) {
  for (const auto* place : {"versions/r10000.sql/cache", "versions/r10001.sql"}) {
    cache_name_ = place;
    EXPECT_EQ(list().read, kFiles) << place;
    EXPECT_EQ(list().read, kFiles) << place;
  }
}

TEST_F(HeaderCacheTest, DoesNotFollowALinkInPlaceOfItsFile) {
  fill();
  const auto victim = folder_.write("victim", "precious");
  const auto file = cache_file();
  fs::remove(file);
  fs::create_symlink(victim, file);
  EXPECT_EQ(list().read, kFiles);
  EXPECT_EQ(test::read_file(victim), "precious");
  EXPECT_EQ(list().read, 0U);
}

TEST_F(HeaderCacheTest, LeavesSmallFoldersAlone) {
  for (int i = 100; i < kFiles; ++i) {
    fs::remove(path(i));
  }
  EXPECT_EQ(list().read, 100U);
  EXPECT_FALSE(fs::exists(folder_ / "cache"));
}

TEST_F(HeaderCacheTest, KeepsNothingOfAListingThatFailed) {
  folder_.write("versions/bad.sql", "SELECT 1;\n");
  EXPECT_NE(list().error, "");
  EXPECT_EQ(cache_file(), "");
}

TEST_F(HeaderCacheTest, ReportsAnErrorInAFileThatWasValidBefore) {
  fill();
  change_visibly(path(7), [&] { overwrite(path(7), "SELECT 1;\n"); });
  EXPECT_EQ(list().error, path(7) + ":1: no `-- Revision:` in the header of the file");
}

TEST_F(HeaderCacheTest, TellsLocationsApart) {
  folder_.write("more/" + name(0), native("more"));
  const std::vector<std::string> both{folder_ / "versions", folder_ / "more"};
  EXPECT_EQ(list(both, false, later_).read, kFiles + 1U);
  EXPECT_EQ(list(both, false, later_).read, 0U);
  EXPECT_EQ(list(both, false, later_).revisions.back().id, "more");
}

TEST_F(HeaderCacheTest, ServesManyFilesFromTwoThreads) {
  for (int i = kFiles; i < 3'000; ++i) {
    folder_.write("versions/" + name(i), native(id(i)));
  }
  EXPECT_EQ(list().read, 3'000U);
  EXPECT_EQ(list().read, 0U);
  change_visibly(path(2'500), [&] { overwrite(path(2'500), native("changed")); });
  EXPECT_EQ(list().read, 1U);
}

TEST_F(HeaderCacheTest, IsSharedByRunsAtTheSameTime) {
  std::vector<std::thread> runs;
  for (int run = 0; run < 4; ++run) {
    runs.emplace_back([this] {
      for (int round = 0; round < 10; ++round) {
        const auto listing = list();
        EXPECT_TRUE(listing.read == kFiles || listing.read == 0U) << listing.read;
        std::error_code ignored;
        fs::remove_all(folder_ / cache_name_, ignored);
      }
    });
  }
  for (auto& run : runs) {
    run.join();
  }
  static_cast<void>(list());
  EXPECT_EQ(list().read, 0U);
}

TEST_F(HeaderCacheTest, ForgetsFilesThatNobodyReplacedForLong) {
  const auto old = folder_.write("cache/athanor/0123.headers", "old");
  const auto young = folder_.write("cache/athanor/4567.headers", "young");
  set_modified(old, 1'000'000'000);
  fs::permissions(folder_ / cache_name_, fs::perms::owner_all);
  fill();
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
}

// Random edits; list() compares with the answer without a cache after each.
TEST_F(HeaderCacheTest, KeepsNoHeaderOfAFileOnAnotherDevice) {
  std::vector<VersionFolder> folders;
  folders.push_back(VersionFolder::open(folder_ / "versions").value());
  const auto cache = HeaderCache::open({folder_ / cache_name_, &later_}, folders, false, {});
  ASSERT_TRUE(cache);
  FileStamp stamp = stamp_of(path(0));
  EXPECT_TRUE(cache->keeps(stamp, 0));
  ++stamp.device;
  EXPECT_FALSE(cache->keeps(stamp, 0));
}

TEST_F(HeaderCacheTest, AlwaysMatchesTheFiles) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    std::size_t from_cache = 0;
    int next = 20'000 * static_cast<int>(seed);
    for (int round = 0; round < 40; ++round) {
      for (auto edits = random() % 60; edits > 0; --edits) {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder_ / "versions")) {
          names.push_back(entry.path().string());
        }
        std::ranges::sort(names);
        const auto& one = names[random() % names.size()];
        const auto& other = names[random() % names.size()];
        const auto text = native(id(next++), "m" + std::to_string(random() % 10));
        switch (random() % 7) {
          case 0:
            change_visibly(one, [&] { overwrite(one, text); });
            break;
          case 1: {
            const auto modified = stamp_of(one).modified;
            change_visibly(one, [&] {
              overwrite(one, text);
              set_modified(one, modified);
            });
            break;
          }
          case 2:
            folder_.write("versions/" + id(next) + ".sql", text);
            break;
          case 3:
            names.size() > kFiles ? fs::remove(one) : false;
            break;
          case 4:
            fs::rename(one, folder_ / ("versions/" + id(next++) + "_x.sql"));
            break;
          case 5:
            if (one != other) {
              fs::remove(one);
              fs::create_hard_link(other, one);
              change_visibly(other, [&] { fs::permissions(other, fs::perms::others_read, fs::perm_options::add); });
              fs::remove(other);
            }
            break;
          default:
            set_modified(one, 1'000'000'000);
        }
      }
      const auto listing = list();
      ASSERT_EQ(listing.error, "") << "seed " << seed << " round " << round;
      from_cache += listing.revisions.size() - listing.read;
    }
    EXPECT_GT(from_cache, 1'000U);
  }
}

}  // namespace
}  // namespace athanor
