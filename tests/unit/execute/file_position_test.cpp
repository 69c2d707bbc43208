#include "migrations/execute/file_position.hpp"

#include <gtest/gtest.h>

namespace athanor {
namespace {

std::string place(const std::string& text, const Error& error) {
  const auto statements = split_statements(text).value();
  return describe_position("f.sql", file_position(text, statements.back(), error));
}

Error at_character(int position) {
  Error error(ErrorCode::StatementFailed, "no");
  error.position = position;
  return error;
}

TEST(FilePosition, IsTheLineAndColumnOfTheServersPosition) {
  EXPECT_EQ(place("-- head\n\nCREATE TABLE a (\n  i int,\n  j itn\n);", at_character(31)), "f.sql:5:5");
}

TEST(FilePosition, CountsTheColumnFromTheStartOfTheLine) {
  EXPECT_EQ(place("SELECT 1; SELECT nothing;", at_character(8)), "f.sql:1:18");
}

TEST(FilePosition, CountsCharactersAndNotBytes) {
  EXPECT_EQ(place("SELECT '\xc3\xa4\xc3\xb6\xf0\x9f\x98\x80', nothing;", at_character(14)), "f.sql:1:14");
}

TEST(FilePosition, IsTheStatementsLineWhenTheServerToldNone) {
  EXPECT_EQ(place("\n\nSELECT 1 /\n 0;", at_character(0)), "f.sql:3");
  EXPECT_EQ(place("\n\nSELECT 1;", at_character(4711)), "f.sql:3");
}

TEST(FilePosition, IsTheLineOfAnAnonymousBlocksBody) {
  Error error(ErrorCode::StatementFailed, "no way");
  error.body_line = 3;
  EXPECT_EQ(place("SELECT 1;\nDO $$ BEGIN\n  RAISE WARNING 'careful';\n  RAISE EXCEPTION 'no way';\nEND $$;", error),
            "f.sql:4");
  EXPECT_EQ(place("DO\n$body$\nBEGIN\n  RAISE EXCEPTION 'no way';\nEND $body$;", error), "f.sql:4");
}

// What a batch puts in place of {batch} moves everything behind it.
TEST(FilePosition, KnowsNoMoreThanTheStatementBehindTheRangeOfABatch) {
  const std::string text = "UPDATE t SET a = b\n WHERE {batch} AND c;";
  EXPECT_EQ(place(text, at_character(18)), "f.sql:1:18");
  EXPECT_EQ(place(text, at_character(60)), "f.sql:1");
  EXPECT_EQ(place(text, at_character(38)), "f.sql:1");
}

}  // namespace
}  // namespace athanor
