#include "migrations/plan/atomic_body.hpp"

#include <utility>

namespace athanor {

void AtomicBody::see(const SqlLexer& lexer, const Token& token) {
  const auto text = lexer.text(token);
  if (token.kind != TokenKind::Word) {
    const bool dot = token.kind == TokenKind::Symbol && text == ".";
    previous_ = dot ? Previous::Dot : Previous::Other;
    ++words_;
    return;
  }
  if (words_ < 5) {
    see_head(text);
  }
  ++words_;
  const auto before = std::exchange(previous_, Previous::Other);
  // After a dot a keyword is a column name: t.end.
  if (!routine_ || before == Previous::Dot) {
    return;
  }
  see_body(text, before);
}

// CREATE [OR REPLACE] FUNCTION | PROCEDURE
void AtomicBody::see_head(std::string_view text) {
  if (words_ == 0) {
    create_ = same_word(text, "create");
  } else if (create_ && !routine_) {
    const bool place = words_ == 1 || (words_ == 3 && replace_);
    replace_ = replace_ || (words_ == 2 && same_word(text, "replace"));
    routine_ = place && (same_word(text, "function") || same_word(text, "procedure"));
  }
}

void AtomicBody::see_body(std::string_view text, Previous before) {
  if (depth_ == 0) {
    if (before == Previous::Begin && same_word(text, "atomic")) {
      depth_ = 1;
    } else if (same_word(text, "begin")) {
      previous_ = Previous::Begin;
    }
    return;
  }
  if (same_word(text, "as")) {
    previous_ = Previous::As;
  } else if (before != Previous::As) {  // after AS, `end` is an alias
    if (same_word(text, "case")) {
      ++depth_;
    } else if (same_word(text, "end")) {
      --depth_;
    }
  }
}

}  // namespace athanor
