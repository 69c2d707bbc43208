// Files of many statements: time that grows with their length, and a stop that is heard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "migrations/lint/text_places.hpp"
#include "tests/unit/lint/lint_sketch.hpp"

namespace athanor {
namespace {

std::string repeated(int count, const std::string& sql) {
  std::string text;
  for (int index = 0; index < count; ++index) {
    std::string statement = sql;
    for (auto place = statement.find('#'); place != std::string::npos; place = statement.find('#')) {
      statement.replace(place, 1, std::to_string(index));
    }
    text += statement;
  }
  return text;
}

TEST(TextPlaces, CountsLinesAndCharacters) {
  TextPlaces places("a\n\xC3\xA9\xC3\xA9x\n\nb");
  const auto at = [&](std::size_t offset) {
    const TextPlace place = places.at(offset);
    return std::pair(place.line, place.column);
  };
  EXPECT_EQ(at(0), std::pair(1, 1));
  EXPECT_EQ(at(6), std::pair(2, 3));
  EXPECT_EQ(at(2), std::pair(2, 1));  // back
  EXPECT_EQ(at(8), std::pair(3, 1));
  places.begin_statement(9);
  EXPECT_EQ(at(9), std::pair(4, 1));
  EXPECT_EQ(at(0), std::pair(1, 1));  // before the statement
  EXPECT_EQ(at(10), std::pair(4, 2));
  EXPECT_EQ(at(99), std::pair(4, 2));
}

TEST(TextPlaces, TakesTimeInProportionToTheText) {
  const std::string text = repeated(200'000, "SELECT #;\n");
  TextPlaces places(text);
  const std::clock_t begin = std::clock();
  for (std::size_t offset = 0; offset < text.size(); offset += 10) {
    places.begin_statement(offset);
    (void)places.at(offset + 5);
    (void)places.at(offset + 2);
  }
  EXPECT_LT(std::clock() - begin, 10 * CLOCKS_PER_SEC);  // from the beginning each time it would be hours
}

TEST(LargeFile, IsLeftWhenAStopIsRequested) {
  StopSource stop;
  LintContext context;
  context.stop = stop.token();
  Linter linter(context);
  linter.lint(plain_unit("SELECT 1;", "file.sql", false));
  EXPECT_FALSE(linter.stopped());
  stop.request();
  linter.lint(plain_unit("SELECT 1;", "file.sql", false));
  EXPECT_TRUE(linter.stopped());
  EXPECT_EQ(linter.statements(), 1U);
}

TEST(LargeFile, MayCreateManyIndexesOnOneTable) {
  const std::string text =
      repeated(4'000, "CREATE INDEX i# ON t (a#);\nALTER TABLE t ADD FOREIGN KEY (a#) REFERENCES o NOT VALID;\n");
  const std::clock_t begin = std::clock();
  EXPECT_FALSE(test::has_rule(test::lint_plain("CREATE TABLE t (a int);\n" + text), "fk-unindexed"));
  EXPECT_LT(std::clock() - begin, 20 * CLOCKS_PER_SEC);  // each index compared with all others takes minutes
}

TEST(LargeFile, NamesTheLimitOfAStatement) {
  const auto findings = test::lint_plain("INSERT INTO t VALUES (1)" + repeated(150'000, ", (#)") + ";");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings.front().rule, "unclassified");
  EXPECT_THAT(findings.front().message, testing::HasSubstr("at most 1 MiB"));
}

}  // namespace
}  // namespace athanor
