#include <algorithm>

#include "migrations/plan/pg_query_access.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_text.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// libpg_query keeps a copy of every token until it is done: large texts are read by our own lexer, which copies nothing.
constexpr std::size_t kScannerLimit = 1U << 20U;

// Whether text[begin, end) holds nothing that a server would want to see.
bool only_comments(std::string_view text, std::size_t begin, std::size_t end) {
  SqlLexer lexer(text.substr(0, end), begin);
  Token token = lexer.next_code();
  while (token.kind == TokenKind::Symbol && lexer.text(token) == ";") {
    token = lexer.next_code();
  }
  return token.kind == TokenKind::End;
}

// Statements from the scanner's cuts; nothing when the scanner passed over anything, which the server must refuse, not we.
std::optional<std::vector<SqlStatement>> from_cuts(std::string_view text, const std::vector<ScannedStatement>& cuts,
                                                   int first_line) {
  std::vector<SqlStatement> statements;
  statements.reserve(cuts.size());
  LineCounter lines(text, first_line);
  std::size_t done = 0;
  for (const auto& cut : cuts) {
    if (cut.begin > done && !only_comments(text, done, cut.begin)) {
      return std::nullopt;
    }
    SqlLexer lexer(text.substr(0, cut.end), cut.begin);
    const Token first = lexer.next_code();
    if (first.kind == TokenKind::End) {
      return std::nullopt;
    }
    const int line = lines.line_of(first.begin);
    statements.push_back({trimmed(text, first.begin, cut.end), line});
    done = cut.end;
  }
  if (!only_comments(text, done, text.size())) {
    return std::nullopt;
  }
  return statements;
}

// Backslashes are common in strings and never stand outside of quotes.
Result<void> refuse_meta_commands(std::string_view text, int first_line) {
  SqlLexer lexer(text);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    if (token.kind == TokenKind::Backslash || token.kind == TokenKind::Unterminated) {
      const auto split = split_statements_portably(text, first_line);  // knows whether it is COPY data, and finds the line
      return split ? Result<void>() : fail(split.error());
    }
  }
  return {};
}

}  // namespace

Result<std::vector<SqlStatement>> split_statements(std::string_view text, int first_line) {
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(Error(ErrorCode::MalformedRevision, "NUL byte")
                    .at(line_context(first_line + count_lines(text, nul)))
                    .advise("save the file as UTF-8 text"));
  }
  if (text.size() > kScannerLimit || contains_word(text, "atomic")) {
    return split_statements_portably(text, first_line);
  }
  if (text.find('\\') != std::string_view::npos) {
    TRY(refuse_meta_commands(text, first_line));
  }
  if (const auto cuts = scan_statements(std::string(text))) {
    if (auto statements = from_cuts(text, *cuts, first_line)) {
      return std::move(*statements);
    }
  }
  return split_statements_portably(text, first_line);
}

}  // namespace athanor
