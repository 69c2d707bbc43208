// Reading one revision file through its folder, under the source's limits.
//
// Threads: HeaderReader holds a buffer, one per thread; the functions are pure but for the file they read.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/revision/header_cache.hpp"
#include "migrations/revision/revision.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/revision/version_folder.hpp"

namespace athanor {

class HeaderReader {
 public:
  explicit HeaderReader(const SourceLimits& limits) : limits_(limits) {}

  // The header of a file; empty when the file is no revision and not meant to be one. One small read is enough for nearly
  // every file. `real_path` is filled in when the entry is a link. `stamp`, when given, is the state the file was in before
  // anything was read.
  [[nodiscard]] Result<std::optional<Revision>> read(const VersionFolder& folder, const VersionFolder::Entry& entry,
                                                     std::string* real_path, FileStamp* stamp = nullptr);

 private:
  static constexpr std::size_t kFirstRead = 4096;

  [[nodiscard]] Result<std::optional<Revision>> read_long(const VersionFolder::Entry& entry, int file, std::string_view start,
                                                          const std::string& path) const;

  const SourceLimits& limits_;
  std::array<char, kFirstRead> buffer_{};
};

// The bytes of the file `name`, links resolved. `path` is for messages.
[[nodiscard]] Result<std::string> read_revision_file(const VersionFolder& folder, const std::string& name,
                                                     const std::string& path, const SourceLimits& limits);

}  // namespace athanor
