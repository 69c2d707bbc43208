// Finds the comments of a script in places where a directive can be: between statements, or after a statement's first words.
//
// Skips comments inside parentheses or a BEGIN ATOMIC body, and everything in strings, quoted names and dollar quotes. Also
// returns lines that only look like comments where a statement could begin (dashes that an editor turned into one long dash,
// `#`, `//`), because PostgreSQL would read them as SQL.
//
// Threads: one object per thread. Ownership: borrows the text. One pass, linear time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/plan/atomic_body.hpp"
#include "migrations/plan/directive_lookalike.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {

struct ScriptComment {
  Token token;
  CommentPlace place = CommentPlace::BetweenStatements;
  bool first_line = false;  // the first line of the header, which is the message
};

class ScriptComments {
 public:
  // `with_header`: the text is a whole file, and its first comment block is the header.
  ScriptComments(std::string_view text, bool with_header) : text_(text), lexer_(text), in_header_(with_header) {}

  // The next comment; empty at the end of the text or at an unterminated quote or comment.
  [[nodiscard]] std::optional<ScriptComment> next();
  // Call after a directive that cuts the text: the header and the current statement end there.
  void cut();
  [[nodiscard]] std::string_view text(const ScriptComment& comment) const { return lexer_.text(comment.token); }
  // The position of the first token that is not a comment; npos if none was found yet.
  [[nodiscard]] std::size_t first_code() const { return first_code_; }
  [[nodiscard]] bool unterminated() const { return unterminated_; }

 private:
  void see_code(const Token& token);
  [[nodiscard]] std::optional<ScriptComment> comment(const Token& token);
  [[nodiscard]] bool passes_for_comment(const Token& token) const;

  std::string_view text_;
  SqlLexer lexer_;
  AtomicBody body_;
  std::size_t depth_ = 0;  // of parentheses
  bool started_ = false;   // a statement has begun
  bool in_header_;
  bool header_begun_ = false;
  std::size_t last_end_ = 0;   // of the previous comment
  std::size_t false_end_ = 0;  // of the last line that looked like a comment
  std::size_t first_code_ = std::string_view::npos;
  bool unterminated_ = false;
};

// Returns `sql` with every comment that would be read as a directive, or refused as one, marked as prose: "-- athanor:note …".
[[nodiscard]] std::string with_notes(std::string_view sql);

}  // namespace athanor
