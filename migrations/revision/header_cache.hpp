// Headers read before, so that a thousand unchanged files cost a thousand stats instead of opening and parsing each.
//
// A record stands for its file only while device, inode, size, mtime and ctime are all what they were when the header was read.
// Nobody can set a ctime, so whatever touches a file shows. Not kept are files younger than kRacyWindow when the listing began
// (a second change within one tick of the file system's clock would not show), and those on file systems whose times are
// somebody else's word (network, FUSE, memory). Bodies are never kept. docs/adr/0006-* has the reasoning.
//
// The file is checksummed as a whole and names the folders, the limits and the parsers it was made with; anything else than
// exactly that is as good as no file. Decoding trusts no length.
//
// Threads: const but for store(). Ownership: records view into the bytes that the cache holds.
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

// What tells one state of a file from another without opening it.
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
  static constexpr std::size_t kLeastFiles = 128;  // with fewer there is nothing to be won
  static constexpr std::chrono::seconds kRacyWindow{2};

  struct Record {
    FileStamp stamp;
    std::uint32_t folder;   // place among the version locations
    std::string_view name;  // relative to it
    std::string_view header;
  };

  // What store() writes.
  struct Kept {
    FileStamp stamp;
    std::uint32_t folder;
    std::string_view name;
    const Revision* revision;
  };

  // Nothing when no cache can be had or none should.
  [[nodiscard]] static std::optional<HeaderCache> open(const HeaderCacheSettings& settings,
                                                       const std::vector<VersionFolder>& folders, bool recursive,
                                                       const SourceLimits& limits);

  // In load order; empty when there was no file, or none to be trusted.
  [[nodiscard]] const std::vector<Record>& records() const { return records_; }
  // Fills in what the header says; path and format are the caller's. False when the record is malformed.
  [[nodiscard]] static bool decode(std::string_view header, Revision& revision);

  // Whether a file in this state may be kept.
  [[nodiscard]] bool keeps(const FileStamp& stamp, std::uint32_t folder) const;
  // Replaces the file; `kept` in load order. Records stay what they were.
  void store(std::span<const Kept> kept) const;

 private:
  HeaderCache(CacheFolder folder, std::string identity, WallTime began);

  void load();
  [[nodiscard]] bool parse(std::string_view bytes);

  CacheFolder folder_;
  std::string identity_;  // what the records depend on beside the files
  std::string name_;
  WallTime began_;
  std::vector<std::uint64_t> devices_;  // of the locations
  std::string bytes_;
  std::vector<Record> records_;
};

}  // namespace athanor
