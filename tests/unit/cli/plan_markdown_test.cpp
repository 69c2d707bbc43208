#include "migrations/cli/plan_markdown.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/revision/source.hpp"

namespace athanor::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Plan plan_of(const std::string& message, const std::string& up, int count = 1) {
  std::vector<MemorySource::File> files;
  for (int i = 0; i < count; ++i) {
    const std::string id = "r" + std::to_string(i);
    const std::string down = i == 0 ? "" : "r" + std::to_string(i - 1);
    files.push_back({id + ".sql", "-- " + message + "\n--\n-- Revision: " + id + "\n-- Revises: " + down +
                                      "\n\n-- athanor:upgrade\n" + up + "\n\n-- athanor:downgrade\n"});
  }
  const MemorySource source(std::move(files));
  auto graph = RevisionGraph::build(*source.list());
  EXPECT_TRUE(graph);
  auto plan = make_plan(*graph, source, Direction::Upgrade, {}, {"head"});
  EXPECT_TRUE(plan) << plan.error().describe();
  return *plan;
}

TEST(PlanMarkdown, BeginsWithWhatAReviewerMustSee) {
  const Plan plan = plan_of("Drop users", "CREATE TABLE a (id int);\nDROP TABLE users;");
  Finding finding;
  finding.rule = "table-drop";
  finding.severity = Severity::Error;
  finding.path = "versions/r0.sql";
  finding.line = 8;
  finding.message = "The table goes";
  const std::string text = plan_markdown(plan, {finding});
  EXPECT_THAT(text, StartsWith("### Migration plan: upgrade, 1 revision\n\nFrom an empty database to `r0`. "
                               "**1 destructive statement.** Lint: 1 error.\n"));
  EXPECT_THAT(text, HasSubstr("| **`r0`** | Drop users | transaction | 2, **destructive** |\n"));
  EXPECT_THAT(text, HasSubstr("- **r0, line 8: DROP TABLE users**\n"));
  EXPECT_THAT(text, HasSubstr("| **error** | `versions/r0.sql:8` | The table goes | `table-drop` |\n"));
  EXPECT_THAT(text, HasSubstr("<details>\n<summary>SQL</summary>\n\n```sql\n-- upgrade <base> -> r0, Drop users\n"
                              "CREATE TABLE a (id int);\nDROP TABLE users;  -- destructive\n```\n\n</details>\n"));
  EXPECT_THAT(text, EndsWith("\nPlan `" + plan.hash + "`\n"));
}

TEST(PlanMarkdown, LetsNoNameMeanAnything) {
  EXPECT_EQ(markdown_text("a | b\nc <script> @team `x` [y](z) #1 & \\"),
            "a \\| b c &lt;script&gt; @<!-- -->team \\`x\\` \\[y\\](z) \\#1 &amp; \\\\");
  EXPECT_EQ(markdown_code("a|b"), "`a\\|b`");
  EXPECT_EQ(markdown_code("a`b"), "``a`b``");
  EXPECT_EQ(markdown_code("`"), "`` ` ``");
  const std::string text = plan_markdown(plan_of("x | **y** </details>", "SELECT '```';\nSELECT '</details>';"), {});
  EXPECT_THAT(text, HasSubstr("| x \\| \\*\\*y\\*\\* &lt;/details&gt; |"));
  EXPECT_THAT(text, HasSubstr("\n````sql\n"));
}

TEST(PlanMarkdown, StaysBelowTheLimitAndSaysWhatIsLeftOut) {
  const Plan plan = plan_of(std::string(500, 'm'), "SELECT '" + std::string(3000, 'x') + "';\nDROP TABLE t;", 400);
  Finding finding;
  finding.message = std::string(500, 'f');
  const std::string text = plan_markdown(plan, std::vector<Finding>(400, finding));
  EXPECT_LT(text.size(), kMarkdownLimit);
  EXPECT_THAT(text, HasSubstr("more_\n"));
  EXPECT_THAT(text, HasSubstr("is left out**: a comment can have at most 65,536 characters"));
  EXPECT_THAT(text, EndsWith("\nPlan `" + plan.hash + "`\n"));
}

TEST(PlanMarkdown, SaysThatNothingIsToBeDone) {
  Plan plan;
  plan.from = {"r1"};
  EXPECT_EQ(plan_markdown(plan, {}), "### Nothing to migrate\n\nAlready at `r1`.\n");
  EXPECT_THAT(plan_markdown(plan_of("Add a", "CREATE TABLE a ();"), {}), Not(HasSubstr("#### ")));
}

}  // namespace
}  // namespace athanor::cli
