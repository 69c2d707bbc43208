#include "migrations/plan/script_comments.hpp"

#include <algorithm>

#include "migrations/plan/comment_words.hpp"
#include "migrations/plan/script_directive.hpp"

namespace athanor {

std::optional<ScriptComment> ScriptComments::next() {
  for (Token token = lexer_.next(); token.kind != TokenKind::End; token = lexer_.next()) {
    if (token.kind == TokenKind::Unterminated) {
      unterminated_ = true;
      first_code_ = std::min(first_code_, token.begin);
      return std::nullopt;
    }
    if (token.kind == TokenKind::LineComment || token.kind == TokenKind::BlockComment) {
      if (auto found = comment(token)) {
        return found;
      }
      continue;
    }
    in_header_ = false;
    first_code_ = std::min(first_code_, token.begin);
    if (!started_ && passes_for_comment(token)) {
      if (token.begin >= false_end_) {  // once per line: its characters are several tokens
        false_end_ = std::min(text_.find_first_of("\r\n", token.begin), text_.size());
        return ScriptComment{{token.kind, token.begin, false_end_}};
      }
      continue;
    }
    see_code(token);
  }
  return std::nullopt;
}

// Whether the token begins a line that looks like a comment. A statement begins with a word or a parenthesis, never with one of
// these characters, which begin comments in other languages.
bool ScriptComments::passes_for_comment(const Token& token) const {
  if (token.kind == TokenKind::Symbol) {
    return std::string_view("#/@!+").find(text_[token.begin]) != std::string_view::npos;
  }
  return token.kind == TokenKind::Word && begins_blank(lexer_.text(token));
}

void ScriptComments::see_code(const Token& token) {
  const char symbol = token.kind == TokenKind::Symbol ? text_[token.begin] : '\0';
  if (symbol == ';' && depth_ == 0 && !body_.open()) {
    started_ = false;
    return;
  }
  if (!started_) {
    started_ = true;
    body_.start_statement();
  }
  if (symbol == '(') {
    ++depth_;
  } else if (symbol == ')' && depth_ > 0) {
    --depth_;
  }
  body_.see(lexer_, token);
}

std::optional<ScriptComment> ScriptComments::comment(const Token& token) {
  // A comment in the middle of an expression or a body is not in a place for a directive.
  if (started_ && (depth_ > 0 || body_.open())) {
    return std::nullopt;
  }
  ScriptComment found{token, started_ ? CommentPlace::InStatement : CommentPlace::BetweenStatements};
  if (in_header_) {
    const auto gap = text_.substr(last_end_, token.begin - last_end_);
    // The header ends at an empty line, at a block comment or at code.
    in_header_ = token.kind == TokenKind::LineComment && (!header_begun_ || std::ranges::count(gap, '\n') < 2);
    if (in_header_) {
      found.place = CommentPlace::Header;
      found.first_line = !header_begun_;
      header_begun_ = true;
    }
  }
  last_end_ = token.end;
  return found;
}

void ScriptComments::cut() {
  in_header_ = false;
  started_ = false;
  depth_ = 0;
  body_.start_statement();
}

std::string with_notes(std::string_view sql) {
  std::string text;
  std::size_t done = 0;
  ScriptComments comments(sql, false);
  while (const auto found = comments.next()) {
    const auto comment = comments.text(*found);
    const bool block = found->token.kind == TokenKind::BlockComment;
    const bool is_comment = block || found->token.kind == TokenKind::LineComment;
    if (!is_comment || (!is_directive(comment) && !directive_lookalike(comment, found->place))) {
      continue;
    }
    const std::size_t dashes = block ? 2 : std::min(comment.find_first_not_of('-'), comment.size());
    const std::size_t begin = std::min(comment.find_first_not_of(' ', dashes), comment.size());
    text += sql.substr(done, found->token.begin - done);
    text += block ? "/* athanor:note " : "-- athanor:note ";
    text += comment.substr(begin);
    done = found->token.end;
  }
  return text.append(sql.substr(done));
}

}  // namespace athanor
