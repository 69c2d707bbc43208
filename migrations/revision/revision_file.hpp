// Reads a revision file through its folder, within the source's limits.
//
// Threads: a HeaderReader has a buffer, so use one per thread; the functions access only the file.
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

  // Reads a file's header. Empty if the file is not a revision and need not be one. One small read suffices for nearly every
  // file. Sets `real_path` for a link. `stamp`, if given, is set to the file's state before reading.
  [[nodiscard]] Result<std::optional<Revision>> read(const VersionFolder& folder, const VersionFolder::Entry& entry,
                                                     std::string* real_path, FileStamp* stamp = nullptr);

 private:
  static constexpr std::size_t kFirstRead = 4096;

  [[nodiscard]] Result<std::optional<Revision>> read_long(const VersionFolder::Entry& entry, int file, std::string_view start,
                                                          const std::string& path) const;

  const SourceLimits& limits_;
  std::array<char, kFirstRead> buffer_{};
};

// Reads the file `name`, following links. `path` is used in messages.
[[nodiscard]] Result<std::string> read_revision_file(const VersionFolder& folder, const std::string& name,
                                                     const std::string& path, const SourceLimits& limits);

}  // namespace athanor
