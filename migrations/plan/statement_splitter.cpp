#include "migrations/plan/atomic_body.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_text.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

class StatementSplitter {
 public:
  StatementSplitter(std::string_view text, int first_line) : text_(text), lexer_(text), lines_(text, first_line) {}

  Result<std::vector<SqlStatement>> run() {
    while (true) {
      const Token token = lexer_.next_code();
      if (token.kind == TokenKind::End) {
        break;
      }
      if (token.kind == TokenKind::Unterminated || token.kind == TokenKind::Backslash) {
        return fail(lexical_error(token));
      }
      const char symbol = token.kind == TokenKind::Symbol ? text_[token.begin] : '\0';
      if (symbol == ';' && depth_ == 0 && !body_.open()) {
        finish(token.begin);
        continue;
      }
      if (!started_) {
        started_ = true;
        begin_ = token.begin;
        line_ = lines_.line_of(begin_);
        body_.start_statement();
      }
      if (symbol == '(') {
        outermost_ = depth_++ == 0 ? token.begin : outermost_;
      } else if (symbol == ')') {
        if (depth_ == 0) {
          return fail(parenthesis_error(token.begin, "closing parenthesis without an opening one"));
        }
        --depth_;
      }
      body_.see(lexer_, token);
    }
    // At the end of the text, an open parenthesis has swallowed every following semicolon.
    if (depth_ > 0) {
      return fail(parenthesis_error(outermost_, "parenthesis that is never closed"));
    }
    if (body_.open()) {
      return fail(Error(ErrorCode::MalformedRevision, "BEGIN ATOMIC without its END")
                      .at(line_context(line_))
                      .advise("end the function's body with END and a semicolon"));
    }
    finish(text_.size());
    return std::move(statements_);
  }

 private:
  void finish(std::size_t end) {
    if (started_) {
      statements_.push_back({trimmed(text_, begin_, end), line_});
      started_ = false;
    }
  }

  // The line of a position, which may be before the position counted last.
  [[nodiscard]] int line_at(std::size_t position) const {
    return started_ && position >= begin_ ? line_ + count_lines(text_.substr(begin_), position - begin_)
                                          : LineCounter(lines_).line_of(position);
  }

  // Data lines of a COPY cause arbitrary errors; report the COPY itself.
  Error or_client_copy(Error error) const {
    for (const auto& statement : statements_) {
      if (copies_client_data(statement.sql)) {
        return client_copy_error(statement.line);
      }
    }
    return error;
  }
  Error lexical_error(const Token& token) const {
    const int line = line_at(token.begin);
    return or_client_copy(token.kind == TokenKind::Backslash ? meta_command_error(text_, token.begin, line)
                                                             : unterminated_error(text_, quote_of(token), line));
  }
  // The position of the quote: after the letter in E'…' and U&"…".
  [[nodiscard]] std::size_t quote_of(const Token& token) const {
    const auto quote = text_.substr(token.begin, 3).find_first_of("'\"");
    return text_[token.begin] == '$' || text_[token.begin] == '/' || quote == std::string_view::npos ? token.begin
                                                                                                     : token.begin + quote;
  }
  Error parenthesis_error(std::size_t position, std::string what) const {
    return or_client_copy(Error(ErrorCode::MalformedRevision, std::move(what))
                              .at(line_context(line_at(position)))
                              .advise("balance the parentheses, so that the end of the statement can be found"));
  }

  std::string_view text_;
  SqlLexer lexer_;
  LineCounter lines_;
  std::vector<SqlStatement> statements_;
  std::size_t depth_ = 0;      // of parentheses
  std::size_t outermost_ = 0;  // position of the outermost open one
  AtomicBody body_;
  std::size_t begin_ = 0;
  int line_ = 1;
  bool started_ = false;
};

}  // namespace

Result<std::vector<SqlStatement>> split_statements(std::string_view text, int first_line) {
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(Error(ErrorCode::MalformedRevision, "NUL byte")
                    .at(line_context(first_line + count_lines(text, nul)))
                    .advise("save the file as UTF-8 text"));
  }
  return StatementSplitter(text, first_line).run();
}

}  // namespace athanor
