// Files written by one run: all of them, or none. Never over a file that is there.
//
// Threads: one thread. Ownership: removes what it wrote when it ends, unless keep() was called.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

// `path` as people would type it from the current folder.
[[nodiscard]] std::string shown_path(const std::string& path);

class NewFiles {
 public:
  NewFiles() = default;
  ~NewFiles();
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;

  // With the folders above it. Io when it cannot be made.
  [[nodiscard]] Result<void> make_folder(const std::string& folder);
  // Io when a file is there.
  [[nodiscard]] Result<void> write(const std::string& path, std::string_view text);
  void keep() { kept_ = true; }

 private:
  std::vector<std::string> paths_;
  std::string folder_;  // when this run made it
  bool kept_ = false;
};

}  // namespace athanor
