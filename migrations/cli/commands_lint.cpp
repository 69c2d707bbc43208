// The verb lint: checks what revisions and SQL files do to a running database.
#include <algorithm>
#include <array>
#include <charconv>

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/lint_input.hpp"
#include "migrations/cli/lint_report.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/lint/live_facts.hpp"
#include "migrations/lint/statement_check.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor::cli {
namespace {

enum class Format : std::uint8_t { Text, Json, Sarif, Github };
constexpr std::array<std::string_view, 4> kFormats{"text", "json", "sarif", "github"};

struct LintOptions {
  Format format = Format::Text;
  std::optional<Severity> fail_on = Severity::Error;  // empty: never fail
};

Error wrong_word(std::string_view flag, const std::string& word, std::span<const std::string_view> words) {
  return Error(ErrorCode::Usage, std::string(flag) + " cannot be '" + word + "'").advise(suggest(word, words));
}

Result<LintOptions> read_options(CommandContext& context) {
  LintOptions options;
  const Arguments& arguments = context.arguments();
  if (const auto word = arguments.value("--format")) {
    const auto found = std::ranges::find(kFormats, *word);
    if (found == kFormats.end()) {
      return fail(wrong_word("--format", *word, kFormats));
    }
    options.format = static_cast<Format>(found - kFormats.begin());
  }
  if (const auto word = arguments.value("--fail-on")) {
    constexpr std::array<std::string_view, 4> kWords{"error", "warning", "info", "never"};
    if (std::ranges::find(kWords, *word) == kWords.end()) {
      return fail(wrong_word("--fail-on", *word, kWords));
    }
    options.fail_on = severity_named(*word);
  }
  if (options.format == Format::Json) {
    OutputStyle style = context.output().style();
    style.json = true;
    context.output().set_style(style);
  }
  return options;
}

Result<void> list_rules(CommandContext& context) {
  Json all = Json::array();
  for (const RuleSpec& rule : rules()) {
    all.push_back(rule_json(rule));
  }
  context.output().text(rule_list(context.output().style().color));
  context.output().fields()["rules"] = std::move(all);
  context.output().set_message(std::to_string(rules().size()) + " rules");
  return {};
}

Result<void> explain(CommandContext& context, const std::string& name) {
  if (name == "all") {
    std::string_view topic;
    for (const RuleSpec& rule : rules()) {
      if (topic_title(rule.topic) != topic) {
        topic = topic_title(rule.topic);
        context.output().text("## " + std::string(topic) + "\n\n");
      }
      context.output().text(rule_section(rule) + "\n");
    }
    return {};
  }
  const RuleSpec* const rule = find_rule(name);
  if (rule == nullptr) {
    return fail(Error(ErrorCode::Usage, "unknown rule '" + name + "'").advise(suggest_rule(name)));
  }
  context.output().text(rule_section(*rule));
  context.output().fields()["rule"] = rule_json(*rule);
  context.output().set_message(std::string(rule->summary));
  return {};
}

struct Subject {
  LintInput input;
  std::optional<LiveDatabase> live;
};

Result<Subject> find_subject(CommandContext& context, const Configuration& configuration) {
  const Arguments& arguments = context.arguments();
  const auto& operands = arguments.operands();
  const bool downgrade = arguments.has("--downgrade");
  const bool requested = arguments.has("--database");
  if (requested && configuration.database_url.empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "--database: no database is configured").advise("set DATABASE_URL"));
  }
  Subject subject;
  const auto files = std::ranges::count_if(operands, is_sql_path);
  if (files > 0 && files != static_cast<std::ptrdiff_t>(operands.size())) {
    return fail(Error(ErrorCode::Usage, "files and revisions cannot be linted together").advise("run lint for each of them"));
  }
  if (files > 0) {
    TRY_ASSIGN(subject.input, read_sql_paths(operands, downgrade, arguments.has("--single-transaction"), configuration.limits));
  } else {
    std::vector<std::string> current_heads;
    const bool pending = operands.empty() && !configuration.database_url.empty();
    std::optional<Database> database;
    if (pending) {
      TRY_ASSIGN(database, Database::connect(context, configuration));
    }
    TRY_ASSIGN(const Project project, open_project(context, configuration));
    if (pending) {
      TRY_ASSIGN(Observation observation, database->migrator().observe());
      current_heads = std::move(observation.current_heads);
      context.output().set_current(current_heads);
      TRY(require_known_heads(project.graph, current_heads));
    }
    TRY_ASSIGN(const auto ids, pending            ? pending_revisions(project.graph, current_heads)
                               : operands.empty() ? Result<std::vector<std::string>>(project.graph.heads())
                                                  : chosen_revisions(project.graph, operands, current_heads));
    TRY_ASSIGN(subject.input, read_revisions(project, ids, downgrade));
  }
  if (requested || (operands.empty() && !configuration.database_url.empty())) {
    TRY_ASSIGN(subject.live, ask_live_database(context, configuration));
  }
  return subject;
}

Result<LintContext> context_of(CommandContext& context, const Configuration& configuration, const Subject& subject) {
  LintContext lint = lint_context(context, configuration, subject.live ? &*subject.live : nullptr);
  if (const auto word = context.arguments().value("--postgres")) {
    const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), lint.postgres);
    if (error != std::errc() || end != word->data() + word->size() || lint.postgres < kOldestPostgres ||
        lint.postgres > kNewestPostgres) {
      return fail(Error(ErrorCode::Usage, "--postgres takes a major version between " + std::to_string(kOldestPostgres) +
                                              " and " + std::to_string(kNewestPostgres))
                      .advise("for example --postgres 16"));
    }
  }
  return lint;
}

std::string subject_words(const Subject& subject) {
  const std::size_t units = subject.input.units.size();
  const bool files = !subject.input.units.empty() && subject.input.units.front().revision.empty();
  return std::to_string(units) + (files ? " file" : " revision") + (units == 1 ? "" : "s");
}

// Names units that could not be read, where the level of the rule that says so is off.
void warn_unread(Output& output, const LintInput& input, const LintSettings& settings) {
  for (const LintUnit& unit : input.units) {
    for (const Finding& problem : unit.problems) {
      if (unit.statements.empty() && level_of(*find_rule(problem.rule), settings) == Severity::Off) {
        output.warn(unit.path + ":" + std::to_string(problem.line) + ": no statement of it is linted: " + problem.message);
        break;
      }
    }
  }
}

void print(CommandContext& context, const LintOptions& options, const std::vector<Finding>& findings) {
  Output& output = context.output();
  switch (options.format) {
    case Format::Text:
      output.text(lint_text(findings, output.style().color));
      break;
    case Format::Sarif:
      output.text(lint_sarif(findings));
      break;
    case Format::Github:
      output.text(lint_github(findings));
      break;
    case Format::Json:
      break;
  }
}

}  // namespace

Result<void> run_lint(CommandContext& context) {
  TRY_ASSIGN(const LintOptions options, read_options(context));
  if (context.arguments().has("--list-rules")) {
    return list_rules(context);
  }
  if (const auto rule = context.arguments().value("--explain")) {
    return explain(context, *rule);
  }
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Subject subject, find_subject(context, configuration));
  TRY_ASSIGN(const LintContext lint, context_of(context, configuration, subject));
  if (subject.input.python > 0) {
    context.output().warn(std::to_string(subject.input.python) +
                          " revisions are Python, which is not linted: `athanor import alembic` writes their SQL");
  }
  warn_unread(context.output(), subject.input, lint.settings);
  std::size_t statements = 0;
  TRY_ASSIGN(const std::vector<Finding> findings,
             findings_of(subject.input, lint, subject.live ? &*subject.live : nullptr, &statements));
  const LintCounts counts = count_findings(findings);
  print(context, options, findings);
  context.output().fields()["findings"] = lint_json(findings);
  context.output().fields()["counts"] = {{"error", counts.errors}, {"warning", counts.warnings}, {"info", counts.hints}};
  context.output().fields()["statements"] = statements;
  const std::string summary = counts.sentence() + " in " + subject_words(subject);
  context.output().set_message(summary);
  const bool failed = options.fail_on && std::ranges::any_of(findings, [&](const Finding& finding) {
                        return finding.severity >= *options.fail_on;
                      });
  if (failed) {
    return fail(Error(ErrorCode::LintFindings, "lint: " + summary)
                    .advise("`athanor lint --explain RULE` explains a rule; '-- athanor:allow RULE reason' above a statement "
                            "accepts its findings"));
  }
  context.output().note("lint: " + summary + ", " + std::to_string(statements) +
                        (statements == 1 ? " statement." : " statements."));
  return {};
}

}  // namespace athanor::cli
