// What a statement takes away that no downgrade brings back: the ground of approvals and backups "when destructive".
#include <algorithm>
#include <array>

#include "migrations/plan/sql_lexer.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_shape.hpp"

namespace athanor {
namespace {

constexpr std::size_t kShown = 160;

// Objects that hold data, or that take columns with them.
constexpr std::array<std::string_view, 10> kDrops{"drop table",         "drop schema",   "drop database", "drop owned",
                                                  "drop foreign table", "drop sequence", "drop type",     "drop extension",
                                                  "drop tablespace",    "drop server"};

// What ALTER … DROP may take away without touching a row.
constexpr std::array<std::string_view, 7> kHarmlessAlterDrops{"constraint", "default",    "not",  "identity",
                                                              "expression", "subscriber", "value"};

bool one_of(std::string_view word, const auto& words) {
  return std::ranges::any_of(words, [word](std::string_view candidate) { return same_word(word, candidate); });
}

struct Facts {
  bool drops_column = false;    // DROP outside parentheses, of a column or attribute
  bool deletes = false;         // DELETE FROM, or MERGE … THEN DELETE, anywhere
  bool where = false;           // WHERE or {batch} outside parentheses
  bool cascade = false;         // outside parentheses
  bool opaque_deletes = false;  // a DO body that names DROP, DELETE or TRUNCATE
};

Facts read(std::string_view sql) {
  Facts facts;
  SqlLexer lexer(sql);
  std::string_view before;
  int depth = 0;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    const std::string_view text = lexer.text(token);
    if (token.kind == TokenKind::Symbol) {
      depth += text == "(" ? 1 : text == ")" ? -1 : 0;
    }
    if (token.kind == TokenKind::DollarString || token.kind == TokenKind::String) {
      facts.opaque_deletes = facts.opaque_deletes || contains_word(text, "drop") || contains_word(text, "delete") ||
                             contains_word(text, "truncate") || contains_word(text, "execute");
    }
    const bool word = token.kind == TokenKind::Word;
    if (depth == 0 && same_word(before, "drop") && (word || token.kind == TokenKind::QuotedIdentifier)) {
      facts.drops_column = facts.drops_column || !word || !one_of(text, kHarmlessAlterDrops);
    }
    if (word) {
      facts.deletes = facts.deletes || (same_word(before, "delete") && same_word(text, "from")) ||
                      (same_word(before, "then") && same_word(text, "delete"));
      facts.where = facts.where || (depth == 0 && same_word(text, "where"));
      facts.cascade = facts.cascade || (depth == 0 && same_word(text, "cascade"));
    }
    before = word ? text : std::string_view();
  }
  facts.where = facts.where || sql.find("{batch}") != std::string_view::npos;
  return facts;
}

bool destroys(std::string_view sql) {
  const StatementShape shape(sql);
  if (shape.starts("truncate")) {
    return true;
  }
  for (const auto pattern : kDrops) {
    if (shape.starts(pattern)) {
      return true;
    }
  }
  const bool interesting = shape.starts("drop") || shape.starts("alter") || shape.starts("delete") || shape.starts("update") ||
                           shape.starts("with") || shape.starts("merge") || shape.starts("do") || shape.starts("prepare") ||
                           shape.starts("explain");
  if (!interesting) {
    return false;
  }
  const Facts facts = read(sql);
  if (shape.starts("drop")) {
    return facts.cascade;
  }
  if (shape.starts("alter")) {
    return facts.drops_column &&
           (shape.starts("alter table") || shape.starts("alter foreign table") || shape.starts("alter type"));
  }
  if (shape.starts("do")) {
    return facts.opaque_deletes;
  }
  return facts.deletes || (shape.starts("update") && !facts.where);
}

}  // namespace

std::string destroyed_by(std::string_view sql) {
  return destroys(sql) ? sanitise_sql(sql, kShown) : std::string();
}

}  // namespace athanor
