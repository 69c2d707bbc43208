#include "migrations/plan/script.hpp"

#include <algorithm>

#include "migrations/base/sha256.hpp"
#include "migrations/plan/batch_condition.hpp"
#include "migrations/plan/script_comments.hpp"
#include "migrations/plan/script_directive.hpp"
#include "migrations/plan/statement_text.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

constexpr std::string_view kPlaceholder = "{batch}";

// A directive that cuts the text, and its position.
struct Mark {
  Directive directive;
  std::size_t begin = 0;  // start of its line
  std::size_t end = 0;    // after its last character
  int line = 1;
};

// Adds the file's name to an error: "line 7" becomes "versions/ab12.sql:7".
Error in_file(Error error, const std::string& path) {
  constexpr std::string_view kLine = "line ";
  const bool has_line = error.context.starts_with(kLine);
  std::string place = has_line ? path + ":" + error.context.substr(kLine.size()) : path;
  return std::move(error).at(std::move(place));
}

Error at_line(Error error, int line) {
  return std::move(error).at(line_context(line));
}

class ScriptReader {
 public:
  explicit ScriptReader(RevisionScript& script) : script_(script), text_(*script.text) {}

  Result<void> read() {
    TRY(find_marks());
    TRY(check_head());
    for (std::size_t index = 0; index < marks_.size(); ++index) {
      TRY(read_part(index));
    }
    if (script_.irreversible && script_.has_downgrade) {
      return fail(at_line(Error(ErrorCode::MalformedRevision, "the revision is marked irreversible but has a downgrade section")
                              .advise("keep the downgrade section or the irreversible line, not both"),
                          irreversible_line_));
    }
    return {};
  }

 private:
  // Our own lexer finds the directives, so that text inside a function body, a string or a comment is not mistaken for one.
  Result<void> find_marks() {
    LineCounter lines(text_, 1);
    ScriptComments comments(text_, true);
    while (const auto comment = comments.next()) {
      const auto text = comments.text(*comment);
      if (is_directive(text)) {
        TRY_ASSIGN(const bool cuts, add_directive(*comment, text, lines.line_of(comment->token.begin)));
        if (cuts) {
          comments.cut();
        }
      } else if (!comment->first_line) {
        if (auto lookalike = directive_lookalike(text, comment->place)) {
          return fail(at_line(std::move(*lookalike), lines.line_of(comment->token.begin)));
        }
      }
    }
    first_code_ = comments.first_code();
    if (comments.unterminated()) {
      // split_statements() names the construct that is not terminated.
      const auto split = split_statements(text_);
      return split ? Result<void>() : fail(split.error());
    }
    return {};
  }

  // Returns whether the directive cuts the text there.
  Result<bool> add_directive(const ScriptComment& comment, std::string_view text, int line) {
    const Token& token = comment.token;
    if (token.begin > 0 && text_[token.begin - 1] != '\n') {
      return fail(at_line(Error(ErrorCode::MalformedRevision, "a directive must be on its own line, without indentation")
                              .advise("move it to the start of its own line"),
                          line));
    }
    auto directive = parse_directive(text);
    if (!directive) {
      return fail(at_line(std::move(directive).error(), line));
    }
    if (directive->kind == Directive::Kind::Allow) {
      if (comment.place == CommentPlace::InStatement) {
        return fail(at_line(
            Error(ErrorCode::MalformedRevision, "allow line inside a statement").advise("move it above the statement"), line));
      }
      script_.allows.push_back({std::move(directive->rule), std::move(directive->reason), line, scope()});
      return false;
    }
    if (directive->kind == Directive::Kind::Replaces) {
      if (!marks_.empty()) {
        return fail(at_line(Error(ErrorCode::MalformedRevision, "replaces line inside a section")
                                .advise("move it above the first section, below the header"),
                            line));
      }
      script_.replaces.push_back(std::move(directive->replaced));
      return false;
    }
    marks_.push_back({std::move(*directive), token.begin, token.end, line});
    return true;
  }

  // The scope of an allow directive after the directives read so far.
  [[nodiscard]] AllowScope scope() const {
    for (auto mark = marks_.rbegin(); mark != marks_.rend(); ++mark) {
      if (mark->directive.kind == Directive::Kind::Upgrade) {
        return AllowScope::Upgrade;
      }
      if (mark->directive.kind == Directive::Kind::Downgrade) {
        return AllowScope::Downgrade;
      }
    }
    return AllowScope::Revision;
  }

  // Before the first section only comments are allowed.
  Result<void> check_head() {
    const std::size_t end = marks_.empty() ? text_.size() : marks_.front().begin;
    if (first_code_ >= end) {
      return {};
    }
    TRY_ASSIGN(const auto statements, split_statements(text_.substr(0, end)));
    if (!statements.empty()) {
      return fail(at_line(Error(ErrorCode::MalformedRevision, "SQL before the first section")
                              .advise("put '-- athanor:upgrade' on a line of its own above it"),
                          statements.front().line));
    }
    return {};
  }

  // Processes the directive at `index` and the SQL up to the next one.
  Result<void> read_part(std::size_t index) {
    const Mark& mark = marks_[index];
    switch (mark.directive.kind) {
      case Directive::Kind::Upgrade:
        TRY(open_section(mark, script_.upgrade, has_upgrade_));
        break;
      case Directive::Kind::Downgrade:
        TRY(open_section(mark, script_.downgrade, script_.has_downgrade));
        break;
      case Directive::Kind::Irreversible:
        TRY(set_irreversible(mark));
        break;
      case Directive::Kind::Step:
        if (section_ == nullptr) {
          return fail(at_line(Error(ErrorCode::MalformedRevision, "step outside a section")
                                  .advise("put '-- athanor:upgrade' or '-- athanor:downgrade' above it"),
                              mark.line));
        }
        break;
      case Directive::Kind::Allow:
      case Directive::Kind::Replaces:
        break;  // not in marks_
    }
    const std::size_t end = index + 1 < marks_.size() ? marks_[index + 1].begin : text_.size();
    TRY_ASSIGN(auto statements, split_statements(text_.substr(mark.end, end - mark.end), mark.line));
    return add_step(mark, std::move(statements));
  }

  Result<void> open_section(const Mark& mark, std::vector<ScriptStep>& section, bool& opened) {
    if (std::exchange(opened, true)) {
      const bool upgrade = mark.directive.kind == Directive::Kind::Upgrade;
      return fail(at_line(
          Error(ErrorCode::MalformedRevision, std::string("a second ") + (upgrade ? "upgrade" : "downgrade") + " section")
              .advise("join the sections; '-- athanor:step' divides a section into steps"),
          mark.line));
    }
    section_ = &section;
    return {};
  }

  Result<void> set_irreversible(const Mark& mark) {
    if (script_.irreversible) {
      return fail(
          at_line(Error(ErrorCode::MalformedRevision, "a second irreversible line").advise("keep one of them"), mark.line));
    }
    script_.irreversible = true;
    script_.irreversible_reason = mark.directive.reason;
    irreversible_line_ = mark.line;
    section_ = nullptr;
    return {};
  }

  Result<void> add_step(const Mark& mark, std::vector<SqlStatement> statements) {
    if (section_ == nullptr) {
      if (!statements.empty()) {
        return fail(at_line(Error(ErrorCode::MalformedRevision, "SQL after the irreversible line, outside a section")
                                .advise("put the irreversible line at the end of the file"),
                            statements.front().line));
      }
      return {};
    }
    const StepKind kind = mark.directive.step;
    for (const auto& statement : statements) {
      TRY(check_statement(statement, kind != StepKind::Autocommit));
      if (kind != StepKind::Batch && placeholders(statement.sql) > 0) {
        return fail(at_line(Error(ErrorCode::MalformedRevision, "{batch} outside a batch step")
                                .advise("put '-- athanor:step batch table=… key=…' on a line of its own above the statement"),
                            statement.line));
      }
    }
    if (kind == StepKind::Batch) {
      TRY(check_batch(mark, statements));
    } else if (statements.empty()) {
      return {};  // an empty step is dropped
    }
    section_->push_back({kind, std::move(statements), mark.directive.batch, mark.line});
    return {};
  }

  // Counts {batch} where it is SQL, not in a string, a quoted name or a comment.
  static int placeholders(std::string_view sql) {
    if (sql.find(kPlaceholder) == std::string_view::npos) {
      return 0;
    }
    int found = 0;
    SqlLexer lexer(sql);
    for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
      found += token.kind == TokenKind::Symbol && sql.substr(token.begin).starts_with(kPlaceholder) ? 1 : 0;
    }
    return found;
  }

  // Requires one UPDATE, DELETE or INSERT … SELECT with a single {batch} that restricts its rows.
  static Result<void> check_batch(const Mark& mark, const std::vector<SqlStatement>& statements) {
    const auto refuse = [](int line, std::string message, std::string hint) {
      return fail(at_line(Error(ErrorCode::MalformedRevision, std::move(message)).advise(std::move(hint)), line));
    };
    if (statements.size() != 1) {
      return refuse(statements.empty() ? mark.line : statements[1].line,
                    "a batch step holds exactly one statement, not " + std::to_string(statements.size()),
                    statements.empty()
                        ? "write one UPDATE, DELETE or INSERT … SELECT below the directive"
                        : "give each statement its own batch step, or end the batch with '-- athanor:step transaction'");
    }
    const auto& [sql, line] = statements.front();
    const StatementVerb verb = verb_of(sql);
    if (verb == StatementVerb::Other) {
      return refuse(line, "a batch step must be an UPDATE, a DELETE or an INSERT … SELECT",
                    "put other statements into a step of kind transaction or autocommit");
    }
    const auto first = sql.find(kPlaceholder);
    if (first == std::string_view::npos) {
      return refuse(line, "the batch statement does not contain {batch}",
                    "add it to the condition: WHERE … AND {batch}; each batch replaces it with a range of the key");
    }
    if (sql.find(kPlaceholder, first + 1) != std::string_view::npos) {
      return refuse(line, "the batch statement contains {batch} more than once", "keep the one in the WHERE clause");
    }
    if (placeholders(sql) == 0) {
      return refuse(line, "{batch} inside a string, a quoted name or a comment", "put it into the WHERE clause");
    }
    if (!restricts_rows(sql, first, kPlaceholder.size())) {
      const auto above = std::ranges::count(sql.substr(0, first), '\n');
      return refuse(line + static_cast<int>(above),
                    "{batch} does not limit the statement to its range: each batch would process every row",
                    "add it to the WHERE clause with AND, outside OR and NOT: WHERE (…) AND {batch}");
    }
    return {};
  }

  enum class StatementVerb { Other, Batchable };
  static StatementVerb verb_of(std::string_view sql);

  RevisionScript& script_;
  std::string_view text_;
  std::vector<Mark> marks_;
  std::size_t first_code_ = std::string_view::npos;  // first position that is neither white space nor comment
  std::vector<ScriptStep>* section_ = nullptr;
  bool has_upgrade_ = false;
  int irreversible_line_ = 0;
};

// INSERT … VALUES is not batchable: it reads no rows.
ScriptReader::StatementVerb ScriptReader::verb_of(std::string_view sql) {
  SqlLexer lexer(sql);
  int depth = 0;
  bool insert = false;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    const auto word = lexer.text(token);
    if (token.kind == TokenKind::Symbol) {
      depth += word == "(" ? 1 : word == ")" ? -1 : 0;
      continue;
    }
    if (token.kind != TokenKind::Word || depth != 0) {
      continue;
    }
    if (!insert && (same_word(word, "update") || same_word(word, "delete"))) {
      return StatementVerb::Batchable;
    }
    if (insert && (same_word(word, "select") || same_word(word, "with"))) {
      return StatementVerb::Batchable;
    }
    insert = insert || same_word(word, "insert");
    const bool head = insert || same_word(lexer.text({TokenKind::Word, 0, std::min<std::size_t>(4, sql.size())}), "with");
    if (!head) {
      return StatementVerb::Other;
    }
  }
  return StatementVerb::Other;
}

}  // namespace

Result<RevisionScript> parse_script(const Revision& revision, std::string text) {
  if (revision.format == RevisionFormat::AlembicPython) {
    return fail(
        Error(ErrorCode::NotRenderable, "the body of revision " + revision.id + " is Python, which Athanor does not run")
            .at(revision.path)
            .advise("convert it to SQL with `athanor import alembic`, which keeps ids and dependencies"));
  }
  RevisionScript script;
  script.checksum = sha256_hex(text);
  script.text = std::make_shared<const std::string>(std::move(text));
  if (auto read = ScriptReader(script).read(); !read) {
    return fail(in_file(std::move(read).error(), revision.path));
  }
  return script;
}

bool RevisionScript::stands_for(std::string_view id, std::string_view text_checksum) const {
  return std::ranges::any_of(replaces,
                             [&](const ReplacedRevision& old) { return old.id == id && old.checksum == text_checksum; });
}

}  // namespace athanor
