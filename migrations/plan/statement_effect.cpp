// Produces a form of a statement that is safe to publish.
#include <algorithm>
#include <array>

#include "migrations/plan/pg_query_access.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_shape.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// Larger statements are not parsed: that would be too expensive for a log line.
constexpr std::size_t kParseLimit = 64U << 10U;

// Words that describe what a statement does. Any other word could be a name or a secret.
constexpr std::string_view kLeadingWords =
    " alter analyze call check checkpoint cluster comment concurrently copy create cross database deallocate declare default"
    " delete discard do domain drop execute explain extension foreign from function grant if index insert into lock"
    " materialized notify on or only policy prepare privileges procedure publication refresh reindex release replace reset"
    " revoke role rule savepoint schema select sequence server set statistics subscription system table temp temporary"
    " trigger truncate type unique unlogged update user using vacuum values view when with ";

std::string leading_keywords(std::string_view sql) {
  SqlLexer lexer(sql);
  std::string shown;
  for (int words = 0; words < 4; ++words) {
    const Token token = lexer.next_code();
    std::string word;
    if (token.kind == TokenKind::Word) {
      word = identifier_name(lexer.text(token));
    }
    if (word.empty() || kLeadingWords.find(" " + word + " ") == std::string_view::npos) {
      break;
    }
    std::transform(word.begin(), word.end(), word.begin(),
                   [](char letter) { return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter; });
    shown += (shown.empty() ? "" : " ") + word;
  }
  return shown.empty() ? "statement" : shown + " …";
}

std::string cut_to(std::string text, std::size_t limit) {
  constexpr std::string_view kMore = "…";
  if (text.size() <= limit) {
    return text;
  }
  if (limit < kMore.size()) {
    return text.substr(0, 0);
  }
  std::size_t end = limit - kMore.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  text.resize(end);
  return text.append(kMore);
}

// Keep sizes and precisions of DDL; numbers in other statements may be data.
bool keeps_numbers(const StatementShape& shape) {
  return shape.starts("create") || shape.starts("alter") || shape.starts("drop");
}

std::string without_literals(std::string_view sql, std::size_t limit, bool numbers) {
  SqlLexer lexer(sql);
  std::string shown;
  int literals = 0;
  std::size_t previous_end = 0;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && shown.size() <= limit; token = lexer.next_code()) {
    if (!shown.empty() && token.begin > previous_end) {
      shown += ' ';
    }
    previous_end = token.end;
    const bool literal = token.kind == TokenKind::String || token.kind == TokenKind::DollarString ||
                         (token.kind == TokenKind::Number && !numbers) || token.kind == TokenKind::Unterminated;
    if (literal) {
      shown += "$" + std::to_string(++literals);
    } else {
      shown += lexer.text(token);
    }
  }
  return shown;
}

}  // namespace

std::string sanitise_sql(std::string_view sql, std::size_t limit) {
  // Only show tokens of text that PostgreSQL accepts: in other text, a literal could be taken for a name.
  const std::string text(sql.substr(0, kParseLimit));
  if (sql.size() > kParseLimit || text.find('\0') != std::string::npos || !can_parse(text)) {
    return cut_to(leading_keywords(sql), limit);
  }
  return cut_to(without_literals(sql, limit, keeps_numbers(StatementShape(sql))), limit);
}

}  // namespace athanor
