#include "migrations/import/native_revision.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "migrations/plan/script.hpp"
#include "migrations/plan/script_comments.hpp"
#include "migrations/revision/revision_template.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

void add_line(std::string& text, std::string_view line) {
  text += line;
  text += '\n';
}

// A docstring's lines below the first: a comment inside the section, where its colons cannot be taken for fields.
std::string further_description(const RenderedRevision& revision) {
  std::string text;
  for (std::size_t index = 1; index < revision.description.size(); ++index) {
    const std::string& line = revision.description[index];
    if (!text.empty() || !line.empty()) {
      add_line(text, line.empty() ? "--" : with_notes("-- " + line));
    }
  }
  return text.empty() ? text : text + "\n";
}

// What stands between two tokens is blank: tabs widened, blanks before a line end dropped, lines moved left.
void add_gap(std::string& text, std::string_view gap, std::size_t indent) {
  std::size_t blanks = 0;
  bool line_start = false;
  for (const char letter : gap) {
    if (letter == '\n') {
      text += '\n';
      blanks = 0;
      line_start = true;
    } else {
      blanks += letter == '\t' ? 4 : 1;
    }
  }
  text.append(line_start ? blanks - std::min(blanks, indent) : blanks, ' ');
}

Result<void> check_part(std::string_view sql) {
  if (sql.find("\r\n") != std::string_view::npos) {
    return fail(ErrorCode::NotRenderable,
                "its SQL holds a carriage return before a line end, which revision files do not keep; "
                "write it as E'\\r\\n'");
  }
  return {};
}

Result<void> add_direction(std::string& text, const RenderedDirection& direction) {
  StepKind open = StepKind::Transaction;     // as the part being read has it
  StepKind written = StepKind::Transaction;  // as the file has it so far
  bool spaced = true;
  for (const RenderedPart& part : direction.parts) {
    if (part.kind != RenderedPart::Kind::Sql) {
      open = part.kind == RenderedPart::Kind::Commit ? StepKind::Autocommit : StepKind::Transaction;
      continue;
    }
    TRY(check_part(part.text));
    if (open != written) {
      if (!text.empty() && !text.ends_with("\n\n")) {
        add_line(text, "");
      }
      add_line(text, "-- athanor:step " + std::string(step_kind_name(open)));
      written = open;
      spaced = true;
    }
    const std::string statement = with_notes(closed_statement(part.text, part.indent));
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
  if (direction.parts.empty()) {
    add_line(text, "-- Nothing to do.");
  }
  return {};
}

}  // namespace

std::string closed_statement(std::string_view sql, std::size_t indent) {
  std::string text;
  std::size_t after = 0;     // of the last token, in `sql`
  std::size_t close_at = 0;  // behind the last code, in `text`
  bool has_code = false;
  bool closed = false;
  SqlLexer lexer(sql);
  for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next()) {
    if (token.kind == TokenKind::Unterminated) {
      return std::string(sql);  // whoever reads it back says what is wrong
    }
    add_gap(text, sql.substr(after, token.begin - after), indent);
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
  NativeBody body;
  body.upgrade = further_description(revision);
  TRY(add_direction(body.upgrade, revision.upgrade));
  body.irreversible = irreversible;
  if (irreversible.empty()) {
    TRY(add_direction(body.downgrade, revision.downgrade));
  }
  return render_native_revision(header_of(revision), body);
}

Revision header_of(const RenderedRevision& revision) {
  Revision header;
  header.id = revision.id;
  header.down = revision.down;
  header.depends_on = revision.depends_on;
  header.labels = revision.labels;
  header.message = revision.description.empty() ? std::string() : std::string(trim(revision.description.front()));
  header.created = revision.created;
  return header;
}

}  // namespace athanor
