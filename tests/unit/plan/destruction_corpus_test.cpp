// Every statement of tests/golden/destructive, both ways, and rewritten so that its verdict must stay what it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "migrations/plan/statement.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

struct Sample {
  std::string sql;
  std::string file;
  bool destructive = false;
};

std::vector<Sample> samples_of(const std::string& folder) {
  std::vector<Sample> samples;
  for (const auto& entry : std::filesystem::directory_iterator(ATHANOR_SOURCE_DIR "/tests/golden/destructive/" + folder)) {
    std::ifstream file(entry.path());
    std::string text((std::istreambuf_iterator<char>(file)), {});
    while (text.ends_with('\n')) {
      text.pop_back();
    }
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find("\n\n", begin), text.size());
      samples.push_back({text.substr(begin, end - begin), entry.path().filename(), folder == "destructive"});
      begin = end + 2;
    }
  }
  return samples;
}

std::vector<Sample> all_samples() {
  auto samples = samples_of("destructive");
  auto harmless = samples_of("harmless");
  samples.insert(samples.end(), harmless.begin(), harmless.end());
  std::ranges::sort(samples, {}, [](const Sample& sample) { return std::pair(sample.file, sample.sql); });
  return samples;
}

TEST(DestroyedBy, TellsWhatTheCorpusTells) {
  ASSERT_GE(samples_of("destructive").size(), 150U);
  ASSERT_GE(samples_of("harmless").size(), 75U);
  for (const auto& sample : all_samples()) {
    EXPECT_EQ(!destroyed_by(sample.sql).empty(), sample.destructive) << sample.file << ": " << sample.sql;
  }
}

// Rewrites that change nothing of what a statement does.
class Rewriter {
 public:
  explicit Rewriter(std::uint64_t seed) : random_(seed) {}

  // Other white space, comments between tokens, other capitals.
  std::string respelt(std::string_view sql) {
    SqlLexer lexer(sql);
    std::string text = pick(2) == 0 ? gap() : "";
    std::size_t end = 0;
    bool string = false;
    for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
      const bool spaced = token.begin > end && end > 0;
      const bool joins = string && token.kind == TokenKind::String;  // 'a' and 'b' are one only across a newline
      if (spaced) {
        text += joins ? "\n" : gap();
      }
      string = token.kind == TokenKind::String;
      end = token.end;
      const bool placeholder = text.ends_with('{');
      text += token.kind == TokenKind::Word && !placeholder ? recased(lexer.text(token)) : std::string(lexer.text(token));
    }
    return text + (pick(3) == 0 ? gap() : "");
  }

  // Around or inside of another statement that runs it.
  std::string nested(const std::string& sql) {
    SqlLexer lexer(sql);
    const Token first = lexer.next_code();
    const std::string_view word = lexer.text(first);
    const bool query = same_word(word, "select") || same_word(word, "values") || word == "(";
    const bool placeholder = sql.find("{batch}") != std::string::npos;
    const bool parameters = sql.find('$') != std::string::npos;
    const bool rows =
        query || same_word(word, "delete") || same_word(word, "insert") || same_word(word, "update") || same_word(word, "with");
    if (query && !placeholder && pick(2) == 0) {
      switch (pick(3)) {
        case 0:
          return "(" + sql + ")";
        case 1:
          return "COPY (" + sql + ") TO STDOUT";
        default:
          return "CREATE TABLE made AS " + sql;
      }
    }
    if (rows && pick(2) == 0) {
      return (pick(2) == 0 ? "EXPLAIN (ANALYZE) " : "PREPARE q AS ") + sql;
    }
    if (!rows || query || placeholder || parameters) {
      return sql;
    }
    return in_do(sql);
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  std::string gap() {
    static const std::vector<std::string> kGaps{
        " ", "\n", "\t ", " /* delete */ ", " -- drop table t\n", "\r\n", "/* a /* b */ ' */", "  \f "};
    return kGaps[pick(kGaps.size())];
  }

  std::string recased(std::string_view word) {
    std::string text(word);
    for (char& letter : text) {
      letter = pick(2) == 0 ? lower_ascii(letter) : (letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter);
    }
    return text;
  }

  // The statement as code of a DO block, in any quoting.
  std::string in_do(const std::string& sql) {
    const std::string code = "BEGIN " + sql + "; END";
    std::string text;
    switch (pick(4)) {
      case 0:
        return "DO $outer$ " + code + " $outer$";
      case 1:
        for (const char letter : code) {
          text += letter == '\'' ? "''" : std::string(1, letter);
        }
        return code.find('\\') == std::string::npos ? "DO '" + text + "'" : sql;
      case 2:
        for (const char letter : code) {
          std::ostringstream hex;
          hex << "\\x" << std::hex << static_cast<int>(static_cast<unsigned char>(letter));
          text += letter == '\'' || letter == '\\' || pick(3) == 0 ? hex.str() : std::string(1, letter);
        }
        return "DO E'" + text + "'";
      default:
        for (const char letter : code) {
          std::ostringstream hex;
          hex << "\\00" << std::hex << static_cast<int>(static_cast<unsigned char>(letter) / 16)
              << static_cast<int>(static_cast<unsigned char>(letter) % 16);
          text += letter == '\'' || letter == '\\' || pick(3) == 0 ? hex.str() : std::string(1, letter);
        }
        return "DO U&'" + text + "'";
    }
  }

  std::mt19937_64 random_;
};

// ATHANOR_SEED=n replays one run.
TEST(DestroyedBy, KeepsItsVerdictHoweverAStatementIsWritten) {
  const char* const given = std::getenv("ATHANOR_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "ATHANOR_SEED=" << seed << '\n';
  Rewriter rewriter(seed);
  for (const auto& sample : all_samples()) {
    if (sample.file == "not_understood.sql") {
      continue;
    }
    for (int round = 0; round < 12; ++round) {
      const std::string sql = rewriter.respelt(round % 2 == 0 ? sample.sql : rewriter.nested(sample.sql));
      ASSERT_EQ(!destroyed_by(sql).empty(), sample.destructive) << "seed " << seed << ", " << sample.file << ": " << sql;
    }
  }
}

}  // namespace
}  // namespace athanor
