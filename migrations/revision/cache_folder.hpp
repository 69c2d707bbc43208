// A folder for small files that may be deleted at any time, which are read and replaced as a whole.
//
// Nothing here returns an error: an unreadable file counts as missing, and a failed write is ignored. A folder or file that
// belongs to another user, or that others can write to, is not used. A file appears under its name completely or not at all;
// its reader must check the contents.
//
// Threads: const after open(). When two processes replace the same file, the last one wins. Ownership: owns the folder's
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
  // Opens the folder and creates it, with its parents, if necessary. Empty when that fails.
  [[nodiscard]] static std::optional<CacheFolder> open(const std::string& path);

  // The file's contents; empty when it is missing, unusable or longer than `most` bytes.
  [[nodiscard]] std::optional<std::string> read(const std::string& name, std::size_t most) const;
  // Returns false when the file could not be written; the previous file then stays.
  [[nodiscard]] bool replace(const std::string& name, std::string_view bytes, WallTime now) const;
  // Removes files that have not been replaced for a long time.
  void forget_old(WallTime now) const;

 private:
  explicit CacheFolder(UniqueFd folder) : folder_(std::move(folder)) {}

  UniqueFd folder_;
};

}  // namespace athanor
