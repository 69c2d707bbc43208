#include "migrations/lint/lint_unit.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "migrations/lint/psql_script.hpp"
#include "migrations/lint/rule.hpp"
#include "migrations/plan/script_comments.hpp"
#include "migrations/plan/script_directive.hpp"
#include "migrations/plan/statement_shape.hpp"
#include "migrations/plan/statement_text.hpp"

namespace athanor {
namespace {

Finding problem(const LintUnit& unit, std::string rule, int line, std::string message, std::string fix) {
  Finding finding;
  finding.severity = find_rule(rule)->severity;
  finding.rule = std::move(rule);
  finding.path = unit.path;
  finding.revision = unit.revision;
  finding.line = line;
  finding.message = std::move(message);
  finding.fix = std::move(fix);
  return finding;
}

// "line 7" and "versions/ab12.sql:7" both end with the number.
int line_of(const Error& error) {
  const auto digits = error.context.find_last_not_of("0123456789");
  int line = 1;
  const char* const begin = error.context.data() + (digits == std::string::npos ? 0 : digits + 1);
  std::from_chars(begin, error.context.data() + error.context.size(), line);
  return std::max(line, 1);
}

// The rule for a statement that was refused.
std::string_view rule_of(const SqlStatement& statement) {
  constexpr std::array<std::string_view, 8> kControl{
      "begin", "start", "commit", "end", "abort", "rollback", "prepare transaction", "set transaction"};
  const StatementShape shape(statement.sql);
  if (shape.long_identifier) {
    return "identifier-63";
  }
  if (shape.starts("discard")) {
    return "session-state";
  }
  if (std::ranges::any_of(kControl, [&](std::string_view words) { return shape.starts(words); })) {
    return "transaction-control-in-file";
  }
  return !check_statement(statement, true) && check_statement(statement, false) ? "concurrent-in-transaction"
                                                                                : "invalid-revision";
}

Finding command_problem(const LintUnit& unit, const PsqlCommand& command) {
  constexpr std::array<std::string_view, 4> kIncludes{"\\i", "\\ir", "\\include", "\\include_relative"};
  if (std::ranges::find(kIncludes, command.word) != kIncludes.end()) {
    return problem(unit, "unclassified", command.line, "lint does not read the file that " + command.word + " includes",
                   "name that file on the command line too");
  }
  const std::string message = command.word == "\\gexec" ? "\\gexec runs SQL that is built at run time, which lint cannot check"
                                                        : "lint cannot check the psql command " + command.word;
  return problem(unit, "unclassified", command.line, message,
                 "check what it does yourself, and accept it: -- athanor:allow unclassified …");
}

class PlainReader {
 public:
  PlainReader(LintUnit& unit, bool single_transaction) : unit_(unit), single_(single_transaction), open_(single_transaction) {}

  void read() {
    const auto statements = split_statements(*unit_.text);
    if (!statements) {
      unit_.problems.push_back(
          problem(unit_, "invalid-revision", line_of(statements.error()), statements.error().message, statements.error().hint));
      return;
    }
    for (const SqlStatement& statement : *statements) {
      add(statement);
    }
    if (open_ && !single_) {
      refuse(opened_, "the transaction is never committed: psql rolls it back at the end", "COMMIT;");
    }
    read_allows();
  }

 private:
  void add(const SqlStatement& statement) {
    const StatementShape shape(statement.sql);
    const auto is = [&](auto... words) { return (shape.starts(words) || ...); };
    if (is("rollback to", "rollback work to", "rollback transaction to")) {
      return;
    }
    if (is("begin", "start transaction")) {
      begin(statement);
    } else if (is("commit", "end", "rollback", "abort") && !is("commit prepared", "rollback prepared")) {
      end(statement);
    } else {
      transaction_ += open_ ? 0 : 1;
      unit_.statements.push_back({statement, open_ ? StepKind::Transaction : StepKind::Autocommit, transaction_, open_});
    }
  }

  void begin(const SqlStatement& statement) {
    if (open_) {
      refuse(statement.line, "BEGIN inside a transaction does nothing but warn: the next COMMIT ends the outer one",
             "remove it");
      return;
    }
    open_ = true;
    opened_ = statement.line;
    ++transaction_;
  }

  void end(const SqlStatement& statement) {
    if (!open_) {
      refuse(statement.line, "there is no transaction to end", "remove it");
    } else if (single_) {
      refuse(statement.line, "the file runs in one transaction, which this statement ends early", "remove it");
    }
    open_ = false;
    single_ = false;
    ++transaction_;
  }

  void refuse(int line, std::string message, std::string fix) {
    unit_.problems.push_back(problem(unit_, "transaction-control-in-file", line, std::move(message), std::move(fix)));
  }

  // In a plain file, only Athanor's allow directives have a meaning.
  void read_allows() {
    LineCounter lines(*unit_.text, 1);
    ScriptComments comments(*unit_.text, true);
    while (const auto comment = comments.next()) {
      const auto text = comments.text(*comment);
      if (!is_directive(text)) {
        continue;
      }
      const int line = lines.line_of(comment->token.begin);
      const auto directive = parse_directive(text);
      if (directive && directive->kind == Directive::Kind::Allow) {
        unit_.allows.push_back({directive->rule, directive->reason, line, AllowScope::Upgrade});
      } else if (!directive && text.find("athanor:allow") != std::string_view::npos) {
        unit_.problems.push_back(problem(unit_, "allow-unknown-rule", line, directive.error().message, directive.error().hint));
      }
    }
  }

  LintUnit& unit_;
  bool single_;
  bool open_;
  int opened_ = 1;
  int transaction_ = 0;
};

}  // namespace

LintUnit unit_of(const RevisionScript& script, Direction direction, std::string path, std::string revision) {
  LintUnit unit;
  unit.path = std::move(path);
  unit.revision = std::move(revision);
  unit.downgrade = direction == Direction::Downgrade;
  unit.text = script.text;
  int transaction = 0;
  for (const ScriptStep& step : unit.downgrade ? script.downgrade : script.upgrade) {
    ++transaction;
    for (const SqlStatement& statement : step.statements) {
      const bool alone = step.kind == StepKind::Autocommit;
      unit.statements.push_back({statement, step.kind, transaction, !alone});
      transaction += alone ? 1 : 0;
    }
  }
  const AllowScope scope = unit.downgrade ? AllowScope::Downgrade : AllowScope::Upgrade;
  for (const AllowDirective& allow : script.allows) {
    if (allow.scope == scope || allow.scope == AllowScope::Revision) {
      unit.allows.push_back(allow);
    }
  }
  return unit;
}

LintUnit unit_of(const PlannedRevision& revision) {
  return unit_of(*revision.script, revision.walk.direction, revision.path, revision.walk.revision.value_or(""));
}

LintUnit refused_unit(const Error& error, const std::string& text, std::string path, std::string revision) {
  LintUnit unit;
  unit.path = std::move(path);
  unit.revision = std::move(revision);
  unit.text = std::make_shared<const std::string>(text);
  const int line = line_of(error);
  std::string_view rule = "invalid-revision";
  if (const auto statements = split_statements(*unit.text)) {
    for (const SqlStatement& statement : *statements) {
      const int last = statement.line + count_lines(statement.sql, statement.sql.size());
      rule = statement.line <= line && line <= last ? rule_of(statement) : rule;
    }
  }
  unit.problems.push_back(problem(unit, std::string(rule), line, error.message, error.hint));
  return unit;
}

LintUnit plain_unit(std::string text, std::string path, bool single_transaction) {
  LintUnit unit;
  unit.path = std::move(path);
  unit.plain = true;
  const std::vector<PsqlCommand> commands = take_out_psql(text);
  unit.text = std::make_shared<const std::string>(std::move(text));
  for (const PsqlCommand& command : commands) {
    unit.problems.push_back(command_problem(unit, command));
  }
  PlainReader(unit, single_transaction).read();
  return unit;
}

}  // namespace athanor
