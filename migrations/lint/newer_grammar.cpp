#include "migrations/lint/newer_grammar.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// Rewrites the tokens of an ALTER TABLE.
class AlterRewriter {
 public:
  explicit AlterRewriter(const std::string& text) : text_(text) {
    SqlLexer lexer(text);
    for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
      tokens_.push_back(token);
    }
  }

  // Empty when there is nothing to rewrite.
  std::string rewrite() {
    if (!is(0, "alter") || !is(1, "table")) {
      return {};
    }
    for (std::size_t index = 2; index < tokens_.size(); ++index) {
      if (is(index, "not") && is(index + 1, "enforced")) {
        replace(index, index + 1, "NOT VALID");
      } else if (is(index, "add") || (is(index, "constraint") && index > 0 && is(index - 1, "add"))) {
        const std::size_t start = index + (is(index, "constraint") ? 2 : 1);
        if (is(start, "not") && is(start + 1, "null") && is_name(start + 2)) {
          replace(start, start + 2, "CHECK (" + std::string(word(start + 2)) + " IS NOT NULL)");
        }
      }
    }
    if (copied_ == 0) {
      return {};
    }
    return result_.append(text_, copied_, std::string::npos);
  }

 private:
  [[nodiscard]] std::string_view word(std::size_t index) const {
    return index < tokens_.size()
               ? std::string_view(text_).substr(tokens_[index].begin, tokens_[index].end - tokens_[index].begin)
               : std::string_view();
  }
  [[nodiscard]] bool is(std::size_t index, std::string_view keyword) const {
    return index < tokens_.size() && tokens_[index].kind == TokenKind::Word && same_word(word(index), keyword);
  }
  [[nodiscard]] bool is_name(std::size_t index) const {
    return index < tokens_.size() &&
           (tokens_[index].kind == TokenKind::Word || tokens_[index].kind == TokenKind::QuotedIdentifier);
  }
  void replace(std::size_t first, std::size_t last, const std::string& with) {
    result_.append(text_, copied_, tokens_[first].begin - copied_);
    result_ += with;
    copied_ = tokens_[last].end;
  }

  const std::string& text_;
  std::vector<Token> tokens_;
  std::string result_;
  std::size_t copied_ = 0;
};

}  // namespace

std::string in_known_grammar(std::string text) {
  // Read the tokens again only when the text may contain such syntax.
  if (!contains_word(text, "enforced") && !contains_word(text, "not null")) {
    return text;
  }
  std::string rewritten = AlterRewriter(text).rewrite();
  return rewritten.empty() ? text : rewritten;
}

bool changes_schema(std::string_view sql) {
  SqlLexer lexer(sql);
  const std::string_view first = lexer.text(lexer.next_code());
  constexpr std::array<std::string_view, 3> kVerbs{"create", "alter", "drop"};
  return std::ranges::any_of(kVerbs, [&](std::string_view verb) { return same_word(first, verb); }) ||
         (same_word(first, "select") && contains_word(sql, "into"));
}

}  // namespace athanor
