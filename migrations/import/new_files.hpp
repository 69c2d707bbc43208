// Writes the files of one run: all of them or none, and never over an existing file.
//
// Threads: one thread. Ownership: the destructor removes the files it wrote, unless keep() was called.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

// `path` as a user would type it from the current folder.
[[nodiscard]] std::string shown_path(const std::string& path);

class NewFiles {
 public:
  NewFiles() = default;
  ~NewFiles();
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;

  // Creates the folder and its parents. Error: Io.
  [[nodiscard]] Result<void> make_folder(const std::string& folder);
  // Error: Io when the file exists.
  [[nodiscard]] Result<void> write(const std::string& path, std::string_view text);
  // Keeps the files: the run succeeded.
  void keep() { kept_ = true; }

 private:
  std::vector<std::string> paths_;
  std::string folder_;  // if this run created it
  bool kept_ = false;
};

}  // namespace athanor
