#include "migrations/cli/native_revision.hpp"

#include <vector>

#include "migrations/plan/script_directive.hpp"
#include "migrations/plan/sql_lexer.hpp"

namespace athanor::cli {
namespace {

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}

void add_line(std::string& text, std::string_view line) {
  text += line;
  text += '\n';
}

// "-- Name: value", or "-- Name:" alone.
void add_field(std::string& text, std::string_view name, const std::string& value) {
  add_line(text, "-- " + std::string(name) + ":" + (value.empty() ? "" : " " + value));
}

void add_header(std::string& text, const RenderedRevision& revision) {
  if (!revision.description.empty() && !revision.description.front().empty()) {
    add_line(text, "-- " + revision.description.front());
    add_line(text, "--");
  }
  add_field(text, "Revision", revision.id);
  add_field(text, "Revises", joined(revision.down));
  add_field(text, "Created", revision.created);
  add_field(text, "Labels", joined(revision.labels));
  add_field(text, "Depends-On", joined(revision.depends_on));
  add_line(text, "");
  // The rest of a longer docstring is a comment of its own, where its colons cannot be taken for fields.
  bool more = false;
  for (std::size_t index = 1; index < revision.description.size(); ++index) {
    const std::string& line = revision.description[index];
    if (more || !line.empty()) {
      add_line(text, line.empty() ? "--" : "-- " + line);
      more = true;
    }
  }
  if (more) {
    add_line(text, "");
  }
}

// What stands between two tokens is blank: tabs widened, blanks before a line end dropped.
void add_gap(std::string& text, std::string_view gap) {
  for (const char letter : gap) {
    if (letter == '\t') {
      text += "    ";
    } else {
      if (letter == '\n') {
        text.erase(text.find_last_not_of(' ') + 1);
      }
      text += letter;
    }
  }
}

Result<void> check_part(std::string_view sql) {
  if (sql.find("\r\n") != std::string_view::npos) {
    return fail(ErrorCode::NotRenderable, "its SQL holds a carriage return before a line end, which revision files do not keep; "
                                          "write it as E'\\r\\n'");
  }
  SqlLexer lexer(sql);
  for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next()) {
    if (token.kind == TokenKind::LineComment && looks_like_directive(lexer.text(token))) {
      return fail(ErrorCode::NotRenderable, "a comment of its SQL reads as a directive of a revision file");
    }
  }
  return {};
}

Result<void> add_direction(std::string& text, const RenderedDirection& direction) {
  StepKind open = StepKind::Transaction;   // as the part being read has it
  StepKind written = StepKind::Transaction;  // as the file has it so far
  bool spaced = true;
  for (const RenderedPart& part : direction.parts) {
    if (part.kind != RenderedPart::Kind::Sql) {
      open = part.kind == RenderedPart::Kind::Commit ? StepKind::Autocommit : StepKind::Transaction;
      continue;
    }
    TRY(check_part(part.text));
    if (open != written) {
      add_line(text, "");
      add_line(text, "-- athanor:step " + std::string(step_kind_name(open)));
      written = open;
      spaced = true;
    }
    const std::string statement = closed_statement(part.text);
    const bool tall = statement.find('\n') != std::string::npos;
    if (!spaced && tall) {
      add_line(text, "");
    }
    add_line(text, statement);
    spaced = tall;
    if (tall && &part != &direction.parts.back()) {
      add_line(text, "");
    }
  }
  while (text.ends_with("\n\n")) {
    text.pop_back();
  }
  return {};
}

}  // namespace

std::string closed_statement(std::string_view sql) {
  std::string text;
  std::size_t after = 0;           // of the last token, in `sql`
  std::size_t close_at = 0;        // behind the last code, in `text`
  bool has_code = false;
  bool closed = false;
  SqlLexer lexer(sql);
  for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next()) {
    if (token.kind == TokenKind::Unterminated) {
      return std::string(sql);  // whoever reads it back says what is wrong
    }
    add_gap(text, sql.substr(after, token.begin - after));
    text += lexer.text(token);
    after = token.end;
    if (token.kind != TokenKind::LineComment && token.kind != TokenKind::BlockComment) {
      has_code = true;
      closed = lexer.text(token) == ";";
      close_at = text.size();
    }
  }
  if (has_code && !closed) {
    text.insert(close_at, 1, ';');
  }
  return text;
}

Result<std::string> native_revision_text(const RenderedRevision& revision, std::string_view irreversible) {
  std::string text;
  add_header(text, revision);
  add_line(text, "-- athanor:upgrade");
  TRY(add_direction(text, revision.upgrade));
  add_line(text, "");
  if (!irreversible.empty()) {
    add_line(text, "-- athanor:irreversible " + std::string(irreversible));
    return text;
  }
  add_line(text, "-- athanor:downgrade");
  TRY(add_direction(text, revision.downgrade));
  return text;
}

}  // namespace athanor::cli
