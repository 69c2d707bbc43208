#include "migrations/cli/schema_report.hpp"

#include <gtest/gtest.h>

#include "migrations/plan/script.hpp"

namespace athanor::cli {
namespace {

using schema::ChangePlan;
using schema::DataLoss;
using schema::PlannedStep;

PlannedStep step(bool autocommit, std::vector<std::string> statements) {
  PlannedStep made;
  made.autocommit = autocommit;
  for (std::string& sql : statements) {
    made.statements.push_back({.sql = std::move(sql), .subject = {}});
  }
  return made;
}

TEST(SectionText, CutsStepsWhereTheyEnd) {
  ChangePlan plan;
  plan.steps = {step(false, {"SELECT 1", "SELECT 2"}), step(true, {"VACUUM a"}), step(true, {"VACUUM b"}),
                step(false, {"SELECT 3"}), step(false, {"SELECT 4"})};
  const std::string text = section_text(plan);
  EXPECT_EQ(text,
            "SELECT 1;\nSELECT 2;\n\n-- athanor:step autocommit\nVACUUM a;\nVACUUM b;\n\n-- athanor:step transaction\nSELECT "
            "3;\n\n-- "
            "athanor:step transaction\nSELECT 4;\n");
  Revision revision;
  revision.id = "r1";
  const auto script = parse_script(revision, "-- athanor:upgrade\n" + text);
  ASSERT_TRUE(script) << script.error().describe();
  EXPECT_EQ(script->upgrade.size(), 4U);
}

TEST(SectionText, BeginsWithAutocommitWhenThatIsFirst) {
  ChangePlan plan;
  plan.steps = {step(true, {"VACUUM a"})};
  EXPECT_EQ(section_text(plan), "-- athanor:step autocommit\nVACUUM a;\n");
  EXPECT_EQ(section_text({}), "");
}

TEST(SectionText, MarksWhatLosesDataAndWritesNotesAsComments) {
  ChangePlan plan;
  plan.steps = {step(false, {"DROP TABLE a"})};
  plan.steps[0].statements[0].loss = DataLoss::Certain;
  plan.steps[0].statements[0].note = "of the table \"x\nathanor:step autocommit\"";
  plan.steps[0].statements[0].warnings = {"one", "two"};
  EXPECT_EQ(
      section_text(plan),
      "-- Destructive: data is lost.\n-- of the table \"x\\x0aathanor:step autocommit\"\n-- one\n-- two\nDROP TABLE a;\n");
  EXPECT_TRUE(loses_data(plan));
  plan.steps[0].statements[0].loss = DataLoss::Possible;
  EXPECT_FALSE(loses_data(plan));
}

TEST(PrintSummary, SaysOnceWhatIsLostAndColoursOnlyOnTerminals) {
  ChangePlan plan;
  plan.summary = {{'+', {}, "table shop.orders"}, {'-', {}, "column shop.users.email", DataLoss::Certain}};
  for (const bool color : {false, true}) {
    std::string out;
    Output output([&](std::string_view text) { out += text; }, [](std::string_view) {});
    output.set_style({.color = color});
    print_summary(output, plan);
    (void)output.finish({});
    const std::string plain = "+ table shop.orders\n- column shop.users.email  (data is lost)\n";
    const std::string coloured =
        "\x1b[32m+ table shop.orders\x1b[0m\n\x1b[31;1m- column shop.users.email  (data is lost)\x1b[0m\n";
    EXPECT_EQ(out.substr(0, (color ? coloured : plain).size()), color ? coloured : plain);
  }
}

}  // namespace
}  // namespace athanor::cli
