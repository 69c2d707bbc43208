// --report FILE: writes the result of the run, in at most 4 KiB, to a file. It is made for Kubernetes' termination message
// (/dev/termination-log): an existing file that can only be overwritten in place, and that is truncated at that length.
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
  // Opens and empties the file. Call it before anything runs, so that a run whose result cannot be written does not start.
  [[nodiscard]] static Result<ReportFile> open(const std::string& path);
  [[nodiscard]] Result<void> write(std::string_view text) const;

 private:
  ReportFile(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  UniqueFd file_;
  std::string path_;
};

}  // namespace athanor::cli
