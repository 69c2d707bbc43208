#include "migrations/cli/plan_markdown.hpp"

#include <algorithm>

#include "migrations/cli/lint_report.hpp"
#include "migrations/cli/output.hpp"
#include "migrations/cli/plan_listing.hpp"
#include "migrations/plan/statement.hpp"

namespace athanor::cli {
namespace {

constexpr std::size_t kLongestCell = 300;

std::string shortened(std::string_view text) {
  if (text.size() <= kLongestCell) {
    return std::string(text);
  }
  std::size_t end = kLongestCell;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string one_line(std::string_view text) {
  std::string line = shortened(text);
  std::ranges::replace_if(
      line, [](char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F; }, ' ');
  return line;
}

std::size_t longest_run(std::string_view text, char of) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char letter : text) {
    run = letter == of ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string revisions_text(const std::vector<std::string>& heads) {
  std::string text;
  for (const std::string& head : heads) {
    text += (text.empty() ? "" : ", ") + markdown_code(head);
  }
  return text.empty() ? "an empty database" : text;
}

// Collects the lines of one list until there is no room left.
class Lines {
 public:
  Lines(std::string& into, std::size_t limit) : into_(into), limit_(limit) {}

  void add(const std::string& line) {
    if (left_out_ > 0 || into_.size() + line.size() > limit_) {
      ++left_out_;
    } else {
      into_ += line;
    }
  }
  void end(std::string_view noun) {
    if (left_out_ > 0) {
      into_ += "\n_and " + counted(left_out_, noun) + " more_\n";
    }
  }

 private:
  std::string& into_;
  std::size_t limit_;
  std::size_t left_out_ = 0;
};

std::string steps_text(const PlannedRevision& revision) {
  if (!revision.script) {
    return "row of the version table";
  }
  std::string text;
  for (const ScriptStep& step : revision.steps()) {
    const std::string name(step_kind_name(step.kind));
    if (text.empty() || !text.ends_with(name)) {
      text += (text.empty() ? "" : ", ") + name;
    }
  }
  return text.empty() ? "nothing to run" : text;
}

void add_revisions(std::string& text, const Plan& plan, std::size_t limit) {
  text += "| revision | message | steps | statements |\n|---|---|---|---|\n";
  Lines lines(text, limit);
  for (const PlannedRevision& revision : plan.revisions) {
    std::size_t statements = 0;
    bool destroys = false;
    if (revision.script) {
      for (const ScriptStep& step : revision.steps()) {
        statements += step.statements.size();
        destroys = destroys || std::ranges::any_of(step.statements, is_destructive);
      }
    }
    const std::string mark = destroys ? "**" : "";
    lines.add("| " + mark + markdown_code(revision.walk.revision.value_or(join_revisions(revision.walk.heads))) + mark + " | " +
              markdown_text(revision.message) + " | " + steps_text(revision) + " | " + std::to_string(statements) +
              (destroys ? ", **destructive**" : "") + " |\n");
  }
  lines.end("revision");
}

void add_destruction(std::string& text, const std::vector<std::string>& destructive, std::size_t limit) {
  if (destructive.empty()) {
    return;
  }
  text += "\n#### Destructive\n\n";
  Lines lines(text, limit);
  for (const std::string& statement : destructive) {
    lines.add("- **" + markdown_text(statement) + "**\n");
  }
  lines.end("statement");
}

void add_findings(std::string& text, const std::vector<Finding>& findings, std::size_t limit) {
  if (findings.empty()) {
    return;
  }
  text += "\n#### Lint: " + count_findings(findings).sentence() + "\n\n| level | where | finding | rule |\n|---|---|---|---|\n";
  Lines lines(text, limit);
  for (const Finding& finding : findings) {
    const bool error = finding.severity == Severity::Error;
    const std::string level = finding.severity == Severity::Info ? "hint" : std::string(severity_name(finding.severity));
    lines.add("| " + (error ? "**" + level + "**" : level) + " | " +
              markdown_code(finding.path + ":" + std::to_string(finding.line)) + " | " + markdown_text(finding.message) +
              " | " + markdown_code(finding.rule) + " |\n");
  }
  lines.end("finding");
}

std::string sql_of(const PlannedRevision& revision) {
  std::string text = "-- " + one_line(step_line(revision)) + "\n";
  if (revision.script) {
    const auto& steps = revision.steps();
    for (const ScriptStep& step : steps) {
      if (steps.size() > 1 || step.kind != StepKind::Transaction) {
        text += "-- step " + std::string(step_kind_name(step.kind)) + "\n";
      }
      for (const SqlStatement& statement : step.statements) {
        text += std::string(statement.sql) + ";" + (is_destructive(statement) ? "  -- destructive" : "") + "\n";
      }
    }
  }
  return text + "\n";
}

// The collapsed SQL: only whole statements of whole revisions, as far as there is room.
std::string folded_sql(const Plan& plan, std::size_t room) {
  constexpr std::size_t kFrame = 400;  // room for the lines around it
  std::string sql;
  std::size_t shown = 0;
  std::size_t ticks = 3;
  for (const PlannedRevision& revision : plan.revisions) {
    const std::string more = sql_of(revision);
    ticks = std::max(ticks, longest_run(more, '`') + 1);
    if (sql.size() + more.size() + 2 * ticks + kFrame > room) {
      break;
    }
    sql += more;
    ++shown;
  }
  const std::string fence(ticks, '`');
  std::string text = "\n<details>\n<summary>SQL</summary>\n\n";
  if (!sql.empty()) {
    sql.pop_back();
    text += fence + "sql\n" + sql + fence + "\n";
  }
  if (shown < plan.revisions.size()) {
    text += "\n**The SQL of " + counted(plan.revisions.size() - shown, "revision") +
            " is left out**: a comment can have at most 65,536 characters. See `athanor plan … --show-sql`.\n";
  }
  return text + "\n</details>\n";
}

}  // namespace

std::string markdown_text(std::string_view text) {
  std::string safe;
  for (const char letter : one_line(text)) {
    switch (letter) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '@':  // would notify the user of that name
        safe += "@<!-- -->";
        break;
      case '\\':
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '|':
      case '#':
      case '~':
      case '!':
        safe += '\\';
        [[fallthrough]];
      default:
        safe += letter;
    }
  }
  return safe;
}

std::string markdown_code(std::string_view text) {
  const std::string line = one_line(text);
  const std::string fence(longest_run(line, '`') + 1, '`');
  const std::string gap = line.starts_with('`') || line.ends_with('`') ? " " : "";
  std::string code;
  for (const char letter : line) {
    code += letter == '|' ? "\\|" : std::string(1, letter);  // a table splits its cells before it recognises code
  }
  return fence + gap + code + gap + fence;
}

std::string plan_markdown(const Plan& plan, const std::vector<Finding>& findings, std::size_t limit) {
  if (plan.empty()) {
    return "### Nothing to migrate\n\nAlready at " + revisions_text(plan.from) + ".\n";
  }
  const std::vector<std::string> destructive = destructive_statements(plan);
  std::string text = "### Migration plan: " + std::string(direction_name(plan.operation)) + ", " +
                     counted(plan.revisions.size(), "revision") + "\n\nFrom " + revisions_text(plan.from) + " to " +
                     revisions_text(plan.to) + ". ";
  text += destructive.empty() ? "Nothing is destroyed. " : "**" + counted(destructive.size(), "destructive statement") + ".** ";
  text += "Lint: " + count_findings(findings).sentence() + ".\n\n";
  // Each part has a limit, so that none leaves no room for the next one.
  add_revisions(text, plan, limit / 4);
  add_destruction(text, destructive, text.size() + limit / 6);
  add_findings(text, findings, text.size() + limit / 4);
  for (const std::string& warning : plan.warnings) {
    if (text.size() < limit * 3 / 4) {
      text += "\n> " + markdown_text(warning) + "\n";
    }
  }
  const std::string hash = "\nPlan " + markdown_code(plan.hash) + "\n";
  text += folded_sql(plan, limit - std::min(limit, text.size() + hash.size()));
  return text + hash;
}

}  // namespace athanor::cli
