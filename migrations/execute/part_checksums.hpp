// Checksums of the executed part of a half-applied revision, stored in its step rows.
//
// A row stores "<of the file>:<of what ran>". The second checksum covers every statement up to and including the row's own, in
// order, with the kind of its step. So the part of a revision that has not run may be corrected, and the executed part may not.
// Rows written by Athanor 0.1.0 contain only the checksum of the file.
//
// Threads: immutable after construction. Ownership: views the steps, which must outlive it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/execute/observation.hpp"
#include "migrations/plan/script.hpp"

namespace athanor {

class PartChecksums {
 public:
  // `file` is the checksum of the whole text; `steps` are the steps of one direction.
  PartChecksums(std::string_view file, const std::vector<ScriptStep>& steps);

  // The checksum for the row of this part. `statement` matters only in autocommit steps: every other step is one part.
  [[nodiscard]] std::string of(std::size_t step, std::size_t statement) const;

  // Empty when the file still contains the text that ran, whatever follows it. Otherwise the first line that differs; 0 when
  // that line is unknown.
  [[nodiscard]] std::optional<int> changed_at(const std::vector<UnfinishedStep::Part>& parts) const;

 private:
  [[nodiscard]] const std::string* digest(std::size_t step, std::size_t statement) const;
  [[nodiscard]] int line_behind(const UnfinishedStep::Part* part) const;

  std::string file_;
  const std::vector<ScriptStep>& steps_;
  std::vector<std::vector<std::string>> digests_;  // by step and part
};

}  // namespace athanor
