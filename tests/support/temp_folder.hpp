// A temporary folder that is removed with its contents at the end of the scope.
//
// Threads: one thread. Ownership: owns the folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace athanor::test {

// Writes the file, replacing an existing one, and creates its parent folders.
void write_file(const std::filesystem::path& path, std::string_view text);
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string string() const { return path_.string(); }
  // "<folder>/<relative>" as text.
  [[nodiscard]] std::string operator/(std::string_view relative) const { return (path_ / relative).string(); }
  // Writes a file in the folder and returns its path.
  std::string write(std::string_view relative, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

}  // namespace athanor::test
