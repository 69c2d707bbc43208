// A folder of our own for what can be thrown away at any time: small files, read and replaced whole.
//
// Nothing here is an error: what cannot be read is not there, what cannot be written is not kept. A folder or a file that
// belongs to somebody else, or that others may write to, is not touched. A file appears under its name complete or not at all;
// that it still says what was written is for its reader to check.
//
// Threads: const after open(); two processes may replace the same file, the last one stays. Ownership: owns the folder's
// descriptor.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "migrations/revision/version_folder.hpp"

namespace athanor {

class CacheFolder {
 public:
  // Makes the folder, and those above it, if need be.
  [[nodiscard]] static std::optional<CacheFolder> open(const std::string& path);

  [[nodiscard]] std::optional<std::string> read(const std::string& name, std::size_t most) const;
  // False when the file could not be written; what was there before then stays.
  [[nodiscard]] bool replace(const std::string& name, std::string_view bytes, WallTime now) const;
  // Removes files that nobody replaced for so long that nobody misses them.
  void forget_old(WallTime now) const;

 private:
  explicit CacheFolder(UniqueFd folder) : folder_(std::move(folder)) {}

  UniqueFd folder_;
};

}  // namespace athanor
