// The findings of a plan in few words: for the status of a resource and for the report of a pod, which have little room.
//
// Threads: plain values, pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "migrations/lint/finding.hpp"

namespace athanor {

struct LintSummary {
  std::int64_t errors = 0;
  std::int64_t warnings = 0;
  std::int64_t hints = 0;
  std::vector<std::string> findings;  // "a2.sql:7: error drop-column: what happens", errors first

  [[nodiscard]] bool nothing() const { return errors + warnings + hints == 0; }
  // "1 error, 2 warnings, 1 hint"; "nothing found".
  [[nodiscard]] std::string sentence() const;
  bool operator==(const LintSummary&) const = default;
};

// Counts all findings and words the first `most` of them, the worst first. `place_of` says where one is ("a2.sql:7").
[[nodiscard]] LintSummary summarise_findings(const std::vector<Finding>& findings, std::size_t most,
                                             const std::function<std::string(const Finding&)>& place_of);

}  // namespace athanor
