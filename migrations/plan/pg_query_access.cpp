#include "migrations/plan/pg_query_access.hpp"

#include <pg_query.h>

#include <algorithm>
#include <mutex>

#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

void set_up_thread() {
  thread_local bool ready = false;
  // Without a lock on every later call.
  if (ready) {
    return;
  }
  static std::mutex first_calls;
  const std::lock_guard guard(first_calls);
  pg_query_init();
  ready = true;
}

// PostgreSQL's scanner reads a run of these characters to its end for each of them, so its time grows quadratically, both for
// "+++…" and for the "/*/*/*…" that opens a comment.
constexpr std::string_view kOperatorSigns = "~!@#^&|`?+-*/%<>=";
constexpr std::size_t kLongestRun = 512;

bool has_long_run(std::string_view text) {
  std::size_t run = 0;
  return std::ranges::any_of(text, [&](char letter) {
    run = kOperatorSigns.find(letter) == std::string_view::npos ? 0 : run + 1;
    return run > kLongestRun;
  });
}

// The text with comments replaced by blanks, so that positions stay the same; empty when the scanner would take too long.
std::optional<std::string> readable(const std::string& text) {
  std::string plain = text;
  SqlLexer lexer(text);
  std::size_t run_begin = 0;
  std::size_t run_end = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next()) {
    if (token.kind == TokenKind::Unterminated) {
      return std::nullopt;
    }
    if (token.kind == TokenKind::LineComment || token.kind == TokenKind::BlockComment) {
      std::replace_if(
          plain.begin() + static_cast<std::ptrdiff_t>(token.begin), plain.begin() + static_cast<std::ptrdiff_t>(token.end),
          [](char letter) { return letter != '\n'; }, ' ');
    } else if (token.kind == TokenKind::Symbol && kOperatorSigns.find(text[token.begin]) != std::string_view::npos) {
      run_begin = token.begin == run_end ? run_begin : token.begin;
      run_end = token.end;
      if (run_end - run_begin > kLongestRun) {
        return std::nullopt;
      }
    }
  }
  return plain;
}

}  // namespace

std::optional<std::vector<ScannedStatement>> scan_statements(const std::string& text) {
  set_up_thread();
  const PgQuerySplitResult result = pg_query_split_with_scanner(text.c_str());
  std::optional<std::vector<ScannedStatement>> found;
  if (result.error == nullptr) {
    found.emplace();
    found->reserve(static_cast<std::size_t>(result.n_stmts));
    for (int index = 0; index < result.n_stmts; ++index) {
      const auto begin = static_cast<std::size_t>(result.stmts[index]->stmt_location);
      found->push_back({begin, begin + static_cast<std::size_t>(result.stmts[index]->stmt_len)});
    }
  }
  pg_query_free_split_result(result);
  return found;
}

bool can_parse(const std::string& text) {
  set_up_thread();
  const auto plain = readable(text);
  if (!plain) {
    return false;
  }
  const PgQuerySplitResult result = pg_query_split_with_parser(plain->c_str());
  const bool accepted = result.error == nullptr;
  pg_query_free_split_result(result);
  return accepted;
}

std::optional<std::string> parse_tree(const std::string& text) {
  set_up_thread();
  std::optional<std::string> tree;
  const auto plain = readable(text);
  if (!plain) {
    return tree;
  }
  const PgQueryParseResult result = pg_query_parse(plain->c_str());
  if (result.error == nullptr && result.parse_tree != nullptr) {
    tree.emplace(result.parse_tree);
  }
  pg_query_free_parse_result(result);
  return tree;
}

std::optional<std::string> parse_procedure(const std::string& statement) {
  set_up_thread();
  std::optional<std::string> tree;
  const auto plain = readable(statement);
  if (!plain || has_long_run(*plain)) {  // the body of a function still contains its comments
    return tree;
  }
  const PgQueryPlpgsqlParseResult result = pg_query_parse_plpgsql(plain->c_str());
  if (result.error == nullptr && result.plpgsql_funcs != nullptr) {
    tree.emplace(result.plpgsql_funcs);
  }
  pg_query_free_plpgsql_parse_result(result);
  return tree;
}

}  // namespace athanor
