#include "migrations/schema/rename_hints.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "migrations/plan/statement_text.hpp"
#include "migrations/schema/schema_files.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor::schema {
namespace {

// The old name in a comment, with its qualification.
struct OldName {
  std::vector<std::string> parts;
  bool unclear = false;  // more follows
};

// Empty if the comment is not a hint.
std::optional<OldName> old_name(std::string_view comment) {
  comment.remove_prefix(2);
  SqlLexer lexer(comment);
  Token token = lexer.next_code();
  const bool sqldef = lexer.text(token) == "@";
  if (sqldef) {
    token = lexer.next_code();
  }
  if (!same_word(lexer.text(token), "renamed")) {
    return std::nullopt;
  }
  if (!same_word(lexer.text(lexer.next_code()), "from")) {
    return std::nullopt;
  }
  token = lexer.next_code();
  if (lexer.text(token) == "=" || lexer.text(token) == ":") {
    token = lexer.next_code();
  }
  if (token.kind != TokenKind::Word && token.kind != TokenKind::QuotedIdentifier) {
    return std::nullopt;
  }
  OldName name{{identifier_name(lexer.text(token))}};
  Token next = lexer.next_code();
  while (lexer.text(next) == ".") {
    next = lexer.next_code();
    name.parts.push_back(identifier_name(lexer.text(next)));
    next = lexer.next_code();
  }
  name.unclear = next.kind != TokenKind::End || name.parts.size() > 3;
  return name;
}

// Reads a text from start to end, tracking the current CREATE TABLE and column.
class HintReader {
 public:
  HintReader(std::string_view text, const std::string& name, std::vector<RenameHint>& hints)
      : text_(text), lines_(text, 1), name_(name), hints_(hints) {}

  void read() {
    SqlLexer lexer(text_);
    for (Token token = lexer.next(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
         token = lexer.next()) {
      if (token.kind == TokenKind::LineComment) {
        comment(token, lexer.text(token));
      } else if (token.kind != TokenKind::BlockComment) {
        code(token, lexer.text(token));
      }
    }
  }

 private:
  enum class Place { Start, Create, Table, Columns, Elsewhere };

  void comment(const Token& token, std::string_view written) {
    const auto old = old_name(written);
    if (!old) {
      return;
    }
    const int line = lines_.line_of(token.begin);
    RenameHint hint{schema_, table_, {}, old->parts.back(), name_ + ":" + std::to_string(line)};
    hint.unclear = old->unclear;
    set_above(hint, old->parts, false);
    if (place_ == Place::Start && line == done_line_) {
      hint.schema = done_schema_;  // after the semicolon of its table
      hint.table = done_table_;
      hint.columns_beside = columns_on(line);
      hints_.push_back(std::move(hint));
    } else if (place_ == Place::Start) {
      waiting_ = std::move(hint);  // belongs to the table below
    } else if (place_ == Place::Columns && line == table_line_) {
      hint.columns_beside = columns_on(line);
      hints_.push_back(std::move(hint));
    } else if (place_ == Place::Columns || place_ == Place::Elsewhere) {
      // On the line of a column, or after the comma that ends it.
      const std::string& column = !column_.empty() && line == column_line_ ? column_ : previous_column_;
      if (!column.empty() && (line == column_line_ || line == previous_line_)) {
        hint.column = column;
        set_above(hint, old->parts, true);
        hints_.push_back(std::move(hint));
      }
    }
  }

  // Reads "schema.table" on the line of a table, "schema.table.column" or "table.column" on that of a column.
  static void set_above(RenameHint& hint, const std::vector<std::string>& parts, bool column) {
    const auto part = [&](std::size_t from_end) {
      return parts.size() > from_end ? parts[parts.size() - 1 - from_end] : std::string();
    };
    hint.old_schema = part(column ? 2 : 1);
    hint.old_table = column ? part(1) : std::string();
  }

  void code(const Token& token, std::string_view written) {
    const int line = lines_.line_of(token.begin);
    if (depth_ == 0 && written == ";") {
      done_line_ = table_.empty() ? 0 : line;
      done_schema_ = schema_;
      done_table_ = table_;
      place_ = Place::Start;
      table_.clear();
      return;
    }
    switch (place_) {
      case Place::Start:
        place_ = same_word(written, "create") ? Place::Create : Place::Elsewhere;
        schema_.clear();
        table_.clear();
        break;
      case Place::Create:
        if (same_word(written, "table")) {
          place_ = Place::Table;
        } else if (!same_word(written, "unlogged") && !same_word(written, "foreign")) {
          leave();
        }
        break;
      case Place::Table:
        table_name(token, written, line);
        break;
      case Place::Columns:
        column(token, written, line);
        break;
      case Place::Elsewhere:
        break;
    }
  }

  [[nodiscard]] std::vector<std::string> columns_on(int line) const {
    return line == begun_line_ ? begun_ : std::vector<std::string>();
  }

  void leave() {
    place_ = Place::Elsewhere;
    waiting_.reset();
  }

  void table_name(const Token& token, std::string_view written, int line) {
    if (written == "(") {
      place_ = Place::Columns;
      depth_ = 1;
      table_line_ = line;
      column_.clear();
      previous_column_.clear();
      column_line_ = previous_line_ = 0;
      if (waiting_) {
        waiting_->schema = schema_;
        waiting_->table = table_;
        hints_.push_back(std::move(*waiting_));
        waiting_.reset();
      }
    } else if (written == ".") {
      schema_ = std::exchange(table_, {});
    } else if (token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier) {
      if (!same_word(written, "if") && !same_word(written, "not") && !same_word(written, "exists")) {
        table_ = identifier_name(written);
      }
    }
  }

  void column(const Token& token, std::string_view written, int line) {
    if (written == "(") {
      ++depth_;
    } else if (written == ")" && --depth_ == 0) {
      place_ = Place::Elsewhere;
      previous_column_ = column_;
      previous_line_ = column_line_;
    } else if (written == "," && depth_ == 1) {
      previous_column_ = std::exchange(column_, {});
      previous_line_ = line;
    } else if (depth_ == 1 && column_.empty() && (token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier)) {
      column_ = identifier_name(written);
      column_line_ = line;
      if (line != begun_line_) {
        begun_line_ = line;
        begun_.clear();
      }
      begun_.push_back(column_);
    } else if (depth_ == 1) {
      column_line_ = line;  // a column may span several lines; its comment is on the last one
    }
  }

  std::string_view text_;
  LineCounter lines_;
  const std::string& name_;
  std::vector<RenameHint>& hints_;
  Place place_ = Place::Start;
  int depth_ = 0;
  std::string schema_;
  std::string table_;
  int table_line_ = 0;
  std::string column_;
  int column_line_ = 0;
  int begun_line_ = 0;
  std::vector<std::string> begun_;  // columns whose first word is on that line
  std::string previous_column_;
  int previous_line_ = 0;
  std::string done_schema_;
  std::string done_table_;
  int done_line_ = 0;
  std::optional<RenameHint> waiting_;
};

}  // namespace

void collect_rename_hints(std::string_view text, const std::string& name, std::vector<RenameHint>& hints) {
  // Most files contain no hints, and counting lines costs time.
  if (contains_word(text, "renamed")) {
    HintReader(text, name, hints).read();
  }
}

}  // namespace athanor::schema
