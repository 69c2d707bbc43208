#include "migrations/cli/lint_report.hpp"

#include <algorithm>

namespace athanor::cli {
namespace {

constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kCyan = "\x1b[36m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string painted(std::string_view code, std::string_view text, bool color) {
  return color ? std::string(code) + std::string(text) + std::string(kPlain) : std::string(text);
}

std::string_view color_of(Severity severity) {
  return severity == Severity::Error ? kRed : severity == Severity::Warning ? kYellow : kCyan;
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string indented(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines += "    " + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// SARIF's word for a hint is "note".
std::string_view sarif_level(Severity severity) {
  return severity == Severity::Info ? "note" : severity == Severity::Off ? "none" : severity_name(severity);
}

Json sarif_rule(const RuleSpec& rule) {
  return {{"id", rule.id},
          {"shortDescription", {{"text", rule.summary}}},
          {"fullDescription", {{"text", rule.why}}},
          {"help", {{"text", "Instead: " + std::string(rule.instead)}, {"markdown", rule_section(rule)}}},
          {"defaultConfiguration", {{"enabled", rule.severity != Severity::Off}, {"level", sarif_level(rule.severity)}}},
          {"properties", {{"tags", {topic_title(rule.topic)}}}}};
}

// Escapes a path as a URI reference.
std::string uri_of(std::string_view path) {
  std::string uri;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/._-~").find(c) != std::string_view::npos;
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    uri += plain ? std::string(1, c) : std::string{'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
  }
  return uri;
}

Json sarif_result(const Finding& finding) {
  const auto& table = rules();
  const auto place = std::ranges::find(table, finding.rule, &RuleSpec::id) - table.begin();
  std::string text = finding.message + ".";
  text += finding.fix.empty() ? "" : "\nInstead: " + finding.fix;
  const Json region = {{"startLine", finding.line}, {"startColumn", finding.column}};
  return {{"ruleId", finding.rule},
          {"ruleIndex", place},
          {"level", sarif_level(finding.severity)},
          {"message", {{"text", std::move(text)}}},
          {"locations",
           Json::array({{{"physicalLocation", {{"artifactLocation", {{"uri", uri_of(finding.path)}}}, {"region", region}}}}})},
          // A fingerprint without the line number, so that an alert stays the same when lines above it are added.
          {"partialFingerprints", {{"statement/v1", finding.rule + "|" + finding.path + "|" + finding.table}}}};
}

std::string escaped(std::string_view text, bool property) {
  std::string safe;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    safe += special ? std::string{'%', kDigits[byte >> 4U], kDigits[byte & 15U]} : std::string(1, c);
  }
  return safe;
}

}  // namespace

std::string LintCounts::sentence() const {
  std::string text;
  const auto add = [&text](std::size_t count, std::string_view noun) {
    if (count > 0) {
      text += (text.empty() ? "" : ", ") + counted(count, noun);
    }
  };
  add(errors, "error");
  add(warnings, "warning");
  add(hints, "hint");
  return text.empty() ? "nothing found" : text;
}

LintCounts count_findings(const std::vector<Finding>& findings) {
  LintCounts counts;
  for (const Finding& finding : findings) {
    (finding.severity == Severity::Error     ? counts.errors
     : finding.severity == Severity::Warning ? counts.warnings
                                             : counts.hints) += 1;
  }
  return counts;
}

std::string lint_text(const std::vector<Finding>& findings, bool color) {
  std::string text;
  for (const Finding& finding : findings) {
    const std::string place = finding.path + ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column) + ":";
    const std::string level =
        (finding.severity == Severity::Info ? "hint" : std::string(severity_name(finding.severity))) + ":";
    text += painted(kBold, printable(place), color) + " " + painted(color_of(finding.severity), level, color) + " " +
            printable(finding.message) + " " + painted(kDim, "[" + finding.rule + "]", color) + "\n";
    text += indented(printable(finding.fix));
  }
  return text;
}

Json lint_json(const std::vector<Finding>& findings) {
  Json all = Json::array();
  for (const Finding& finding : findings) {
    all.push_back({{"rule", finding.rule},
                   {"severity", severity_name(finding.severity)},
                   {"path", finding.path},
                   {"line", finding.line},
                   {"column", finding.column},
                   {"revision", finding.revision},
                   {"table", finding.table},
                   {"message", finding.message},
                   {"fix", finding.fix}});
  }
  return all;
}

std::string lint_sarif(const std::vector<Finding>& findings) {
  Json described = Json::array();
  for (const RuleSpec& rule : rules()) {
    described.push_back(sarif_rule(rule));
  }
  Json results = Json::array();
  for (const Finding& finding : findings) {
    results.push_back(sarif_result(finding));
  }
  const Json driver = {{"name", "athanor"}, {"semanticVersion", ATHANOR_VERSION}, {"rules", std::move(described)}};
  const Json run = {{"tool", {{"driver", driver}}}, {"columnKind", "unicodeCodePoints"}, {"results", std::move(results)}};
  const Json log = {
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
  return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string lint_github(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    const std::string_view command = finding.severity == Severity::Info ? "notice" : severity_name(finding.severity);
    std::string message = finding.message;
    message += finding.fix.empty() ? "" : "\n" + finding.fix;
    text += "::" + std::string(command) + " file=" + escaped(finding.path, true) + ",line=" + std::to_string(finding.line) +
            ",col=" + std::to_string(finding.column) + ",title=" + finding.rule + "::" + escaped(message, false) + "\n";
  }
  return text;
}

std::string rule_list(bool color) {
  std::string text;
  std::string_view topic;
  for (const RuleSpec& rule : rules()) {
    if (topic_title(rule.topic) != topic) {
      topic = topic_title(rule.topic);
      text += (text.empty() ? "" : "\n") + painted(kBold, topic, color) + "\n";
    }
    const std::string level = rule.severity == Severity::Info ? "hint" : std::string(severity_name(rule.severity));
    text += "  " + std::string(rule.id) + std::string(rule.id.size() < 31 ? 31 - rule.id.size() : 1, ' ') +
            painted(color_of(rule.severity), level, color) + std::string(9 - level.size(), ' ') + std::string(rule.summary) +
            "\n";
  }
  return text;
}

Json rule_json(const RuleSpec& rule) {
  return {{"id", rule.id},
          {"severity", severity_name(rule.severity)},
          {"topic", topic_title(rule.topic)},
          {"summary", rule.summary},
          {"why", rule.why},
          {"instead", rule.instead},
          {"lock", lock_name(rule.claim.lock)},
          {"other_lock", lock_name(rule.claim.other)},
          {"scans", rule.claim.scans},
          {"rewrites", rule.claim.rewrites}};
}

}  // namespace athanor::cli
