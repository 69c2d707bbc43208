// PostgreSQL's lexical rules, as far as cutting text apart needs them: where a quote, a comment or an identifier ends.
//
// Words come out as written; what they mean is for the caller. A backslash outside quotes is a token of its own: no SQL has
// one, psql's meta-commands do. `standard_conforming_strings` is taken to be on, as it has been by default since 9.1.
//
// Threads: one object per thread. Ownership: borrows the text; tokens point into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace athanor {

enum class TokenKind : std::uint8_t {
  End,
  Word,              // keyword or bare identifier
  QuotedIdentifier,  // "…" and U&"…"
  String,            // '…', E'…', B'…', X'…', U&'…' with its continuation lines
  DollarString,      // $tag$…$tag$
  Number,
  Parameter,  // $1
  Symbol,     // one character
  Backslash,
  LineComment,   // without its newline
  BlockComment,  // nested ones included
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

  // The next token, comments included; white space is passed over. After Unterminated only End follows.
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

// ASCII only: keywords are ASCII, and other letters keep their case in identifiers of multi-byte databases.
[[nodiscard]] constexpr char lower_ascii(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}
// `keyword` in lower case.
[[nodiscard]] bool same_word(std::string_view word, std::string_view keyword);
// Whether `text` contains `word` (lower case) in any case, as part of a longer word or not.
[[nodiscard]] bool contains_word(std::string_view text, std::string_view word);
[[nodiscard]] bool is_sql_space(char letter);
// Newlines of text[0, end).
[[nodiscard]] int count_lines(std::string_view text, std::size_t end);

}  // namespace athanor
