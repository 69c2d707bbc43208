// What the step rows of a half-applied revision remember of its text.
//
// A row holds two checksums, "<of the file>:<of what ran>". The second covers every statement up to and including the row's
// own, in order, with the kind of its step. So a half-applied revision may be corrected behind the part that ran, and not
// within it. Rows that Athanor 0.1.0 wrote hold the checksum of the file alone.
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
  // `file`: the checksum of the whole text; `steps`: those of one direction.
  PartChecksums(std::string_view file, const std::vector<ScriptStep>& steps);

  // What the row of this part records. `statement` counts in autocommit steps alone: other steps are one part.
  [[nodiscard]] std::string of(std::size_t step, std::size_t statement) const;

  // Nothing when the text that ran is still in the file, whatever comes behind it; else the line from which on it differs, 0
  // when that is not known.
  [[nodiscard]] std::optional<int> changed_at(const std::vector<UnfinishedStep::Part>& parts) const;

 private:
  [[nodiscard]] const std::string* digest(std::size_t step, std::size_t statement) const;
  [[nodiscard]] int line_behind(const UnfinishedStep::Part* part) const;

  std::string file_;
  const std::vector<ScriptStep>& steps_;
  std::vector<std::vector<std::string>> digests_;  // by step and part
};

}  // namespace athanor
