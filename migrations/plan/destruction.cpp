// What a statement takes away that no downgrade brings back: the ground of approvals and backups "when destructive".
//
// Judged by the text of the statement alone, and in doubt for "destroys": what is named wrongly costs an approval, what is not
// named costs data.
#include <algorithm>
#include <array>
#include <vector>

#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_shape.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

constexpr std::size_t kShown = 160;
constexpr int kMostNested = 4;  // DO blocks in DO blocks

// Objects that hold data, or that take columns with them.
constexpr std::array<std::string_view, 10> kDrops{"drop table",         "drop schema",   "drop database", "drop owned",
                                                  "drop foreign table", "drop sequence", "drop type",     "drop extension",
                                                  "drop tablespace",    "drop server"};
// Before the UPDATE of something that is no statement of its own: FOR UPDATE, ON UPDATE CASCADE, GRANT UPDATE, …
constexpr std::array<std::string_view, 8> kBeforeOtherUpdates{"for", "on", "key", "grant", "before", "after", "of", "or"};
// A condition of these, literals and operators is true of all rows or of none.
constexpr std::array<std::string_view, 9> kConstantWords{"true", "false", "not", "and", "or", "is", "null", "in", "between"};
constexpr std::array<std::string_view, 4> kOpaqueWords{"drop", "delete", "truncate", "execute"};

bool one_of(std::string_view word, const auto& words) {
  return std::ranges::any_of(words, [word](std::string_view candidate) { return same_word(word, candidate); });
}

struct Piece {
  TokenKind kind = TokenKind::End;
  std::string_view text;
  int depth = 0;  // of parentheses around it
};

// The statement's tokens, and a way to look beyond its ends without falling off.
class Pieces {
 public:
  explicit Pieces(std::string_view sql) {
    SqlLexer lexer(sql);
    int depth = 0;
    for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
      const std::string_view text = lexer.text(token);
      const bool symbol = token.kind == TokenKind::Symbol;
      depth -= symbol && text == ")" ? 1 : 0;
      pieces_.push_back({token.kind, text, depth});
      depth += symbol && text == "(" ? 1 : 0;
    }
  }

  [[nodiscard]] std::size_t size() const { return pieces_.size(); }
  [[nodiscard]] const Piece& at(std::size_t index) const { return index < pieces_.size() ? pieces_[index] : none_; }
  [[nodiscard]] bool is(std::size_t index, std::string_view keyword) const {
    return at(index).kind == TokenKind::Word && same_word(at(index).text, keyword);
  }
  [[nodiscard]] bool is_symbol(std::size_t index, std::string_view symbol) const {
    return at(index).kind == TokenKind::Symbol && at(index).text == symbol;
  }
  [[nodiscard]] bool is_name(std::size_t index) const {
    return at(index).kind == TokenKind::Word || at(index).kind == TokenKind::QuotedIdentifier;
  }

 private:
  std::vector<Piece> pieces_;
  Piece none_;
};

// The column's old type is not known here, and what is rounded or cut is lost: only text holds whatever another type held. A
// varchar that is too short is an error of the server's, except in USING.
bool type_keeps_all(const Pieces& pieces, std::size_t column, std::size_t type) {
  std::size_t next = type + 1;
  const auto text_type = [&] {
    if (pieces.is(next, "text") || pieces.is(next, "varchar")) {
      return ++next, true;
    }
    const bool varying = pieces.is(next, "character") && pieces.is(next + 1, "varying");
    next += varying ? 2 : 0;
    return varying;
  };
  if (!text_type()) {
    return false;
  }
  if (pieces.is_symbol(next, "(") && pieces.at(next + 1).kind == TokenKind::Number && pieces.is_symbol(next + 2, ")")) {
    next += 3;
  }
  if (pieces.is(next, "collate")) {
    for (++next; pieces.is_name(next) || pieces.is_symbol(next, "."); ++next) {
      if (pieces.is(next + 1, "using")) {
        ++next;
        break;
      }
    }
  }
  if (pieces.is(next, "using")) {
    const bool enclosed = pieces.is_symbol(++next, "(");
    next += enclosed ? 1 : 0;
    const bool same = pieces.is_name(next) &&
                      identifier_name(pieces.at(next).text) == identifier_name(pieces.at(column).text) &&
                      pieces.is_symbol(next + 1, ":") && pieces.is_symbol(next + 2, ":");
    next += 3;
    if (!same || !text_type()) {
      return false;
    }
    next += enclosed && pieces.is_symbol(next, ")") ? 1U : 0U;
  }
  return next >= pieces.size() || pieces.is_symbol(next, ",") || pieces.is_symbol(next, ";") || pieces.is(next, "cascade") ||
         pieces.is(next, "restrict");
}

// One action of ALTER TABLE or ALTER TYPE. Behind ALTER name, DROP takes a default, NOT NULL, an identity or an expression
// away.
bool action_destroys(const Pieces& pieces, std::size_t action, bool of_type) {
  if (pieces.is(action, "drop")) {
    return !pieces.is(action + 1, "constraint");
  }
  if (!pieces.is(action, "alter")) {
    return false;
  }
  const bool spelt = pieces.is(action + 1, "column") || (of_type && pieces.is(action + 1, "attribute"));
  const std::size_t column = action + (spelt ? 2 : 1);
  const bool sets = pieces.is(column + 1, "set") && pieces.is(column + 2, "data");
  const std::size_t type = column + (sets ? 3 : 1);
  return pieces.is(type, "type") && !type_keeps_all(pieces, column, type);
}

// ALTER TABLE, ALTER FOREIGN TABLE and ALTER TYPE with all their actions.
bool alteration_destroys(const Pieces& pieces) {
  const bool of_type = pieces.is(1, "type");
  std::size_t next = pieces.is(1, "foreign") ? 3 : 2;
  next += pieces.is(next, "if") && pieces.is(next + 1, "exists") ? 2U : 0U;
  next += pieces.is(next, "only") ? 2U : 1U;
  while (pieces.is_symbol(next, ".")) {
    next += 2;
  }
  next += pieces.is_symbol(next, "*") ? 1U : 0U;
  if (action_destroys(pieces, next, of_type)) {
    return true;
  }
  for (; next < pieces.size(); ++next) {
    if (pieces.at(next).depth == 0 && pieces.is_symbol(next, ",") && action_destroys(pieces, next + 1, of_type)) {
      return true;
    }
  }
  return false;
}

// From UPDATE on, at its depth: there is no WHERE, or one that looks at no column.
bool overwrites_all(const Pieces& pieces, std::size_t update) {
  const int depth = pieces.at(update).depth;
  std::size_t index = update + 1;
  const auto inside = [&] {
    return index < pieces.size() && pieces.at(index).depth >= depth && !pieces.is_symbol(index, ";") &&
           !(pieces.is_symbol(index, ")") && pieces.at(index).depth < depth);
  };
  for (; inside() && !(pieces.is(index, "where") && pieces.at(index).depth == depth); ++index) {
  }
  if (!inside()) {
    return true;
  }
  for (++index; inside() && !(pieces.is(index, "returning") && pieces.at(index).depth == depth); ++index) {
    const Piece& piece = pieces.at(index);
    if (piece.kind == TokenKind::QuotedIdentifier || piece.kind == TokenKind::Parameter ||
        (piece.kind == TokenKind::Word && !one_of(piece.text, kConstantWords)) || pieces.is_symbol(index, "{")) {
      return false;
    }
  }
  return true;
}

// DELETE anywhere, as in WITH, MERGE and EXPLAIN, and UPDATE of all rows.
bool rows_are_lost(const Pieces& pieces) {
  for (std::size_t index = 0; index < pieces.size(); ++index) {
    const bool first = index == 0;
    if (pieces.is(index, "delete") && (pieces.is(index + 1, "from") || (!first && pieces.is(index - 1, "then")))) {
      return true;
    }
    if (pieces.is(index, "update") && pieces.is_name(index + 1) && !pieces.is(index + 1, "set") &&
        (first || !one_of(pieces.at(index - 1).text, kBeforeOtherUpdates)) && overwrites_all(pieces, index)) {
      return true;
    }
  }
  return false;
}

bool destroys(std::string_view sql, int nested);

// What the quotes hold.
std::string code_in(const Piece& literal) {
  const bool dollar = literal.kind == TokenKind::DollarString;
  const std::size_t open = dollar ? literal.text.find('$', 1) + 1 : literal.text.find('\'') + 1;
  std::string code(literal.text.substr(open, literal.text.size() - open - (dollar ? open : 1)));
  for (std::size_t twice = dollar ? std::string::npos : code.find("''"); twice != std::string::npos;
       twice = code.find("''", twice + 1)) {
    code.erase(twice, 1);
  }
  return code;
}

// The code of a DO block is a string. Its statements begin behind words that differ by language: they are looked for.
bool code_destroys(std::string_view code, int nested) {
  if (nested >= kMostNested || std::ranges::any_of(kOpaqueWords, [code](auto word) { return contains_word(code, word); })) {
    return true;
  }
  SqlLexer lexer(code);
  std::size_t alter = std::string_view::npos;
  for (Token token = lexer.next_code();; token = lexer.next_code()) {
    const bool ends = token.kind == TokenKind::End || (token.kind == TokenKind::Symbol && lexer.text(token) == ";");
    if (alter != std::string_view::npos && ends && destroys(code.substr(alter, token.begin - alter), nested + 1)) {
      return true;
    }
    if (token.kind == TokenKind::End) {
      return rows_are_lost(Pieces(code));
    }
    if (token.kind == TokenKind::DollarString && code_destroys(code_in({token.kind, lexer.text(token), 0}), nested + 1)) {
      return true;
    }
    if (ends) {
      alter = std::string_view::npos;
    } else if (alter == std::string_view::npos && token.kind == TokenKind::Word && same_word(lexer.text(token), "alter")) {
      alter = token.begin;
    }
  }
}

bool destroys(std::string_view sql, int nested) {
  const StatementShape shape(sql);
  const auto starts = [&shape](std::string_view pattern) { return shape.starts(pattern); };
  if (starts("truncate") || std::ranges::any_of(kDrops, starts)) {
    return true;
  }
  if (starts("drop")) {
    const Pieces pieces(sql);
    for (std::size_t index = 0; index < pieces.size(); ++index) {
      if (pieces.is(index, "cascade") && pieces.at(index).depth == 0) {
        return true;
      }
    }
    return false;
  }
  if (starts("alter")) {
    return (starts("alter table") || starts("alter foreign table") || starts("alter type")) && alteration_destroys(Pieces(sql));
  }
  if (starts("do")) {
    const Pieces pieces(sql);
    for (std::size_t index = 0; index < pieces.size(); ++index) {
      const TokenKind kind = pieces.at(index).kind;
      if (kind == TokenKind::DollarString || kind == TokenKind::String) {
        if (code_destroys(code_in(pieces.at(index)), nested)) {
          return true;
        }
      }
    }
    return false;
  }
  constexpr std::array<std::string_view, 7> kMayHoldOthers{"delete", "update", "with", "merge", "prepare", "explain", "copy"};
  return std::ranges::any_of(kMayHoldOthers, starts) && rows_are_lost(Pieces(sql));
}

}  // namespace

std::string destroyed_by(std::string_view sql) {
  return destroys(sql, 0) ? sanitise_sql(sql, kShown) : std::string();
}

}  // namespace athanor
