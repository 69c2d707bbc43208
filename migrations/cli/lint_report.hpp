// Formats findings of lint for people, editors, code hosts and scanners.
//
// Threads: pure functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "migrations/cli/output.hpp"
#include "migrations/lint/finding.hpp"
#include "migrations/lint/rule.hpp"

namespace athanor::cli {

struct LintCounts {
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t hints = 0;
  [[nodiscard]] std::string sentence() const;  // "1 error, 2 warnings, 1 hint"; "nothing found"
};
[[nodiscard]] LintCounts count_findings(const std::vector<Finding>& findings);

// "path:line:column: error: message [rule]", and the fix indented below.
[[nodiscard]] std::string lint_text(const std::vector<Finding>& findings, bool color);
[[nodiscard]] Json lint_json(const std::vector<Finding>& findings);
// SARIF 2.1.0: one run, every rule described.
[[nodiscard]] std::string lint_sarif(const std::vector<Finding>& findings);
// Workflow commands of GitHub Actions, which show as annotations on the lines of a pull request.
[[nodiscard]] std::string lint_github(const std::vector<Finding>& findings);

// --list-rules, in the table's order.
[[nodiscard]] std::string rule_list(bool color);
[[nodiscard]] Json rule_json(const RuleSpec& rule);

}  // namespace athanor::cli
