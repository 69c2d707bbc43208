// Two splitters, one answer: PostgreSQL's own scanner and ours over texts made of everything that quoting can do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>

#include "migrations/plan/pg_query_access.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// Trimmed statements of the scanner alone; nothing when it cannot read the text.
std::optional<std::vector<std::string>> scanned(const std::string& text) {
  const auto cuts = scan_statements(text);
  if (!cuts) {
    return std::nullopt;
  }
  std::vector<std::string> statements;
  for (const auto& cut : *cuts) {
    SqlLexer lexer(std::string_view(text).substr(0, cut.end), cut.begin);
    const auto begin = lexer.next_code().begin;
    std::string statement = text.substr(begin, cut.end - begin);
    while (!statement.empty() && is_sql_space(statement.back())) {
      statement.pop_back();
    }
    statements.push_back(std::move(statement));
  }
  return statements;
}

// libpg_query 15.4 does not see that E'a' -- comment<newline>'b' is one string, which PostgreSQL does.
bool continues_behind_comment(const std::string& text) {
  for (auto quote = text.find('\''); quote != std::string::npos; quote = text.find('\'', quote + 1)) {
    const auto dashes = text.find_first_not_of(" \t\n", quote + 1);
    if (dashes == std::string::npos || text.compare(dashes, 2, "--") != 0) {
      continue;
    }
    const auto line_end = text.find('\n', dashes);
    const auto next = line_end == std::string::npos ? line_end : text.find_first_not_of(" \t\n", line_end);
    if (next != std::string::npos && text[next] == '\'') {
      return true;
    }
  }
  return false;
}

// The scanner passes over statements without any keyword; this comparison must, too.
bool has_keyword(std::string_view statement) {
  SqlLexer lexer(statement);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    if (token.kind == TokenKind::String && lower_ascii(statement[token.begin]) == 'n') {
      return true;  // N'…' is a cast to NCHAR
    }
    for (const std::string_view keyword :
         {"select", "from", "case", "when", "then", "end", "int", "create", "function", "as", "begin"}) {
      if (token.kind == TokenKind::Word && same_word(lexer.text(token), keyword)) {
        return true;
      }
    }
  }
  return false;
}

std::vector<std::string> texts_of(const std::vector<SqlStatement>& statements) {
  std::vector<std::string> texts;
  for (const auto& statement : statements) {
    texts.emplace_back(statement.sql);
  }
  return texts;
}

// Pieces that touch each other in unkind ways. Every statement begins with a keyword, so that the scanner drops none.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all{" ",
                                            "\n",
                                            "\t",
                                            "\r",
                                            ";",
                                            ";\n",
                                            "SELECT ",
                                            "select",
                                            "FROM t",
                                            "a",
                                            "a$b$",
                                            "$1",
                                            "$$",
                                            "$$;$$",
                                            "$x$ ; $$ $x$",
                                            "$x$",
                                            "$ä$;$ä$",
                                            "'a;'",
                                            "'it''s'",
                                            "''",
                                            "E'\\';'",
                                            "e'\\\\'",
                                            "E'a'\n'b\\''",
                                            "'a'\n'b'",
                                            "'a' -- ;\n 'b;'",
                                            "B'01'",
                                            "x'ff'",
                                            "N'n;'",
                                            "U&'\\0041;'",
                                            "u&\"x;\"\"\"",
                                            "\"q;\"",
                                            "\"a\"\"b\"",
                                            "-- c ; '\n",
                                            "--\r",
                                            "/* ; */",
                                            "/* /* ; */ ' */",
                                            "/**/",
                                            "/*/ */",
                                            "(",
                                            ")",
                                            "(SELECT 1; SELECT 2)",
                                            "+",
                                            "-",
                                            "*",
                                            "/",
                                            "@-",
                                            "||",
                                            "::int",
                                            ":=",
                                            "=>",
                                            "1",
                                            "1.5e+10",
                                            ".5",
                                            "1..2",
                                            "[1:2]",
                                            "{batch}",
                                            ",",
                                            "e",
                                            "n",
                                            "u",
                                            "é",
                                            "_",
                                            "CASE WHEN 1 THEN 2 END",
                                            "\\",
                                            "'",
                                            "\"",
                                            "/*",
                                            "$a",
                                            "0x1f",
                                            "1e",
                                            "CREATE FUNCTION f() AS $f$ BEGIN; END $f$"};
  return all;
}

std::string random_text(std::mt19937& random) {
  std::string text = "SELECT ";
  const std::size_t count = 1 + random() % 24;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& piece = pieces()[random() % pieces().size()];
    text += piece;
    if (piece.front() == ';') {
      text += "SELECT ";
    }
  }
  return text;
}

// The scanner loses count of parentheses that close before they open; then the statement's check must notice.
bool is_refused(const std::string& text) {
  const auto split = split_statements(text);
  if (!split) {
    return true;
  }
  return std::any_of(split->begin(), split->end(),
                     [](const SqlStatement& statement) { return !check_statement(statement, true); });
}

unsigned seed() {
  const char* const given = std::getenv("ATHANOR_SEED");
  return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
}

TEST(SplitterAgreement, BothSplittersCutRandomTextAlike) {
  const unsigned used = seed();
  std::cout << "ATHANOR_SEED=" << used << " replays this\n";
  std::mt19937 random(used);
  int compared = 0;
  for (int round = 0; round < 60'000; ++round) {
    const std::string text = random_text(random);
    const auto scanner = continues_behind_comment(text) ? std::nullopt : scanned(text);
    const auto ours = split_statements(text);
    if (!scanner || !ours) {
      if (!ours) {
        EXPECT_TRUE(is_refused(text)) << "ATHANOR_SEED=" << used << "\n" << text;
      }
      continue;
    }
    ++compared;
    auto with_keywords = texts_of(*ours);
    std::erase_if(with_keywords, [](const std::string& statement) { return !has_keyword(statement); });
    ASSERT_EQ(with_keywords, *scanner) << "ATHANOR_SEED=" << used << "\n" << text;
  }
  EXPECT_GT(compared, 5'000) << "the texts are too wild to tell anything";
}

// A text that only the scanner accepts would have been read twice differently.
TEST(SplitterAgreement, WhatTheScannerRefusesIsUnterminatedOrLeftToTheServer) {
  for (const std::string text : {"SELECT 1a", "SELECT U&'\\00'", "SELECT \"\"", "SELECT E'\\u12'", "SELECT 0x"}) {
    const auto split = split_statements(text);
    ASSERT_TRUE(split) << text;
    EXPECT_EQ(texts_of(*split), std::vector<std::string>{text});
  }
}

TEST(SplitterAgreement, EveryThreadGetsTheSameAnswer) {
  const std::string text = "SELECT 1; DO $$ ; $$; -- x\nUPDATE t SET a = E'\\';'; SELECT 'unterminated'";
  const auto expected = split_statements(text);
  ASSERT_TRUE(expected);
  for (int generation = 0; generation < 4; ++generation) {  // threads end and others begin: their memory must not be shared
    std::vector<std::thread> threads;
    std::vector<int> wrong(8, 0);
    for (std::size_t worker = 0; worker < wrong.size(); ++worker) {
      threads.emplace_back([&, worker] {
        for (int round = 0; round < 500; ++round) {
          const auto split = split_statements(text);
          wrong[worker] += split && texts_of(*split) == texts_of(*expected) ? 0 : 1;
          wrong[worker] += split_statements("SELECT 'never closed").has_value() ? 1 : 0;
          wrong[worker] += sanitise_sql("ALTER ROLE r PASSWORD 'x'") == "ALTER ROLE r PASSWORD $1" ? 0 : 1;
          wrong[worker] += recovery_probe("DROP DATABASE d").object == "d" ? 0 : 1;
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(wrong, std::vector<int>(8, 0));
  }
}

}  // namespace
}  // namespace athanor
