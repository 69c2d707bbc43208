#include "migrations/plan/expected_query.hpp"

#include <algorithm>
#include <array>

#include "migrations/plan/statement.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

Error malformed(const std::string& path, int line, std::string message, std::string hint) {
  return Error(ErrorCode::MalformedRevision, std::move(message))
      .at(place(path, static_cast<std::size_t>(line)))
      .advise(std::move(hint));
}

constexpr std::string_view kForms = "write `-- expect: no rows`, `-- expect: rows`, or `-- expect: VALUE`";

// Reads the comments above one query.
class Lead {
 public:
  Lead(const std::string& path, std::string_view text, int first_line) : path_(path), text_(text), line_(first_line) {}

  Result<void> read(ExpectedQuery& query) {
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      TRY(take(trim(text_.substr(0, end)), query));
      text_.remove_prefix(std::min(end + 1, text_.size()));
      ++line_;
    }
    return {};
  }
  [[nodiscard]] int expectation_line() const { return expected_; }

 private:
  Result<void> take(std::string_view line, ExpectedQuery& query) {
    if (line.empty()) {
      query.name.clear();  // a comment followed by an empty line is about the file
      return {};
    }
    if (!line.starts_with("--")) {
      return {};
    }
    const std::string_view words = trim(line.substr(std::min(line.find_first_not_of('-'), line.size())));
    constexpr std::string_view kWord = "expect";
    const bool meant = words.size() >= kWord.size() && same_word(words.substr(0, kWord.size()), kWord);
    if (meant && words.substr(kWord.size()).starts_with(':')) {
      return expect(trim(words.substr(kWord.size() + 1)), query);
    }
    // "expected:" and similar: a silent comment would make the check pass for the wrong reason.
    if (meant && words.substr(0, words.find(':')).size() <= kWord.size() + 3 && words.find(':') != std::string_view::npos) {
      return fail(malformed(path_, line_, "an expectation begins with `-- expect:`", std::string(kForms)));
    }
    if (query.name.empty()) {
      query.name = words;
    }
    return {};
  }

  Result<void> expect(std::string_view what, ExpectedQuery& query) {
    if (expected_ > 0) {
      return fail(malformed(path_, line_, "a second expectation for the same query", "keep one"));
    }
    if (what.empty()) {
      return fail(malformed(path_, line_, "the expectation is empty", std::string(kForms)));
    }
    expected_ = line_;
    query.kind = same_word(what, "no rows") ? ExpectedQuery::Kind::NoRows
                 : same_word(what, "rows")  ? ExpectedQuery::Kind::Rows
                                            : ExpectedQuery::Kind::Value;
    query.value = query.kind == ExpectedQuery::Kind::Value ? std::string(what) : std::string();
    return {};
  }

  const std::string& path_;
  std::string_view text_;
  int line_;
  int expected_ = 0;
};

// An expectation behind its query, inside it, or in a block comment would be passed over, and "no rows" expected instead.
Result<void> require_above(std::string_view text, const std::string& path, const std::vector<SqlStatement>& statements) {
  SqlLexer lexer(text);
  for (Token token = lexer.next(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next()) {
    if (token.kind != TokenKind::LineComment && token.kind != TokenKind::BlockComment) {
      continue;
    }
    const std::string_view comment = lexer.text(token);
    const std::string_view words = comment.substr(std::min(comment.find_first_not_of("-/* \t\r\n"), comment.size()));
    constexpr std::string_view kWord = "expect";
    if (words.size() <= kWord.size() || !same_word(words.substr(0, kWord.size()), kWord) ||
        !trim(words.substr(kWord.size())).starts_with(':')) {
      continue;
    }
    const std::size_t line = text.rfind('\n', token.begin) == std::string_view::npos ? 0 : text.rfind('\n', token.begin) + 1;
    const bool alone = trim(text.substr(line, token.begin - line)).empty();
    const bool inside = std::ranges::any_of(statements, [&](const SqlStatement& statement) {
      const auto begin = static_cast<std::size_t>(statement.sql.data() - text.data());
      return token.begin >= begin && token.begin < begin + statement.sql.size();
    });
    if (token.kind != TokenKind::LineComment || !alone || inside) {
      return fail(malformed(path, 1 + count_lines(text, token.begin), "the expectation is not above its query",
                            "write it on a line of its own above the query: -- expect: VALUE"));
    }
  }
  return {};
}

// Its first keyword when that begins a query, otherwise empty.
std::string_view query_word(std::string_view sql) {
  SqlLexer lexer(sql);
  Token token = lexer.next_code();
  while (token.kind == TokenKind::Symbol && lexer.text(token) == "(") {
    token = lexer.next_code();
  }
  const std::string_view word = lexer.text(token);
  constexpr std::array<std::string_view, 5> kQueries{"select", "values", "with", "table", "show"};
  const bool known = token.kind == TokenKind::Word &&
                     std::ranges::any_of(kQueries, [&](std::string_view query) { return same_word(word, query); });
  return known ? word : std::string_view();
}

}  // namespace

std::string ExpectedQuery::expectation() const {
  return kind == Kind::NoRows ? "no rows" : kind == Kind::Rows ? "rows" : value;
}

Result<std::vector<ExpectedQuery>> parse_expected_queries(std::string_view text, const std::string& path) {
  auto statements = split_statements(text);
  if (!statements) {
    Error error = std::move(statements).error();
    error.context = path + (error.context.empty() ? "" : ", " + error.context);
    return fail(std::move(error));
  }
  TRY(require_above(text, path, *statements));
  std::vector<ExpectedQuery> queries;
  std::size_t done = 0;
  for (const SqlStatement& statement : *statements) {
    const auto begin = static_cast<std::size_t>(statement.sql.data() - text.data());
    ExpectedQuery& query = queries.emplace_back();
    query.path = path;
    query.line = statement.line;
    query.sql = statement.sql;
    TRY(Lead(path, text.substr(done, begin - done), 1 + count_lines(text, done)).read(query));
    if (query.name.empty()) {
      query.name = place(path, static_cast<std::size_t>(statement.line));
    }
    const std::string_view word = query_word(statement.sql);
    query.is_show = same_word(word, "show");
    if (word.empty()) {
      return fail(malformed(path, statement.line, "only queries can be verified",
                            "write a SELECT; statements that change the database belong in a revision"));
    }
    done = begin + statement.sql.size();
  }
  ExpectedQuery none;
  Lead rest(path, text.substr(done), 1 + count_lines(text, done));
  TRY(rest.read(none));
  if (rest.expectation_line() > 0) {
    return fail(
        malformed(path, rest.expectation_line(), "no query follows the expectation", "write the query below the expectation"));
  }
  return queries;
}

}  // namespace athanor
