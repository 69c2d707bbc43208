// The table of rules: each row's own examples, and what every row must have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/temp_folder.hpp"
#include "tests/unit/lint/lint_sketch.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;

// What the examples take for granted: tables that an earlier revision partitioned or filled.
const std::vector<std::string>& background() {
  static const std::vector<std::string> kBefore{
      "CREATE TABLE events (id bigint, at timestamptz) PARTITION BY RANGE (id);\nCREATE TYPE mood AS ENUM ('sad', 'ok');"};
  return kBefore;
}

std::vector<Finding> lint_example(const RuleSpec& rule, std::string_view example) {
  LintContext context;
  context.settings.levels[std::string(rule.id)] = Severity::Error;  // also those that are off
  return rule.plain ? test::lint_plain(std::string(example), context)
                    : test::lint_after(background(), std::string(example), context);
}

class RuleExample : public ::testing::TestWithParam<RuleSpec> {};

TEST_P(RuleExample, IsFlaggedInItsBadFormOnly) {
  const RuleSpec& rule = GetParam();
  const auto bad = lint_example(rule, rule.bad);
  const auto good = lint_example(rule, rule.good);
  EXPECT_TRUE(test::has_rule(bad, rule.id)) << rule.bad << "\n" << testing::PrintToString(test::rules_of(bad));
  EXPECT_FALSE(test::has_rule(good, rule.id)) << rule.good;
  EXPECT_FALSE(test::has_rule(good, "invalid-revision")) << good.front().message;
  for (const Finding& finding : bad) {
    EXPECT_NE(finding.message, "");
    EXPECT_GE(finding.line, 1);
    EXPECT_GE(finding.column, 1);
  }
}

std::vector<RuleSpec> with_examples() {
  std::vector<RuleSpec> specs;
  for (const RuleSpec& rule : rules()) {
    if (!rule.bad.empty()) {
      specs.push_back(rule);
    }
  }
  return specs;
}

INSTANTIATE_TEST_SUITE_P(Table, RuleExample, ::testing::ValuesIn(with_examples()), [](const auto& entry) {
  std::string name(entry.param.id);
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(RuleTable, HasMoreThanSixtyRulesWithNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const RuleSpec& rule : rules()) {
    EXPECT_TRUE(names.insert(rule.id).second) << rule.id;
    EXPECT_EQ(rule.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos) << rule.id;
    EXPECT_FALSE(rule.summary.empty()) << rule.id;
    EXPECT_TRUE(rule.why.ends_with('.')) << rule.id;
    EXPECT_FALSE(rule.instead.empty()) << rule.id;
    EXPECT_EQ(find_rule(rule.id), &*std::ranges::find(rules(), rule.id, &RuleSpec::id));
  }
  EXPECT_GT(names.size(), 90U);
  EXPECT_EQ(find_rule("no-such-rule"), nullptr);
  EXPECT_THAT(suggest_rule("index-creat"), HasSubstr("index-create"));
}

TEST(RuleTable, IsWhatTheDocumentationSays) {
  const std::string text = test::read_file(std::string(ATHANOR_SOURCE_DIR) + "/docs/lint.md");
  for (const RuleSpec& rule : rules()) {
    EXPECT_THAT(text, HasSubstr(rule_section(rule))) << "write it anew: athanor lint --explain all";
  }
}

}  // namespace
}  // namespace athanor
