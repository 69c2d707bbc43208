// PostgreSQL's lexical rules, as far as needed to split text: where a quote, comment or identifier ends.
//
// Words are returned as written; the caller interprets them. A backslash outside quotes is a separate token: SQL has none, but
// psql's meta-commands do. Assumes standard_conforming_strings = on, the default since 9.1.
//
// Threads: one object per thread. Ownership: borrows the text; tokens point into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "migrations/text/letter_case.hpp"

namespace athanor {

enum class TokenKind : std::uint8_t {
  End,
  Word,              // keyword or bare identifier
  QuotedIdentifier,  // "…" and U&"…"
  String,            // '…', E'…', B'…', X'…', U&'…'; of E'…' also its continuation lines
  DollarString,      // $tag$…$tag$
  Number,
  Parameter,  // $1
  Symbol,     // one character
  Backslash,
  LineComment,   // without the line end
  BlockComment,  // including nested ones
  Unterminated,  // a quote, dollar quote or block comment that never ends
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::size_t begin = 0;
  std::size_t end = 0;
};

class SqlLexer {
 public:
  explicit SqlLexer(std::string_view text, std::size_t start = 0) : text_(text), position_(start) {}

  // The next token, including comments; skips white space. After Unterminated, only End follows.
  [[nodiscard]] Token next();
  // The next token that is not a comment.
  [[nodiscard]] Token next_code();
  [[nodiscard]] std::string_view text(const Token& token) const { return text_.substr(token.begin, token.end - token.begin); }
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  [[nodiscard]] char at(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }
  Token finish(TokenKind kind, std::size_t begin, std::size_t end);
  Token word();
  Token number();
  Token quoted(std::size_t begin, std::size_t open, TokenKind kind, bool escapes);
  Token dollar();
  Token block_comment();
  [[nodiscard]] std::size_t continuation(std::size_t after) const;

  std::string_view text_;
  std::size_t position_;
};

// Compares without regard to case; `keyword` must be in lower case.
[[nodiscard]] bool same_word(std::string_view word, std::string_view keyword);
// Whether `text` contains `word` (in lower case) in any case, possibly inside a longer word.
[[nodiscard]] bool contains_word(std::string_view text, std::string_view word);
// Space, tab, line feed, carriage return, form feed or vertical tab.
[[nodiscard]] bool is_sql_space(char letter);
// The number of newlines in text[0, end).
[[nodiscard]] int count_lines(std::string_view text, std::size_t end);

}  // namespace athanor
