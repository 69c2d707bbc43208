// Reading a hostile revision costs time in proportion to its length.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "migrations/plan/script.hpp"
#include "migrations/plan/script_comments.hpp"
#include "migrations/plan/statement.hpp"

namespace athanor {
namespace {

struct Family {
  std::string name;
  std::string before;
  std::string piece;  // repeated to the wanted size
  std::string after;
};

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {"nested comments", "SELECT 1;", "/*", ""},
      {"nested comments, closed", "SELECT 1; /*", "/**/", "*/ SELECT 2;"},
      {"nested comments inside a statement", "SELECT ", "/*/**/*/", " 1;"},
      {"comment openers inside a body", "DO $$ BEGIN ", "/*/**/*/", " END $$;"},
      {"comment stars", "SELECT 1 /*", "*", "*/;"},
      {"short comments", "", "-- a\n", "SELECT 1;"},
      {"comments with many words", "", "-- down the road, up the hill and back: a b c d e f g h i j k l m n o p\n",
       "SELECT 1;"},
      {"one long comment", "-- ", "down ", "\nSELECT 1;"},
      {"one long word in a comment", "-- ", "athanor", "\nSELECT 1;"},
      {"punctuation in a comment", "--", ":-", "\nSELECT 1;"},
      {"signs that pass for a comment", "", "#", "\nSELECT 1;"},
      {"long dashes", "", "\xE2\x80\x94", "\nSELECT 1;"},
      {"an open quote", "SELECT '", "x'' ", ""},
      {"an open name", "SELECT \"", "x\"\" ", ""},
      {"an open dollar quote", "SELECT $a$ ", "$b$ $a ", ""},
      {"many open dollar quotes", "", "$a $b ", ";"},
      {"dollar signs", "SELECT ", "$", ";"},
      {"a long tag", "SELECT $", "a", "$ ;"},
      {"escape strings that go on", "SELECT E'a'", "\n'\\'b'", ";"},
      {"gaps behind escape strings", "SELECT ", "E'a'\n--\n--\n\n, ", "1;"},
      {"backslashes in a string", "SELECT E'", "\\\\", "';"},
      {"backslashes", "SELECT 1;\n", "\\", ""},
      {"open parentheses", "SELECT ", "(", ";"},
      {"closed parentheses", "SELECT ", ")", ";"},
      {"pairs of parentheses", "SELECT 1", "()", ";"},
      {"signs", "SELECT 1 ", "+", " 2;"},
      {"mixed signs", "SELECT 1 ", "<=>~+-*", " 2;"},
      {"a long name", "SELECT ", "abcdefgh", ";"},
      {"a long number", "SELECT ", "1", ";"},
      {"an exponent", "SELECT 1", "e+1", ";"},
      {"semicolons", "", ";", ""},
      {"short statements", "", "SELECT 1;", ""},
      {"lines", "SELECT 1;", "\n", "\\x"},
      {"statements and a command of psql", "", "SELECT 1;\n", "\\x"},
      {"placeholders in strings", "SELECT ''", ", '{batch}'", ";"},
      {"values", "INSERT INTO t VALUES (1)", ", (1, 'a')", ";"},
      {"begin atomic", "CREATE FUNCTION f() BEGIN ATOMIC ", "CASE BEGIN ATOMIC ", ""},
      {"steps", "SELECT 1;\n", "-- athanor:step transaction\nSELECT 1;\n", ""},
      {"notes", "", "-- athanor:note down\n", "SELECT 1;"},
      {"copies", "", "COPY t TO 'f';", "("},
      {"set commands", "", "SET a = 'b';", ""},
  };
  return all;
}

std::string text_of(const Family& family, std::size_t size) {
  std::string text = "-- Hostile\n-- Revision: ab12\n\n-- athanor:upgrade\n" + family.before;
  while (text.size() < size) {
    text += family.piece;
  }
  return text + family.after;
}

// Everything that reads a revision's text before it runs, or speaks of it afterwards.
void read(const std::string& text) {
  Revision revision;
  revision.id = "ab12";
  revision.path = "ab12.sql";
  const auto script = parse_script(revision, text);
  static_cast<void>(with_notes(text));
  static_cast<void>(sanitise_sql(text));
  static_cast<void>(destroyed_by(text));
  static_cast<void>(recovery_probe(text));
  if (script && !script->upgrade.empty()) {
    for (const auto& statement : script->upgrade.front().statements) {
      static_cast<void>(sanitise_sql(statement.sql.substr(0, 200'000)));
      if (script->upgrade.front().statements.size() < 100) {
        static_cast<void>(destroyed_by(statement.sql));
        static_cast<void>(recovery_probe(statement.sql));
      }
    }
  }
}

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Four times the text, at most six times the time. Short times are noise; the best of some tries is not.
TEST(LinearTime, FourTimesTheTextCostsFourTimesTheTime) {
  constexpr std::size_t kSmall = 64U << 10U;
  for (const auto& family : families()) {
    const std::string small = text_of(family, kSmall);
    const std::string large = text_of(family, 4 * kSmall);
    double ratio = 0;
    double took = 0;
    for (int round = 0; round < 4; ++round) {
      const double base = std::max(seconds([&] { read(small); }), 0.02);
      took = seconds([&] { read(large); });
      ratio = took / base;
      if (ratio < 6) {
        break;
      }
    }
    EXPECT_LT(ratio, 6) << family.name << ": " << took << " s";
    if (std::getenv("ATHANOR_TIMES") != nullptr) {
      std::cout << family.name << ": " << took << " s, ratio " << ratio << "\n";
    }
  }
}

TEST(LinearTime, AMegabyteIsReadInSeconds) {
  for (const auto& family : families()) {
    const std::string text = text_of(family, 1U << 20U);
    Revision revision;
    revision.id = "ab12";
    revision.path = "ab12.sql";
    const double took = seconds([&] { static_cast<void>(parse_script(revision, text)); });
    EXPECT_LT(took, 30) << family.name;
    if (std::getenv("ATHANOR_TIMES") != nullptr) {
      std::cout << family.name << ": " << took << " s for 1 MiB\n";
    }
  }
}

}  // namespace
}  // namespace athanor
