#include <gtest/gtest.h>

#include "migrations/plan/statement.hpp"

namespace athanor {
namespace {

using Lines = std::vector<std::pair<std::string, int>>;

Lines lines_of(const Result<std::vector<SqlStatement>>& split) {
  if (!split) {
    return {{split.error().describe(), -1}};
  }
  Lines lines;
  for (const auto& statement : *split) {
    lines.emplace_back(std::string(statement.sql), statement.line);
  }
  return lines;
}

void expect_split(const std::string& text, const Lines& expected) {
  EXPECT_EQ(lines_of(split_statements(text)), expected) << text;
}

void expect_error(const std::string& text, ErrorCode code, const std::string& described) {
  const auto split = split_statements(text);
  ASSERT_FALSE(split) << text;
  EXPECT_EQ(split.error().code, code) << text;
  EXPECT_EQ(split.error().describe(), described) << text;
  EXPECT_NE(split.error().hint, "") << text;
}

TEST(Splitter, CutsAtSemicolonsAndKeepsLeadingCommentsOut) {
  expect_split("SELECT 1; -- one\n\n/* two */ SELECT 2\n;\n\nSELECT 3", {{"SELECT 1", 1}, {"SELECT 2", 3}, {"SELECT 3", 6}});
}

TEST(Splitter, LeavesOutWhatIsOnlyCommentsAndSemicolons) {
  expect_split("", {});
  expect_split("  \n\t;;; -- nothing\n/* at /* all */ */;", {});
}

TEST(Splitter, CountsLinesFromTheGivenOne) {
  const auto split = split_statements("\n\nSELECT 1;\nSELECT 2", 40);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->at(0).line, 42);
  EXPECT_EQ(split->at(1).line, 43);
}

TEST(Splitter, ViewsPointIntoTheText) {
  const std::string text = "-- a\nSELECT 1 ;";
  const auto split = split_statements(text);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->at(0).sql.data(), text.data() + 5);
}

TEST(Splitter, SemicolonsInsideQuotesBelongToThem) {
  expect_split("SELECT 'a;''b;', \"c;\"\"d;\"; SELECT 2", {{"SELECT 'a;''b;', \"c;\"\"d;\"", 1}, {"SELECT 2", 1}});
}

TEST(Splitter, BackslashesEscapeOnlyInEscapeStrings) {
  expect_split(R"(SELECT 'a\'; SELECT E'b\';c'; SELECT e'\\';)",
               {{R"(SELECT 'a\')", 1}, {R"(SELECT E'b\';c')", 1}, {R"(SELECT e'\\')", 1}});
}

TEST(Splitter, AContinuedEscapeStringStaysOne) {
  expect_split("SELECT E'a' -- more\n  'b\\';c'; SELECT 2", {{"SELECT E'a' -- more\n  'b\\';c'", 1}, {"SELECT 2", 2}});
  expect_split("SELECT 'a'\n'b\\'; SELECT 2", {{"SELECT 'a'\n'b\\'", 1}, {"SELECT 2", 2}});
}

TEST(Splitter, UnicodeAndBitStringsEndAtTheirQuote) {
  expect_split("SELECT U&'a;\\0441', u&\"c;d\", B'01;', x'1;', N'n;' ; SELECT 2",
               {{"SELECT U&'a;\\0441', u&\"c;d\", B'01;', x'1;', N'n;'", 1}, {"SELECT 2", 1}});
}

TEST(Splitter, DollarQuotesEndAtTheirOwnTag) {
  expect_split("DO $$ BEGIN; END $$; SELECT $a$ ; $b$ ; $$ ; $a$; SELECT $ä1$;$ä1$",
               {{"DO $$ BEGIN; END $$", 1}, {"SELECT $a$ ; $b$ ; $$ ; $a$", 1}, {"SELECT $ä1$;$ä1$", 1}});
}

TEST(Splitter, DollarsInsideIdentifiersAndParametersOpenNothing) {
  expect_split("SELECT a$b$c; SELECT d$$; SELECT $1; SELECT $1$;$1$;$",
               {{"SELECT a$b$c", 1}, {"SELECT d$$", 1}, {"SELECT $1", 1}, {"SELECT $1$", 1}, {"$1$", 1}, {"$", 1}});
}

TEST(Splitter, BlockCommentsNest) {
  expect_split("SELECT 1 /* a ; /* b ; */ ; */ + 2; SELECT 3", {{"SELECT 1 /* a ; /* b ; */ ; */ + 2", 1}, {"SELECT 3", 1}});
  expect_split("/*/ ; */ SELECT 1; /***/ SELECT 2; /**//**/ SELECT 3", {{"SELECT 1", 1}, {"SELECT 2", 1}, {"SELECT 3", 1}});
}

TEST(Splitter, CommentsBeginInsideOperators) {
  expect_split("SELECT 1 +--;\n 2; SELECT 3 */*;*/ 4", {{"SELECT 1 +--;\n 2", 1}, {"SELECT 3 */*;*/ 4", 2}});
}

TEST(Splitter, ALoneCarriageReturnEndsALineComment) {
  expect_split("-- a\rSELECT 1; SELECT 2", {{"SELECT 1", 1}, {"SELECT 2", 1}});
}

TEST(Splitter, ARuleMayHoldSeveralStatementsInParentheses) {
  expect_split("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
               {{"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", 1}, {"SELECT 3", 1}});
}

TEST(Splitter, AnAtomicBodyIsOneStatement) {
  const std::string function =
      "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n"
      "  SELECT CASE WHEN a > 0 THEN 1 ELSE CASE a WHEN 2 THEN 3 END END;\n  SELECT t.end, 1 AS end, \"end\" FROM t;\n  SELECT "
      "2;\nEND";
  expect_split(function + ";\nSELECT 4;", {{function, 1}, {"SELECT 4", 7}});
  expect_split("CREATE PROCEDURE p() begin atomic INSERT INTO t VALUES (1); end; SELECT 1",
               {{"CREATE PROCEDURE p() begin atomic INSERT INTO t VALUES (1); end", 1}, {"SELECT 1", 1}});
}

TEST(Splitter, TheWordAtomicElsewhereIsJustAWord) {
  expect_split("SELECT atomic FROM begin; BEGIN ATOMIC; SELECT 2",
               {{"SELECT atomic FROM begin", 1}, {"BEGIN ATOMIC", 1}, {"SELECT 2", 1}});
}

TEST(Splitter, StatementsWithoutAnyKeywordAreKeptForTheServerToRefuse) {
  expect_split("frobnicate x; SELECT 1; 42; zap", {{"frobnicate x", 1}, {"SELECT 1", 1}, {"42", 1}, {"zap", 1}});
}

TEST(Splitter, NewerGrammarIsCutLikeAnyOther) {
  expect_split(
      "MERGE INTO t USING s ON true WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING old.*; SELECT 0b101, 1_000",
      {{"MERGE INTO t USING s ON true WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING old.*", 1}, {"SELECT 0b101, 1_000", 1}});
}

TEST(Splitter, UnterminatedQuotesNameTheLineTheyBeganOn) {
  expect_error("SELECT 1;\nSELECT 'a\n\n;", ErrorCode::MalformedRevision, "line 2: unterminated quoted string");
  expect_error("SELECT 1,\n E'a\\';", ErrorCode::MalformedRevision, "line 2: unterminated quoted string");
  expect_error("SELECT \"a;", ErrorCode::MalformedRevision, "line 1: unterminated quoted identifier");
  expect_error("SELECT U&\"a;", ErrorCode::MalformedRevision, "line 1: unterminated quoted identifier");
  expect_error("\nDO $x$ ; $y$", ErrorCode::MalformedRevision, "line 2: unterminated dollar-quoted string");
  expect_error("SELECT 1;\n\n/* /* */ SELECT 2;", ErrorCode::MalformedRevision, "line 3: unterminated block comment");
}

TEST(Splitter, UnbalancedParenthesesAndBodiesNameTheirLine) {
  for (const auto& [text, described] : std::vector<std::pair<std::string, std::string>>{
           {"SELECT 1;\nSELECT (2,\n (3);\nSELECT 4;", "line 2: parenthesis that is never closed"},
           {"SELECT 1;\nSELECT 2\n);SELECT 3", "line 3: closing parenthesis without an opening one"},
           {"\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;", "line 2: BEGIN ATOMIC without its END"}}) {
    const auto split = split_statements(text);
    ASSERT_FALSE(split) << text;
    EXPECT_EQ(split.error().code, ErrorCode::MalformedRevision);
    EXPECT_EQ(split.error().describe(), described);
  }
}

TEST(Splitter, PsqlMetaCommandsAreNamedWithTheirLine) {
  const auto refused = [](const std::string& text, const std::string& described) {
    expect_error(text, ErrorCode::UnsupportedStatement, described);
  };
  refused("SELECT 1;\n\\copy t from 'it''s.csv'\n",
          "line 2: psql meta-command \\copy is not SQL and cannot be used in a revision");
  refused("\\i other.sql\nSELECT 1;", "line 1: psql meta-command \\i is not SQL and cannot be used in a revision");
  refused("SELECT 'a'\n\\gexec\n", "line 2: psql meta-command \\gexec is not SQL and cannot be used in a revision");
  refused("SELECT E'\\n';\n  \\set ON_ERROR_STOP on\n",
          "line 2: psql meta-command \\set is not SQL and cannot be used in a revision");
  refused("\\restrict x'y\n", "line 1: psql meta-command \\restrict is not SQL and cannot be used in a revision");
  refused("INSERT INTO t VALUES (1);\n1\t2\n\\.\n",
          "line 3: psql meta-command \\. is not SQL and cannot be used in a revision");
}

TEST(Splitter, BackslashesInsideQuotesAndCommentsAreNoMetaCommands) {
  expect_split("SELECT '\n\\d', $$\n\\q$$ -- \\i\n/*\n\\x */;", {{"SELECT '\n\\d', $$\n\\q$$ -- \\i\n/*\n\\x */", 1}});
}

TEST(Splitter, DataLinesBehindCopyAreNotMistakenForSql) {
  const std::string copy =
      "line 2: COPY with STDIN or STDOUT is not possible in a revision: there is no client to send or receive the rows";
  expect_error("SELECT 1;\nCOPY t (a) FROM stdin;\nit's\n\\.\n", ErrorCode::UnsupportedStatement, copy);
  expect_error("SELECT 1;\nCOPY t FROM STDIN WITH (FORMAT csv);\n1\t(2\n\\.\n", ErrorCode::UnsupportedStatement, copy);
  expect_error("SELECT 1;\nCOPY t FROM stdin;\n\\N\t1\n\\.\n", ErrorCode::UnsupportedStatement, copy);
}

TEST(Splitter, NulBytesAreRefused) {
  const auto split = split_statements(std::string_view("SELECT 1;\n\0SELECT 2", 19));
  ASSERT_FALSE(split);
  EXPECT_EQ(split.error().describe(), "line 2: NUL byte");
}

TEST(Splitter, AStringGoesOnBehindACommentAndALineEnd) {
  expect_split("SELECT E'x' -- ;\n '\\';b'; SELECT 2", {{"SELECT E'x' -- ;\n '\\';b'", 1}, {"SELECT 2", 2}});
}

TEST(Splitter, ALargeTextIsReadInOnePass) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += "INSERT INTO t VALUES (" + std::to_string(i) + ", 'it''s');\n";
  }
  const auto split = split_statements(text);
  ASSERT_TRUE(split);
  ASSERT_EQ(split->size(), 100'000U);
  EXPECT_EQ(split->back().line, 100'000);
}

}  // namespace
}  // namespace athanor
