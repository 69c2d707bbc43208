#include "migrations/import/native_revision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/plan/script.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ClosedStatement, GetsTheSemicolonItLacks) {
  EXPECT_EQ(closed_statement("SELECT 1"), "SELECT 1;");
  EXPECT_EQ(closed_statement("SELECT 1;"), "SELECT 1;");
  EXPECT_EQ(closed_statement("SELECT 1; SELECT 2"), "SELECT 1; SELECT 2;");
}

TEST(ClosedStatement, IsNeverClosedInsideAComment) {
  EXPECT_EQ(closed_statement("SELECT 1 -- one;"), "SELECT 1; -- one;");
  EXPECT_EQ(closed_statement("SELECT 1 /* ; */"), "SELECT 1; /* ; */");
  EXPECT_EQ(closed_statement("SELECT 1\n-- one\n-- two"), "SELECT 1;\n-- one\n-- two");
  EXPECT_EQ(closed_statement("-- nothing but words"), "-- nothing but words");
}

TEST(ClosedStatement, TakesASemicolonInsideAStringForWhatItIs) {
  EXPECT_EQ(closed_statement("SELECT ';'"), "SELECT ';';");
  EXPECT_EQ(closed_statement("DO $$ BEGIN NULL; END; $$"), "DO $$ BEGIN NULL; END; $$;");
}

TEST(ClosedStatement, TidiesBlanksBetweenWordsOnly) {
  EXPECT_EQ(closed_statement("CREATE TABLE t (\n\tid INT, \n\tname TEXT DEFAULT 'a\tb  \n\tc'\n)"),
            "CREATE TABLE t (\n    id INT,\n    name TEXT DEFAULT 'a\tb  \n\tc'\n);");
}

TEST(ClosedStatement, MovesLinesLeftByTheIndentationOfTheFirst) {
  EXPECT_EQ(closed_statement("UPDATE t\n            SET a = '\n        x'\n        WHERE b\n    AND c", 8),
            "UPDATE t\n    SET a = '\n        x'\nWHERE b\nAND c;");
}

TEST(ClosedStatement, LeavesTextThatNeverEndsToWhoeverReadsItBack) {
  EXPECT_EQ(closed_statement("SELECT 'abc"), "SELECT 'abc");
}

RenderedRevision revision_with(std::vector<RenderedPart> upgrade) {
  RenderedRevision revision;
  revision.id = "ab12";
  revision.down = {"aa11", "aa22"};
  revision.labels = {"billing"};
  revision.depends_on = {"cc33"};
  revision.description = {"Add email", "", "Note: why it was done."};
  revision.created = "2026-01-10 09:15:00";
  revision.upgrade.parts = std::move(upgrade);
  return revision;
}

RenderedPart sql(std::string text) {
  return {RenderedPart::Kind::Sql, std::move(text), 0};
}
const RenderedPart kCommit{RenderedPart::Kind::Commit, {}, 0};
const RenderedPart kBegin{RenderedPart::Kind::Begin, {}, 0};

std::vector<StepKind> kinds(const std::string& text) {
  const auto script = parse_script(Revision{}, text);
  EXPECT_TRUE(script) << script.error().describe() << "\n" << text;
  std::vector<StepKind> result;
  for (const ScriptStep& step : script ? script->upgrade : std::vector<ScriptStep>{}) {
    result.push_back(step.kind);
  }
  return result;
}

TEST(NativeRevision, OpensWithTheWholeHeader) {
  const auto text = native_revision_text(revision_with({sql("SELECT 1")}), {});
  ASSERT_TRUE(text) << text.error().describe();
  EXPECT_EQ(*text,
            "-- Add email\n--\n-- Revision: ab12\n-- Revises: aa11, aa22\n-- Created: 2026-01-10 09:15:00\n-- Labels: billing\n"
            "-- Depends-On: cc33\n\n-- athanor:upgrade\n-- Note: why it was done.\n\nSELECT 1;\n\n-- athanor:downgrade\n"
            "-- Nothing to do.\n");
}

TEST(NativeRevision, HasNoStepsWithoutAutocommitBlocks) {
  const auto text = native_revision_text(revision_with({sql("SELECT 1"), sql("SELECT 2")}), {});
  EXPECT_THAT(kinds(*text), ElementsAre(StepKind::Transaction));
}

TEST(NativeRevision, LeavesOutStepsThatAnAutocommitBlockAtTheEdgeMakesEmpty) {
  EXPECT_THAT(kinds(*native_revision_text(revision_with({kCommit, sql("VACUUM"), kBegin}), {})),
              ElementsAre(StepKind::Autocommit));
  EXPECT_THAT(kinds(*native_revision_text(revision_with({sql("SELECT 1"), kCommit, kBegin, sql("SELECT 2")}), {})),
              ElementsAre(StepKind::Transaction));
  EXPECT_THAT(
      kinds(*native_revision_text(revision_with({sql("SELECT 1"), kCommit, sql("VACUUM"), kBegin, sql("SELECT 2")}), {})),
      ElementsAre(StepKind::Transaction, StepKind::Autocommit, StepKind::Transaction));
}

TEST(NativeRevision, PutsTheReasonWhereNoDowngradeIs) {
  const auto text = native_revision_text(revision_with({sql("SELECT 1")}), "the rows are gone");
  EXPECT_TRUE(text->ends_with("\n-- athanor:irreversible the rows are gone\n")) << *text;
}

TEST(NativeRevision, MarksACommentThatReadsAsADirectiveAsProse) {
  auto revision = revision_with({sql("SELECT 1;\n--athanor: downgrade\nSELECT 2 -- rollback\n"), sql("SELECT '\n-- down\n'")});
  revision.description.emplace_back("Downgrade:");
  const auto text = native_revision_text(revision, {});
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("-- athanor:note Downgrade:\n"), std::string::npos) << *text;
  EXPECT_NE(text->find("\n-- athanor:note athanor: downgrade\nSELECT 2; -- athanor:note rollback\n"), std::string::npos)
      << *text;
  EXPECT_NE(text->find("'\n-- down\n'"), std::string::npos) << *text;
  EXPECT_THAT(kinds(*text), ElementsAre(StepKind::Transaction));
}

TEST(NativeRevision, RefusesCarriageReturnsThatReadingWouldDrop) {
  EXPECT_FALSE(native_revision_text(revision_with({sql("SELECT 'a\r\nb'")}), {}));
}

RenderedPart edge(RenderedPart::Kind kind) {
  return {kind, {}, 0};
}

TEST(NativeRevision, BeginsATransactionWhereAnotherWasCommittedAndSomethingFollows) {
  using Kind = RenderedPart::Kind;
  const auto text = native_revision_text(
      revision_with({edge(Kind::Next), sql("SELECT 1"), edge(Kind::Next), edge(Kind::Next), sql("SELECT 2"), edge(Kind::Next)}),
      "none");
  ASSERT_TRUE(text) << text.error().describe();
  EXPECT_THAT(*text, HasSubstr("SELECT 1;\n\n-- athanor:step transaction\nSELECT 2;\n\n-- athanor:irreversible"));
}

TEST(NativeRevision, SaysWhatWasRecorded) {
  auto revision = revision_with({sql("SELECT 1")});
  revision.upgrade.recorded = true;
  const auto text = native_revision_text(revision, "none");
  ASSERT_TRUE(text) << text.error().describe();
  EXPECT_THAT(*text, HasSubstr("-- Recorded, not rendered: it asks the database."));
}

RenderedDirection direction_with(std::string text) {
  RenderedDirection direction;
  direction.parts = {sql(std::move(text))};
  return direction;
}

TEST(CutLongNames, CutsAt63BytesWhereACharacterEnds) {
  const std::string plain(70, 'n');
  const std::string quoted = std::string(62, 'q') + "\xc3\xa4";  // the 63rd byte is half an ä
  auto direction = direction_with("SELECT " + plain + ", \"" + quoted + "\", " + plain + " FROM \"A\"\"b\"");
  EXPECT_THAT(cut_long_names(direction), ElementsAre(plain, "\"" + quoted + "\""));
  EXPECT_EQ(direction.parts.front().text,
            "SELECT " + std::string(63, 'n') + ", " + std::string(62, 'q') + ", " + std::string(63, 'n') + " FROM \"A\"\"b\"");
}

TEST(CutLongNames, LeavesStringsAndNamesOf63BytesAlone) {
  const std::string text =
      "SELECT '" + std::string(70, 's') + "', \"" + std::string(62, 'q') + "\"\"\" -- " + std::string(70, 'c');
  auto direction = direction_with(text);
  EXPECT_TRUE(cut_long_names(direction).empty());
  EXPECT_EQ(direction.parts.front().text, text);
}

TEST(SameButForValues, LooksThroughStringsAndNumbersOnly) {
  EXPECT_TRUE(same_but_for_values("INSERT INTO t VALUES (1, 'a');", "INSERT INTO t VALUES (23, 'it''s');"));
  EXPECT_FALSE(same_but_for_values("INSERT INTO t VALUES (1);", "INSERT INTO u VALUES (1);"));
  EXPECT_FALSE(same_but_for_values("SELECT 1;", "SELECT 1; SELECT 2;"));
  EXPECT_FALSE(same_but_for_values("SELECT 'a'", "SELECT 'a"));
}

}  // namespace
}  // namespace athanor
