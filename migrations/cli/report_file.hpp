// --report FILE: how the run ended, in at most 4 KiB, for whoever reads files in place of standard output. Kubernetes'
// termination message (/dev/termination-log) is the one it is made for: a file that is there already, may only be written into,
// and is cut off at that length.
//
// Threads: one thread. Ownership: owns the open file.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/revision/version_folder.hpp"

namespace athanor::cli {

class ReportFile {
 public:
  // Before anything runs, so that a run whose end nobody could read does not begin. Empties the file.
  [[nodiscard]] static Result<ReportFile> open(const std::string& path);
  [[nodiscard]] Result<void> write(std::string_view text) const;

 private:
  ReportFile(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  UniqueFd file_;
  std::string path_;
};

}  // namespace athanor::cli
