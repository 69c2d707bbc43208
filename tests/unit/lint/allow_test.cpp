// "-- athanor:allow RULE reason".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/lint/lint_sketch.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Allow, CoversTheStatementThatFollows) {
  EXPECT_THAT(test::rules_of(test::lint_body("-- athanor:allow drop-table it is empty\nDROP TABLE a;")), IsEmpty());
  const auto findings =
      test::lint_body("-- athanor:allow drop-table it is empty\nDROP TABLE a;\n-- athanor:step transaction\nDROP TABLE b;");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("drop-table"));
  EXPECT_EQ(findings.front().line, 10);
}

TEST(Allow, CoversOneStatementOfALine) {
  const std::string line = "-- athanor:allow drop-table it is empty\nDROP TABLE a; DROP TABLE b;";
  for (const auto& findings : {test::lint_body(line), test::lint_plain(line)}) {
    std::vector<std::string> dropped;
    for (const Finding& finding : findings) {
      if (finding.rule == "drop-table") {
        dropped.push_back(finding.table);
      }
    }
    EXPECT_THAT(dropped, ElementsAre("b"));
  }
}

TEST(Allow, CoversAStatementWithThePsqlCommandThatEndsIt) {
  EXPECT_THAT(test::rules_of(test::lint_plain("-- athanor:allow unclassified seen\nSELECT 'x' \\gexec\n")), IsEmpty());
}

TEST(Allow, CoversOneRuleAndStacks) {
  EXPECT_THAT(test::rules_of(test::lint_body("-- athanor:allow drop-table it is empty\nDROP TABLE a CASCADE;")),
              ElementsAre("cascade"));
  EXPECT_THAT(test::rules_of(test::lint_body("-- athanor:allow drop-table it is empty\n-- athanor:allow cascade one view\n"
                                             "DROP TABLE a CASCADE;")),
              IsEmpty());
}

TEST(Allow, CoversTheRevisionBeforeItsFirstSection) {
  const std::string text =
      "-- Tidy up\n--\n-- Revision: aaa1\n-- Revises:\n-- athanor:allow drop-table all of them are empty\n\n"
      "-- athanor:upgrade\nDROP TABLE a;\n-- athanor:step transaction\nDROP TABLE b;\n";
  Linter linter{LintContext()};
  linter.lint(test::unit_of_text(text));
  EXPECT_THAT(test::rules_of(linter.finish()), IsEmpty());
}

TEST(Allow, IsReportedWhenItAllowsNothing) {
  const auto findings = test::lint_body("-- athanor:allow drop-table it is empty\nSELECT 1;\nDROP TABLE a;");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("allow-unused", "drop-table"));
  EXPECT_EQ(findings.front().line, 7);
  EXPECT_THAT(test::rules_of(test::lint_body("SELECT 1;\n-- athanor:allow drop-table nothing follows")),
              ElementsAre("allow-unused"));
}

TEST(Allow, IsNotReportedWhenItsRuleIsOff) {
  LintContext context;
  context.settings.levels["drop-table"] = Severity::Off;
  EXPECT_THAT(test::rules_of(test::lint_body("-- athanor:allow drop-table it is empty\nDROP TABLE a;", context)), IsEmpty());
}

TEST(Allow, NamesAnUnknownRuleWithItsLine) {
  const auto findings = test::lint_body("-- athanor:allow drop-tabel it is empty\nDROP TABLE a;");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("allow-unknown-rule", "drop-table"));
  EXPECT_EQ(findings.front().line, 7);
  EXPECT_EQ(findings.front().severity, Severity::Error);
  EXPECT_THAT(findings.front().fix, HasSubstr("drop-table"));
}

TEST(Allow, NeedsAReason) {
  const auto findings = test::lint_body("-- athanor:allow drop-table\nDROP TABLE a;");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("invalid-revision"));
  EXPECT_EQ(findings.front().line, 7);
  EXPECT_THAT(findings.front().message, HasSubstr("has no reason"));
  EXPECT_THAT(test::lint_body("-- athanor:allow\nDROP TABLE a;").front().message, HasSubstr("has no rule"));
}

TEST(Allow, IsRefusedInsideOfAStatement) {
  const auto findings = test::lint_body("DROP\n-- athanor:allow drop-table it is empty\nTABLE a;");
  ASSERT_THAT(test::rules_of(findings), ElementsAre("invalid-revision"));
  EXPECT_EQ(findings.front().line, 8);
}

TEST(Allow, DoesNotCutItsStep) {
  Revision revision;
  revision.id = "aaa1";
  revision.path = "aaa1.sql";
  const auto script = parse_script(
      revision, test::revision_text("-- athanor:step autocommit\nVACUUM a;\n-- athanor:allow index-drop small\nVACUUM b;"));
  ASSERT_TRUE(script) << script.error().describe();
  ASSERT_EQ(script->upgrade.size(), 1U);
  EXPECT_EQ(script->upgrade.front().statements.size(), 2U);
  ASSERT_EQ(script->allows.size(), 1U);
  EXPECT_EQ(script->allows.front().rule, "index-drop");
  EXPECT_EQ(script->allows.front().reason, "small");
}

TEST(Allow, OfTheDowngradeDoesNotApplyToTheUpgrade) {
  const std::string text = test::revision_text(
      "SELECT 1;\n\n-- athanor:downgrade\n-- athanor:allow index-create small\n"
      "CREATE INDEX i ON a (b);");
  Linter up{LintContext()};
  up.lint(test::unit_of_text(text));
  EXPECT_THAT(test::rules_of(up.finish()), IsEmpty());
  Linter down{LintContext()};
  down.lint(test::unit_of_text(text, Direction::Downgrade));
  EXPECT_THAT(test::rules_of(down.finish()), IsEmpty());
}

TEST(Allow, HoldsInPlainFiles) {
  EXPECT_FALSE(test::has_rule(test::lint_plain("-- athanor:allow drop-table it is empty\nDROP TABLE a;"), "drop-table"));
}

}  // namespace
}  // namespace athanor
