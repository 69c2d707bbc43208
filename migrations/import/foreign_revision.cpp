#include "migrations/import/foreign_revision.hpp"

#include <algorithm>
#include <optional>

#include "migrations/base/sha256.hpp"
#include "migrations/import/native_revision.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/plan/script_comments.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/revision/native_header.hpp"
#include "migrations/revision/revision_id.hpp"
#include "migrations/revision/revision_template.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

enum class Control { None, Begin, Commit, BeginWithOptions };

// Recognises BEGIN and COMMIT, which scripts put around their statements.
Control control_of(std::string_view sql) {
  std::vector<std::string_view> words;
  SqlLexer lexer(sql);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    if (words.size() > 3 || token.kind == TokenKind::Unterminated) {
      break;
    }
    words.push_back(lexer.text(token));
  }
  const auto is = [&](std::size_t index, std::string_view word) {
    return index < words.size() && same_word(words[index], word);
  };
  const bool tail = is(1, "work") || is(1, "transaction");
  if (is(0, "commit") || is(0, "end")) {
    return words.size() == 1 || (tail && words.size() == 2) ? Control::Commit : Control::None;
  }
  if (is(0, "begin") || (is(0, "start") && is(1, "transaction"))) {
    return words.size() == 1 || (tail && words.size() == 2) ? Control::Begin : Control::BeginWithOptions;
  }
  return Control::None;
}

std::string_view without_blank_lines(std::string_view text) {
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || !trim(text.substr(0, end)).empty()) {
      break;
    }
    text.remove_prefix(end + 1);
  }
  const std::size_t last = text.find_last_not_of(" \t\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// Writes one direction, statement by statement, and splits it into steps.
class DirectionText {
 public:
  DirectionText(const ForeignRevision& revision, std::vector<ForeignProblem>& problems, std::vector<std::string>& warnings)
      : revision_(revision), problems_(problems), warnings_(warnings) {}

  std::string write(const std::vector<ForeignSection>& sections) {
    for (const ForeignSection& section : sections) {
      add(section);
    }
    if (!has_statements_) {
      text_ += "-- Nothing to do.\n";
    }
    return std::move(text_);
  }

 private:
  void add(ForeignSection section) {
    cut_names(section);
    const std::string& file = section.file.empty() ? revision_.file : section.file;
    const auto statements = split_statements(section.sql, section.line);
    if (!statements) {
      problem(file, statements.error());
      return;
    }
    section_transaction_ = section.transaction;
    std::size_t done = 0;
    for (const SqlStatement& statement : *statements) {
      const auto begin = static_cast<std::size_t>(statement.sql.data() - section.sql.data());
      const std::size_t end = begin + statement.sql.size();
      SqlLexer lexer(section.sql, end);
      const Token next = lexer.next_code();
      const bool closed = next.kind == TokenKind::Symbol && section.sql[next.begin] == ';';
      const std::string lead(section.sql.substr(done, begin - done));
      const std::string tail = closed ? section.sql.substr(end, next.end - end) : std::string();
      done = closed ? next.end : end;
      done = take_line_comment(section.sql, done, statement, lead, tail, file);
    }
    const std::string_view rest = without_blank_lines(std::string_view(section.sql).substr(done));
    if (!rest.empty()) {
      text_ += with_notes(rest) + "\n";
    }
  }

  // A comment after the semicolon on the same line belongs to that statement. Returns where the next statement's lead begins.
  std::size_t take_line_comment(const std::string& sql, std::size_t done, const SqlStatement& statement,
                                const std::string& lead, std::string tail, const std::string& file) {
    const std::size_t line_end = std::min(sql.find('\n', done), sql.size());
    const std::string_view behind = std::string_view(sql).substr(done, line_end - done);
    if (trim(behind).starts_with("--")) {
      tail += behind;
      done = line_end;
    }
    put(statement, lead, tail, file);
    return done;
  }

  void put(const SqlStatement& statement, const std::string& lead, const std::string& tail, const std::string& file) {
    const std::string_view comments = without_blank_lines(lead);
    switch (control_of(statement.sql)) {
      case Control::Begin:
        explicit_ = true;
        ended_ = has_statements_;
        keep_comments(comments);
        return;
      case Control::Commit:
        explicit_ = false;
        ended_ = has_statements_;
        keep_comments(comments);
        return;
      case Control::BeginWithOptions:
      case Control::None:
        break;
    }
    const bool inside = explicit_ || section_transaction_;
    // Keep the tool's transaction where PostgreSQL allows it. A statement that runs only outside one becomes an autocommit
    // step.
    const auto in_transaction = check_statement(statement, true);
    const auto alone = check_statement(statement, false);
    const StepKind kind = (inside && in_transaction) || (inside && !alone) ? StepKind::Transaction : StepKind::Autocommit;
    const auto& judged = kind == StepKind::Transaction ? in_transaction : alone;
    if (!judged) {
      Error error = judged.error();
      error.context = "line " + std::to_string(statement.line);
      problem(file, error, statement.line);
      return;
    }
    if (kind != step_ || (ended_ && kind == StepKind::Transaction)) {
      begin_step(kind);
    }
    ended_ = false;
    has_statements_ = true;
    keep_comments(comments);
    // The last statement of a script may have no semicolon.
    text_ += with_notes(closed_statement(std::string(statement.sql) + tail)) + "\n";
  }

  void keep_comments(std::string_view comments) {
    if (!comments.empty()) {
      text_ += with_notes(comments) + "\n";
    }
  }

  void begin_step(StepKind kind) {
    if (!text_.empty() && !text_.ends_with("\n\n")) {
      text_ += "\n";
    }
    text_ += "-- athanor:step " + std::string(step_kind_name(kind)) + "\n";
    step_ = kind;
  }

  void cut_names(ForeignSection& section) {
    RenderedDirection direction;
    direction.parts.push_back({RenderedPart::Kind::Sql, std::move(section.sql), 0});
    for (const std::string& name : cut_long_names(direction)) {
      warnings_.push_back(revision_.file + ": the name " + name + " is over 63 bytes: written as PostgreSQL cuts it");
    }
    section.sql = std::move(direction.parts.front().text);
  }

  void problem(const std::string& file, const Error& error, int line = 0) {
    std::string reason = error.message;
    if (line == 0 && !error.context.empty()) {
      reason += " (" + error.context + ")";
    }
    problems_.push_back({file, line, std::move(reason)});
  }

  const ForeignRevision& revision_;
  std::vector<ForeignProblem>& problems_;
  std::vector<std::string>& warnings_;
  std::string text_;
  StepKind step_ = StepKind::Transaction;
  bool section_transaction_ = true;
  bool explicit_ = false;  // between BEGIN and COMMIT
  bool ended_ = false;     // a transaction was committed, and another one follows
  bool has_statements_ = false;
};

std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char letter) { return static_cast<unsigned char>(letter) < 0x20; }, ' ');
  return line;
}

// "20240131120000" as a time; empty if the version is not a time.
std::string created_of(std::string_view version) {
  const std::string_view digits = version.substr(0, std::min(version.find_first_not_of("0123456789"), version.size()));
  // 14 digits can also be a sequence number: accept only a plausible date and time.
  if (digits.size() != 14 || digits.substr(0, 2) < "19" || digits.substr(0, 2) > "20") {
    return {};
  }
  const auto part = [&](std::size_t at, std::size_t size) { return std::string(digits.substr(at, size)); };
  if (part(4, 2) < "01" || part(4, 2) > "12" || part(6, 2) < "01" || part(6, 2) > "31" || part(8, 2) > "23" ||
      part(10, 2) > "59" || part(12, 2) > "59") {
    return {};
  }
  return part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(8, 2) + ":" + part(10, 2) + ":" + part(12, 2) + "+00:00";
}

// A revision in place of one that could not be converted: a database that lacks it stops here and reports the reason.
NativeBody stop_here(const ForeignFormat& format, const ForeignRevision& revision) {
  NativeBody body;
  const std::string reason = one_line(revision.file + " of " + std::string(format.title) + " is " + revision.unreadable);
  body.upgrade = "-- " + reason + ": it was not taken over.\nDO $adopted$\nBEGIN\n  RAISE EXCEPTION " +
                 quote_literal(reason + ": write what it does as SQL into this revision") + ";\nEND\n$adopted$;\n";
  body.irreversible = revision.irreversible.empty() ? reason : revision.irreversible;
  return body;
}

// Reads the file back as every later command will.
Result<void> read_back(const Revision& header, const std::string& text) {
  TRY_ASSIGN(const auto found, parse_native_header(text, true, header.path));
  if (!found || found->id != header.id || found->down != header.down || found->message != header.message) {
    return fail(ErrorCode::NotRenderable, "its header would be read differently from a revision file");
  }
  return parse_script(header, text).map([](const RevisionScript&) {});
}

}  // namespace

ForeignRevisionText foreign_revision_text(const ForeignFormat& format, const ForeignRevision& revision, const Revision& given) {
  ForeignRevisionText made;
  Revision header = given;
  header.created = created_of(revision.version);
  NativeBody body;
  if (!revision.unreadable.empty()) {
    body = stop_here(format, revision);
  } else {
    body.upgrade = DirectionText(revision, made.problems, made.warnings).write(revision.up);
    body.irreversible = one_line(revision.irreversible);
    if (body.irreversible.empty()) {
      body.downgrade = DirectionText(revision, made.way_back, made.warnings).write(revision.down);
      if (!made.way_back.empty()) {
        body.irreversible = one_line("its way back could not be taken over: " + made.way_back.front().reason);
      }
    }
  }
  if (!made.problems.empty()) {
    return made;
  }
  auto text = render_native_revision(header, body);
  // A file that later commands would read differently must not be written.
  auto proven = text ? read_back(header, *text) : Result<void>(fail(text.error()));
  if (!proven) {
    made.problems.push_back({revision.file, revision.line, proven.error().message});
    return made;
  }
  made.text = std::move(*text);
  return made;
}

std::string foreign_revision_id(std::string_view version) {
  std::string id(version);
  std::ranges::replace_if(
      id,
      [](char c) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
        return !plain;
      },
      '_');
  if (id == version && check_new_revision_id(id)) {
    return id;
  }
  // 19 characters, "_" and 12 digits of a digest fit into Alembic's column of 32.
  constexpr std::size_t kKept = 19;
  return id.substr(0, kKept) + "_" + sha256_hex(version).substr(0, 12);
}

}  // namespace athanor
