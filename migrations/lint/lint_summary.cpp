#include "migrations/lint/lint_summary.hpp"

#include <algorithm>

namespace athanor {
namespace {

void append_count(std::string& text, std::int64_t count, std::string_view noun) {
  if (count > 0) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
  }
}

}  // namespace

std::string LintSummary::sentence() const {
  std::string text;
  append_count(text, errors, "error");
  append_count(text, warnings, "warning");
  append_count(text, hints, "hint");
  return text.empty() ? "nothing found" : text;
}

LintSummary summarise_findings(const std::vector<Finding>& findings, std::size_t most,
                               const std::function<std::string(const Finding&)>& place_of) {
  LintSummary summary;
  std::vector<const Finding*> sorted;
  for (const Finding& finding : findings) {
    (finding.severity == Severity::Error     ? summary.errors
     : finding.severity == Severity::Warning ? summary.warnings
                                             : summary.hints) += 1;
    sorted.push_back(&finding);
  }
  std::ranges::stable_sort(sorted, std::ranges::greater(), &Finding::severity);
  sorted.resize(std::min(sorted.size(), most));
  for (const Finding* const finding : sorted) {
    // The rule comes before the message: what is too long is cut at its end.
    summary.findings.push_back(place_of(*finding) + ": " + std::string(severity_name(finding->severity)) + " " + finding->rule +
                               ": " + finding->message);
  }
  return summary;
}

}  // namespace athanor
