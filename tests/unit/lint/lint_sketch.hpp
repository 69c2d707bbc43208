// Revisions and files in memory for tests of lint.
//
// Threads: any; plain values.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "migrations/lint/linter.hpp"

namespace athanor::test {

// A revision whose upgrade is `body`.
inline std::string revision_text(const std::string& body) {
  return "-- Change something\n--\n-- Revision: aaa1\n-- Revises:\n\n-- athanor:upgrade\n" + body + "\n";
}

inline LintUnit unit_of_text(const std::string& text, Direction direction = Direction::Upgrade) {
  Revision revision;
  revision.id = "aaa1";
  revision.path = "aaa1.sql";
  auto script = parse_script(revision, text);
  return script ? unit_of(*script, direction, revision.path, revision.id)
                : refused_unit(script.error(), text, revision.path, revision.id);
}

// The findings for the last revision of a linear history.
inline std::vector<Finding> lint_after(const std::vector<std::string>& earlier, const std::string& body,
                                       const LintContext& context = {}, KnownSchema facts = {}) {
  Linter linter(context, std::move(facts));
  for (const std::string& before : earlier) {
    linter.learn(unit_of_text(revision_text(before)));
  }
  linter.lint(unit_of_text(revision_text(body)));
  return linter.finish();
}

inline std::vector<Finding> lint_body(const std::string& body, const LintContext& context = {}) {
  return lint_after({}, body, context);
}

inline std::vector<Finding> lint_plain(const std::string& sql, const LintContext& context = {}, bool single = false) {
  Linter linter(context);
  linter.lint(plain_unit(sql, "file.sql", single));
  return linter.finish();
}

inline std::vector<std::string> rules_of(const std::vector<Finding>& findings) {
  std::vector<std::string> rules;
  for (const Finding& finding : findings) {
    rules.push_back(finding.rule);
  }
  return rules;
}

inline bool has_rule(const std::vector<Finding>& findings, std::string_view rule) {
  for (const Finding& finding : findings) {
    if (finding.rule == rule) {
      return true;
    }
  }
  return false;
}

}  // namespace athanor::test
