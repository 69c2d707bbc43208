#include "migrations/schema/rename_hints.hpp"

#include <algorithm>
#include <array>
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

// The text of a line or block comment.
std::string_view inside(std::string_view comment) {
  const bool block = comment.starts_with("/*");
  comment.remove_prefix(2);
  if (block && comment.ends_with("*/")) {
    comment.remove_suffix(2);
  }
  return comment;
}

// Whether the lexer is behind "renamed from", "@renamed from", or "pista:renamed-from".
bool begins_hint(SqlLexer& lexer) {
  Token token = lexer.next_code();
  if (lexer.text(token) == "@") {
    token = lexer.next_code();
  } else if (same_word(lexer.text(token), "pista")) {
    if (lexer.text(lexer.next_code()) != ":") {
      return false;
    }
    token = lexer.next_code();
  }
  if (!same_word(lexer.text(token), "renamed")) {
    return false;
  }
  token = lexer.next_code();
  if (lexer.text(token) == "-") {
    token = lexer.next_code();
  }
  return same_word(lexer.text(token), "from");
}

// Empty if the comment is not a hint.
std::optional<OldName> old_name(std::string_view comment) {
  SqlLexer lexer(inside(comment));
  if (!begins_hint(lexer)) {
    return std::nullopt;
  }
  Token token = lexer.next_code();
  if (lexer.text(token) == "=" || lexer.text(token) == ":") {
    token = lexer.next_code();
  }
  if (token.kind == TokenKind::String) {  // the label of an enum
    const std::string_view label = lexer.text(token);
    return OldName{{std::string(label.substr(1, label.size() - 2))}, lexer.next_code().kind != TokenKind::End};
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

// Words between CREATE and the kind of the object.
bool is_modifier(std::string_view word) {
  constexpr std::array<std::string_view, 6> kWords{"or", "replace", "unlogged", "foreign", "unique", "materialized"};
  return std::ranges::any_of(kWords, [word](std::string_view modifier) { return same_word(word, modifier); });
}

bool is_object(std::string_view word) {
  constexpr std::array<std::string_view, 5> kWords{"view", "type", "domain", "sequence", "index"};
  return std::ranges::any_of(kWords, [word](std::string_view kind) { return same_word(word, kind); });
}

bool is_word_before_name(std::string_view word) {
  constexpr std::array<std::string_view, 5> kWords{"if", "not", "exists", "concurrently", "only"};
  return std::ranges::any_of(kWords, [word](std::string_view before) { return same_word(word, before); });
}

// Reads a text from start to end, tracking the current CREATE statement and column.
class HintReader {
 public:
  HintReader(std::string_view text, const std::string& name, std::vector<RenameHint>& hints)
      : text_(text), lines_(text, 1), name_(name), hints_(hints) {}

  void read() {
    SqlLexer lexer(text_);
    for (Token token = lexer.next(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
         token = lexer.next()) {
      if (token.kind == TokenKind::LineComment || token.kind == TokenKind::BlockComment) {
        comment(token, lexer.text(token));
      } else {
        code(token, lexer.text(token));
        code_line_ = lines_.line_of(token.begin);
      }
    }
  }

 private:
  using Of = RenameHint::Of;
  enum class Place { Start, Create, Table, Object, Columns, Elsewhere };
  // A column, or a constraint with a name.
  struct Part {
    std::string name{};
    Of of = Of::Column;
  };

  void comment(const Token& token, std::string_view written) {
    const auto old = old_name(written);
    if (!old) {
      return;
    }
    const int line = lines_.line_of(token.begin);
    const bool own_line = line != code_line_;
    RenameHint hint{schema_, table_, {}, old->parts.back(), name_ + ":" + std::to_string(line)};
    hint.unclear = old->unclear;
    hint.of = of_;
    set_above(hint, old->parts, false);
    if (place_ == Place::Start && line == done_line_) {
      hint.schema = done_schema_;  // after the semicolon of its table
      hint.table = done_table_;
      hint.of = done_of_;
      hint.columns_beside = columns_on(line);
      hints_.push_back(std::move(hint));
    } else if (place_ == Place::Start) {
      waiting_ = std::move(hint);  // belongs to the table below
    } else if (place_ == Place::Object && !table_.empty()) {
      waiting_ = std::move(hint);  // directly behind the name
    } else if (place_ == Place::Elsewhere && of_ == Of::Object) {
      in_object(std::move(hint), line, own_line);
    } else if (place_ == Place::Columns && own_line) {
      above_ = *old;  // belongs to the column below
      above_place_ = hint.place;
    } else if (place_ == Place::Columns && line == table_line_) {
      hint.columns_beside = columns_on(line);
      hints_.push_back(std::move(hint));
    } else if (place_ == Place::Columns || place_ == Place::Elsewhere) {
      // On the line of a column, or after the comma that ends it.
      const Part& column = !column_.name.empty() && line == column_line_ ? column_ : previous_column_;
      if (!column.name.empty() && (line == column_line_ || line == previous_line_)) {
        add_part(column, *old, hint.place);
      }
    }
  }

  // A hint of a column, or of a constraint: "CONSTRAINT name".
  void add_part(const Part& part, const OldName& old, const std::string& place) {
    RenameHint hint{schema_, table_, part.name, old.parts.back(), place};
    hint.unclear = old.unclear;
    hint.of = part.of;
    set_above(hint, old.parts, true);
    hints_.push_back(std::move(hint));
  }

  // Behind the name of an object. The hint is about a label of an enum if it is beside one, or on a line of its own.
  void in_object(RenameHint hint, int line, bool own_line) {
    if (own_line) {
      label_ = std::move(hint);
      label_->of = Of::Label;
      return;
    }
    if (!literal_.empty() && line == literal_line_) {
      hint.of = Of::Label;
      hint.column = literal_;
      hints_.push_back(std::move(hint));
    } else if (line == object_line_) {
      hints_.push_back(std::move(hint));
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
      done_of_ = of_;
      place_ = Place::Start;
      label_.reset();
      above_.reset();
      table_.clear();
      return;
    }
    switch (place_) {
      case Place::Start:
        place_ = same_word(written, "create") ? Place::Create : Place::Elsewhere;
        schema_.clear();
        table_.clear();
        literal_.clear();
        of_ = Of::Table;
        break;
      case Place::Create:
        if (same_word(written, "table")) {
          place_ = Place::Table;
        } else if (is_object(written)) {
          place_ = Place::Object;
          of_ = Of::Object;
        } else if (!is_modifier(written)) {
          leave();
        }
        break;
      case Place::Object:
        object_name(token, written, line);
        break;
      case Place::Table:
        table_name(token, written, line);
        break;
      case Place::Columns:
        column(token, written, line);
        break;
      case Place::Elsewhere:
        label(token, written, line);
        break;
    }
  }

  void object_name(const Token& token, std::string_view written, int line) {
    const bool is_name = token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier;
    if (written == ".") {
      schema_ = std::exchange(table_, {});
    } else if (is_name && table_.empty()) {
      table_ = is_word_before_name(written) ? std::string() : identifier_name(written);
      object_line_ = line;
    } else {
      place_ = Place::Elsewhere;
      if (waiting_) {
        waiting_->schema = schema_;
        waiting_->table = table_;
        waiting_->of = of_;
        hints_.push_back(std::move(*waiting_));
        waiting_.reset();
      }
      label(token, written, line);
    }
  }

  void label(const Token& token, std::string_view written, int line) {
    if (of_ != Of::Object || token.kind != TokenKind::String) {
      return;
    }
    literal_ = std::string(written.substr(1, written.size() - 2));
    literal_line_ = line;
    if (label_) {
      label_->column = literal_;
      hints_.push_back(std::move(*label_));
      label_.reset();
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
      column_ = {};
      previous_column_ = {};
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
    } else if (depth_ == 1 && column_.of == Of::Constraint && column_.name.empty()) {
      column_.name = identifier_name(written);
      column_line_ = line;
      add_above();
    } else if (depth_ == 1 && column_.name.empty() &&
               (token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier)) {
      column_line_ = line;
      if (token.kind == TokenKind::Word && same_word(written, "constraint")) {
        column_.of = Of::Constraint;
        return;
      }
      column_.name = identifier_name(written);
      add_above();
      if (line != begun_line_) {
        begun_line_ = line;
        begun_.clear();
      }
      begun_.push_back(column_.name);
    } else if (depth_ == 1) {
      column_line_ = line;  // a column may span several lines; its comment is on the last one
    }
  }

  void add_above() {
    if (above_) {
      add_part(column_, *above_, above_place_);
      above_.reset();
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
  Part column_;
  int column_line_ = 0;
  int begun_line_ = 0;
  std::vector<std::string> begun_;  // columns whose first word is on that line
  Part previous_column_;
  int previous_line_ = 0;
  std::string done_schema_;
  std::string done_table_;
  int done_line_ = 0;
  Of done_of_ = Of::Table;
  std::optional<RenameHint> waiting_;  // above a statement
  Of of_ = Of::Table;                  // what the statement creates
  int object_line_ = 0;
  int code_line_ = 0;
  std::optional<OldName> above_;  // above a column
  std::string above_place_;
  std::string literal_;  // the last one of the statement
  int literal_line_ = 0;
  std::optional<RenameHint> label_;  // above a label
};

}  // namespace

void collect_rename_hints(std::string_view text, const std::string& name, std::vector<RenameHint>& hints) {
  // Most files contain no hints, and counting lines costs time.
  if (contains_word(text, "renamed")) {
    HintReader(text, name, hints).read();
  }
}

}  // namespace athanor::schema
