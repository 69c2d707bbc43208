#include "migrations/import/native_revision.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "migrations/plan/script.hpp"
#include "migrations/plan/script_comments.hpp"
#include "migrations/revision/revision_template.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

void add_line(std::string& text, std::string_view line) {
  text += line;
  text += '\n';
}

// The docstring's lines after the first: comments inside the section, where colons cannot look like header fields.
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

// Adds white space between two tokens: widens tabs, drops trailing blanks, and removes the indentation.
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

// The name that PostgreSQL truncates a longer one to; empty when the token is not a name of more than 63 bytes. Truncates at a
// character boundary.
std::string shortened_name(TokenKind kind, std::string_view written) {
  constexpr std::size_t kLongest = 63;
  const bool quoted = kind == TokenKind::QuotedIdentifier && written.front() == '"';
  if (written.size() <= kLongest || (!quoted && kind != TokenKind::Word)) {
    return {};
  }
  std::string name;
  for (std::size_t at = quoted ? 1 : 0; at < written.size() - (quoted ? 1 : 0); ++at) {
    name += written[at];
    at += quoted && written[at] == '"' ? 1U : 0U;  // "" is a single quote
  }
  if (name.size() <= kLongest) {
    return {};
  }
  std::size_t length = kLongest;
  while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xC0U) == 0x80U) {
    --length;
  }
  name.resize(length);
  return quoted ? quote_identifier(name) : name;
}

// Writes one direction: statements, and a directive wherever a step ends.
class SectionWriter {
 public:
  explicit SectionWriter(std::string& text) : text_(text) {}

  void end_step(RenderedPart::Kind edge) {
    open_ = edge == RenderedPart::Kind::Commit ? StepKind::Autocommit : StepKind::Transaction;
    // A transaction without statements needs no end.
    ended_ = ended_ || (edge == RenderedPart::Kind::Next && has_statements_);
  }

  void add(const RenderedPart& part, bool last) {
    if (open_ != written_ || (ended_ && open_ == StepKind::Transaction)) {
      begin_step();
    }
    ended_ = false;
    has_statements_ = true;
    const std::string statement = with_notes(closed_statement(part.text, part.indent));
    const bool tall = statement.find('\n') != std::string::npos;
    if (!spaced_ && tall) {
      add_line(text_, "");
    }
    add_line(text_, statement);
    spaced_ = tall;
    if (tall && !last) {
      add_line(text_, "");
    }
  }

 private:
  void begin_step() {
    if (!text_.empty() && !text_.ends_with("\n\n")) {
      add_line(text_, "");
    }
    add_line(text_, "-- athanor:step " + std::string(step_kind_name(open_)));
    written_ = open_;
    spaced_ = true;
  }

  std::string& text_;
  StepKind open_ = StepKind::Transaction;     // of the part being read
  StepKind written_ = StepKind::Transaction;  // of the file so far
  bool ended_ = false;                        // the transaction was committed, and another one follows
  bool has_statements_ = false;
  bool spaced_ = true;
};

constexpr std::string_view kRecorded =
    "-- Recorded, not rendered: it asks the database. This is what Alembic sent to an empty one.";

Result<void> add_direction(std::string& text, const RenderedDirection& direction) {
  if (direction.recorded) {
    add_line(text, kRecorded);
  }
  SectionWriter writer(text);
  for (const RenderedPart& part : direction.parts) {
    if (part.kind != RenderedPart::Kind::Sql) {
      writer.end_step(part.kind);
      continue;
    }
    TRY(check_part(part.text));
    writer.add(part, &part == &direction.parts.back());
  }
  while (text.ends_with("\n\n")) {
    text.pop_back();
  }
  const bool nothing =
      std::ranges::none_of(direction.parts, [](const RenderedPart& part) { return part.kind == RenderedPart::Kind::Sql; });
  if (nothing) {
    add_line(text, "-- Nothing to do.");
  }
  return {};
}

}  // namespace

std::string closed_statement(std::string_view sql, std::size_t indent) {
  std::string text;
  std::size_t after = 0;     // end of the last token, in `sql`
  std::size_t close_at = 0;  // end of the last code, in `text`
  bool has_code = false;
  bool closed = false;
  SqlLexer lexer(sql);
  for (Token token = lexer.next(); token.kind != TokenKind::End; token = lexer.next()) {
    if (token.kind == TokenKind::Unterminated) {
      return std::string(sql);  // reading the file back reports the error
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

std::vector<std::string> cut_long_names(RenderedDirection& direction) {
  std::vector<std::string> cut;
  for (RenderedPart& part : direction.parts) {
    std::string text;
    std::size_t after = 0;
    SqlLexer lexer(part.text);
    for (Token token = lexer.next(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
         token = lexer.next()) {
      const std::string_view written = lexer.text(token);
      const std::string short_name = shortened_name(token.kind, written);
      if (short_name.empty()) {
        continue;
      }
      text.append(part.text, after, token.begin - after);
      text += short_name;
      after = token.end;
      if (std::ranges::find(cut, written) == cut.end()) {
        cut.emplace_back(written);
      }
    }
    if (after > 0) {
      part.text = text + part.text.substr(after);
    }
  }
  return cut;
}

bool same_but_for_values(std::string_view left, std::string_view right) {
  SqlLexer mine(left);
  SqlLexer theirs(right);
  const auto is_value = [](TokenKind kind) { return kind == TokenKind::String || kind == TokenKind::Number; };
  for (;;) {
    const Token one = mine.next();
    const Token other = theirs.next();
    if (one.kind != other.kind) {
      return false;
    }
    if (one.kind == TokenKind::End) {
      return true;
    }
    if (one.kind == TokenKind::Unterminated || (!is_value(one.kind) && mine.text(one) != theirs.text(other))) {
      return false;
    }
  }
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
