// Caches headers, so that a thousand unchanged files cost a thousand stat() calls instead of opening and parsing each.
//
// A record is valid only while device, inode, size, mtime and ctime of its file are unchanged. A program cannot set ctime, so
// every change is detected. Two kinds of files are not cached: those younger than kRacyWindow when listing began (a second
// change within one tick of the file system's clock would not be detected), and those on file systems whose times come from
// elsewhere (network, FUSE, memory). Bodies are never cached. docs/adr/0006-* explains why.
//
// The cache file has a checksum and records the folders, limits and parsers it was made with; any mismatch invalidates it.
// Decoding never trusts a length.
//
// Threads: const except store(). Ownership: records are views into the bytes that the cache holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/revision/cache_folder.hpp"
#include "migrations/revision/revision.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/revision/version_folder.hpp"

struct stat;

namespace athanor {

// Identifies a file's state without opening it.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;

  [[nodiscard]] static FileStamp of(const struct stat& status);
  bool operator==(const FileStamp&) const = default;
};

class HeaderCache {
 public:
  static constexpr std::size_t kLeastFiles = 128;  // below this, caching gains nothing
  static constexpr std::chrono::seconds kRacyWindow{2};

  struct Record {
    FileStamp stamp;
    std::uint32_t folder;   // index of the version location
    std::string_view name;  // relative to it
    std::string_view header;
  };

  // The input of store().
  struct Kept {
    FileStamp stamp;
    std::uint32_t folder;
    std::string_view name;
    const Revision* revision;
  };

  // Empty when the cache is disabled or not available.
  [[nodiscard]] static std::optional<HeaderCache> open(const HeaderCacheSettings& settings,
                                                       const std::vector<VersionFolder>& folders, bool recursive,
                                                       const SourceLimits& limits);

  // In load order; empty when the file is missing or not valid.
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }
  // Decodes a header into `revision`, except path and format, which the caller sets. Returns false for a malformed record.
  [[nodiscard]] static bool decode(std::string_view header, Revision& revision);

  // Whether a file in this state may be cached.
  [[nodiscard]] bool keeps(const FileStamp& stamp, std::uint32_t folder) const;
  // Replaces the cache file; `kept` must be in load order. Does not change records().
  void store(std::span<const Kept> kept) const;

 private:
  HeaderCache(CacheFolder folder, std::string identity, WallTime began);

  void load();
  [[nodiscard]] bool parse(std::string_view bytes);

  CacheFolder folder_;
  std::string identity_;  // what the records depend on besides the files
  std::string name_;
  WallTime began_;
  std::vector<std::uint64_t> devices_;  // of the version locations
  std::string bytes_;
  std::vector<Record> records_;
};

}  // namespace athanor
