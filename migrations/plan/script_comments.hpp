// The comments of a script where a directive can stand: between statements, or behind a statement's first words.
//
// A comment in parentheses or in a BEGIN ATOMIC body is inside its statement and left out, as is everything in strings,
// quoted names and dollar quotes. What only looks like a comment (dashes that an editor turned into one long dash, `#`, `//`)
// comes out too where a statement could begin: PostgreSQL would read it as SQL.
//
// Threads: one object per thread. Ownership: borrows the text. One pass, linear in the text.
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
  bool first_line = false;  // the first line of the header: its message
};

class ScriptComments {
 public:
  // `with_header`: the text is a whole file, whose first comment block is its header.
  ScriptComments(std::string_view text, bool with_header) : text_(text), lexer_(text), in_header_(with_header) {}

  // The next comment, or nothing at the end of the text or at a quote or comment that never ends.
  [[nodiscard]] std::optional<ScriptComment> next();
  // Behind a directive neither the header nor a statement goes on.
  void cut();
  [[nodiscard]] std::string_view text(const ScriptComment& comment) const { return lexer_.text(comment.token); }
  // Where the first token stands that is no comment; npos while there is none.
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
  bool started_ = false;   // a statement
  bool in_header_;
  bool header_begun_ = false;
  std::size_t last_end_ = 0;   // of the comment before
  std::size_t false_end_ = 0;  // of the line that passed for a comment
  std::size_t first_code_ = std::string_view::npos;
  bool unterminated_ = false;
};

// `sql` with every comment that would count as a directive, or be refused as one, marked as prose: "-- athanor:note …".
[[nodiscard]] std::string with_notes(std::string_view sql);

}  // namespace athanor
