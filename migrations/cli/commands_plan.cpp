// The verbs check and plan: report what a run would do, without doing it.
#include <algorithm>
#include <array>
#include <optional>

#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/lint_input.hpp"
#include "migrations/cli/lint_report.hpp"
#include "migrations/cli/plan_listing.hpp"
#include "migrations/cli/plan_markdown.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/schema_checks.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/graph/target_position.hpp"
#include "migrations/lint/lint_summary.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor::cli {
namespace {

constexpr std::size_t kSummarised = 20;  // at most so many revisions, destructive statements and warnings

// `plan to`: upgrade or downgrade, depending on the target, as the operator decides if its policy permits downgrades.
constexpr std::string_view kTo = "to";

// Returns an empty direction for `to`.
Result<std::optional<Direction>> parse_operation(const std::string& word) {
  if (word == kTo) {
    return std::optional<Direction>();
  }
  if (word == "upgrade") {
    return std::optional(Direction::Upgrade);
  }
  if (word == "downgrade") {
    return std::optional(Direction::Downgrade);
  }
  if (word == "stamp") {
    return std::optional(Direction::Stamp);
  }
  constexpr std::array<std::string_view, 4> kOperations{"upgrade", "downgrade", "stamp", kTo};
  return fail(Error(ErrorCode::Usage, "'" + word + "' cannot be planned").advise(suggest(word, kOperations)));
}

// A stamp changes rows and runs no revision; "step" is a part of a revision.
std::string count_message(std::size_t count, Direction operation) {
  const std::string noun = operation == Direction::Stamp ? " row change" : " revision";
  return count == 0 ? "nothing to do" : std::to_string(count) + noun + (count == 1 ? "" : "s");
}

// Where the plan starts: at --from, at the database's rows, or at an empty database if neither is given.
struct Start {
  Project project;
  std::vector<std::string> current_heads;
  std::optional<Database> database = {};
  std::optional<UnfinishedStep> unfinished = {};  // as the database records it
  Configuration configuration = {};
};

Result<Start> find_start(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  if (arguments.has("--from") || configuration.database_url.empty()) {
    if (arguments.has("--verify")) {
      return fail(Error(ErrorCode::Usage, "--verify needs the database").advise("set DATABASE_URL and leave out --from"));
    }
    std::vector<std::string> current_heads = arguments.list("--from");
    std::erase(current_heads, "base");
    if (!arguments.has("--from")) {
      context.output().note("No --from and no DATABASE_URL: planned from an empty database.");
    }
    context.output().set_current(current_heads);
    TRY_ASSIGN(Project project, open_project(context, configuration, Duplicates::KeepLast));
    return Start{std::move(project), std::move(current_heads), {}, {}, std::move(configuration)};
  }
  TRY_ASSIGN(Database database, Database::connect(context, configuration));
  TRY_ASSIGN(Project project, open_project(context, configuration));
  TRY_ASSIGN(Observation observation, database.migrator().observe());
  context.output().set_current(observation.current_heads);
  TRY(refuse_squashed_middle(project, observation.current_heads));
  TRY(require_known_heads(database.migrator(), project.graph, observation.current_heads));
  return Start{std::move(project), std::move(observation.current_heads), std::move(database), std::move(observation.unfinished),
               std::move(configuration)};
}

// "+2", "-1", "8c1f+1".
bool is_relative(const std::string& target) {
  const std::size_t sign = target.find_last_of("+-");
  return sign != std::string::npos && sign + 1 < target.size() &&
         target.find_first_not_of("0123456789", sign + 1) == std::string::npos;
}

Result<Direction> direction_to(const Start& start, const std::string& target) {
  if (is_relative(target) && start.project.graph.find(target) == nullptr) {
    return fail(Error(ErrorCode::InvalidTarget, "the relative target '" + target + "' already has a direction")
                    .advise("name the revision, or use `plan upgrade` or `plan downgrade`"));
  }
  TRY_ASSIGN(const TargetPosition position, locate_target(start.project.graph, target, start.current_heads));
  return position.ahead ? Direction::Downgrade : Direction::Upgrade;
}

// With --verify, compares applied revisions with their files; `plan` may be null.
Result<void> verify_applied(CommandContext& context, Start& start, const Plan* plan) {
  if (!context.arguments().has("--verify")) {
    return {};
  }
  return start.database->migrator().verify_checksums(start.project.graph, *start.project.source, start.current_heads, plan);
}

// The half-applied revision, which the walk must begin by finishing; empty if there is none.
Result<std::optional<HalfAppliedRevision>> print_half_applied(CommandContext& context, const Start& start, const Walk& walk) {
  auto half = half_applied_revision(start.project, start.unfinished);
  if (half) {
    context.output().fields()["unfinished"] = half_applied_json(half, start.unfinished);
    context.output().line("half-applied: " + half_applied_line(*half));
  }
  TRY(refuse_to_pass(start.project, start.unfinished, walk));
  return half;
}

void report_walk(CommandContext& context, const Start& start, Direction operation, const Walk& walk) {
  Json steps = Json::array();
  for (const WalkStep& step : walk.steps) {
    if (context.json()) {
      steps.push_back(step_json(step));
      continue;
    }
    const Revision* revision = step.revision ? start.project.graph.find(*step.revision) : nullptr;
    context.output().line(revision == nullptr ? step_line(step, {}, {}) : step_line(step, revision->down, revision->message));
  }
  if (walk.steps.empty()) {
    context.output().line("Nothing to do: already at " + join_revisions(start.current_heads) + ".");
  }
  for (const std::string& warning : walk.warnings) {
    context.output().warn(warning);
  }
  context.output().fields()["steps"] = std::move(steps);
  context.output().set_message(count_message(walk.steps.size(), operation));
}

// A short summary of the plan for the report, for reviewers who cannot read the files.
Json plan_summary(const Plan& plan) {
  const auto first_of = [](const std::vector<std::string>& items) {
    return std::vector<std::string>(items.begin(),
                                    items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), kSummarised)));
  };
  Json first = Json::array();
  for (const PlannedRevision& revision : plan.revisions) {
    if (first.size() == kSummarised) {
      break;
    }
    first.push_back({{"revision", revision.walk.revision.value_or("")}, {"message", revision.message}});
  }
  return {{"direction", direction_name(plan.operation)},
          {"revisions", plan.revisions.size()},
          {"first", std::move(first)},
          {"destructive", first_of(destructive_statements(plan))},
          {"warnings", first_of(plan.warnings)}};
}

void list_statements(Output& output, const PlannedRevision& revision, const HalfAppliedRevision* half) {
  output.line(step_line(revision));
  if (!revision.script) {
    return;
  }
  const auto& steps = revision.steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    output.line("  -- step " + std::string(step_kind_name(steps[i].kind)));
    for (std::size_t n = 0; n < steps[i].statements.size(); ++n) {
      const SqlStatement& statement = steps[i].statements[n];
      const bool done = half != nullptr && is_done(*half, i, n);
      output.line("  " + std::string(statement.sql) + ";" +
                  (done                        ? "  -- done"
                   : is_destructive(statement) ? "  -- destructive"
                                               : ""));
    }
  }
}

// `half` describes the first revision; null if no part of it is done. `list`: also print the statements as text.
void report_plan(CommandContext& context, const Plan& plan, const HalfAppliedRevision* half, bool list) {
  Json steps = Json::array();
  for (const PlannedRevision& revision : plan.revisions) {
    const HalfAppliedRevision* const its = &revision == &plan.revisions.front() ? half : nullptr;
    if (context.json()) {
      steps.push_back(planned_json(revision, its));
    } else if (list) {
      list_statements(context.output(), revision, its);
    }
  }
  for (const std::string& warning : plan.warnings) {
    context.output().warn(warning);
  }
  if (list) {
    context.output().line(plan.empty() ? "Nothing to do: already at " + join_revisions(plan.from) + "." : "plan " + plan.hash);
  }
  context.output().fields()["steps"] = std::move(steps);
  context.output().fields()["hash"] = plan.hash;
  if (context.arguments().has("--report")) {
    context.output().fields()["plan_hash"] = plan.hash;
    context.output().fields()["plan"] = plan_summary(plan);
  }
  context.output().set_message(count_message(plan.revisions.size(), plan.operation));
}

// What lint says of the plan. Tables are judged by their sizes where the database can be asked.
Result<std::vector<Finding>> judge(CommandContext& context, const Configuration& configuration, const Start& start,
                                   const Plan& plan) {
  std::vector<std::string> ids;
  for (const PlannedRevision& revision : plan.revisions) {
    if (revision.walk.revision) {
      ids.push_back(*revision.walk.revision);
    }
  }
  TRY_ASSIGN(const LintInput input, read_revisions(start.project, ids, plan.operation == Direction::Downgrade));
  std::optional<LiveDatabase> live;
  if (start.database) {
    TRY_ASSIGN(live, ask_live_database(context, configuration));
  }
  const LiveDatabase* const known = live ? &*live : nullptr;
  return findings_of(input, lint_context(context, configuration, known), known);
}

// A file of the project as its folder of revisions calls it.
std::string place_below(const std::vector<std::string>& folders, const std::string& path) {
  for (const std::string& folder : folders) {
    const std::string beginning = folder.ends_with('/') ? folder : folder + "/";
    if (path.starts_with(beginning)) {
      return path.substr(beginning.size());
    }
  }
  return path;
}

Result<void> print_findings(CommandContext& context, const Start& start, const Plan& plan) {
  const bool markdown = context.arguments().has("--markdown");
  const bool lint = context.arguments().has("--lint");
  if (!markdown && !lint) {
    return {};
  }
  Output& output = context.output();
  TRY_ASSIGN(const std::vector<Finding> findings, judge(context, start.configuration, start, plan));
  output.fields()["findings"] = lint_json(findings);
  if (markdown) {
    const std::string text = plan_markdown(plan, findings);
    output.fields()["markdown"] = text;
    output.text(text);
  }
  if (lint) {
    const LintSummary summary = summarise_findings(findings, kSummarised, [&](const Finding& finding) {
      return place_below(start.configuration.version_locations, finding.path) + ":" + std::to_string(finding.line);
    });
    output.fields()["counts"] = {{"error", summary.errors}, {"warning", summary.warnings}, {"info", summary.hints}};
    if (context.arguments().has("--report")) {
      output.fields()["lint"] = {
          {"errors", summary.errors}, {"warnings", summary.warnings}, {"hints", summary.hints}, {"findings", summary.findings}};
    }
    if (!markdown) {
      output.text(lint_text(findings, output.style().color));
      output.line("lint: " + summary.sentence());
    }
  }
  return {};
}

std::string count_pending(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " revision is pending" : " revisions are pending");
}

// Checks models and drift if configured or requested. Returns the most important finding; the outer error means that a check
// could not run.
Result<std::optional<Error>> check_schemas(CommandContext& context, Situation& situation) {
  const SchemaConfiguration& configured = situation.configuration.schema;
  const bool models = configured.desired.kind != schema::SchemaSource::Kind::None;
  const bool drift = configured.check_drift || context.arguments().has("--drift");
  std::optional<Error> worst;
  Output& output = context.output();
  output.fields()["models_ahead"] = nullptr;
  output.fields()["drift"] = nullptr;
  if (!models && !drift) {
    return worst;
  }
  TRY(situation.database.migrator().ask([&](Session& session) { return take_search_path(session, situation.configuration); }));
  SchemaWork work(context, situation.configuration, situation.observation.server_version);
  if (models) {
    TRY_ASSIGN(const auto lines, models_ahead(work, situation));
    for (const std::string& line : lines) {
      output.line("models ahead: " + line);
    }
    output.fields()["models_ahead"] = lines;
    if (!lines.empty()) {
      worst = models_ahead_error(lines);
    }
  }
  if (drift) {
    TRY_ASSIGN(const Drift found, find_drift(work, situation));
    report_drift(context, found);
    if (!found.lines.empty() && !worst) {
      worst = drift_error(found);
    }
  }
  return worst;
}

}  // namespace

Result<void> run_plan(CommandContext& context) {
  context.output().fields()["steps"] = Json::array();  // present even if planning fails
  const auto& operands = context.arguments().operands();
  TRY_ASSIGN(const auto named, parse_operation(operands.front()));
  const std::vector<std::string> targets(operands.begin() + 1, operands.end());
  if (named != Direction::Stamp && targets.size() > 1) {
    return fail(Error(ErrorCode::Usage, "'" + operands.front() + "' takes one target").advise("for example `heads`"));
  }
  TRY_ASSIGN(Start start, find_start(context));
  const RevisionGraph& graph = start.project.graph;
  TRY_ASSIGN(const Direction operation, named ? Result<Direction>(*named) : direction_to(start, targets.front()));
  TRY_ASSIGN(const Walk walk, make_walk(graph, operation, start.current_heads, targets));
  TRY_ASSIGN(const auto half, print_half_applied(context, start, walk));
  const bool markdown = context.arguments().has("--markdown");
  const bool listed = context.arguments().has("--show-sql");
  if (markdown || listed || context.arguments().has("--lint")) {
    TRY_ASSIGN(const Plan plan, make_plan(graph, *start.project.source, operation, start.current_heads, targets));
    TRY(verify_applied(context, start, &plan));
    if (listed || markdown) {
      report_plan(context, plan, half ? &*half : nullptr, !markdown);
    } else {
      report_walk(context, start, operation, walk);
    }
    TRY(print_findings(context, start, plan));
    if (plan.empty()) {
      // `plan to` has located the target already: a target behind the database would have become a downgrade.
      context.output().fields()["ahead"] = named && is_ahead(graph, operation, targets, start.current_heads);
    }
    return {};
  }
  TRY(verify_applied(context, start, nullptr));
  report_walk(context, start, operation, walk);
  return {};
}

Result<void> run_check(CommandContext& context) {
  TRY_ASSIGN(Situation situation, observe_situation(context));
  const RevisionGraph& graph = situation.project.graph;
  const std::vector<std::string>& current_heads = situation.observation.current_heads;
  TRY(refuse_squashed_middle(situation.project, current_heads));
  TRY(require_known_heads(situation.database.migrator(), graph, current_heads));
  TRY(refuse_overlapping_rows(graph, current_heads));
  TRY_ASSIGN(const Walk walk, make_walk(graph, Direction::Upgrade, current_heads, {"heads"}));
  const auto half = half_applied_revision(situation.project, situation.observation.unfinished);
  context.output().fields()["unfinished"] = half_applied_json(half, situation.observation.unfinished);
  if (half) {
    context.output().line("half-applied: " + half_applied_line(*half));
  }
  std::vector<std::string> pending;
  for (const WalkStep& step : walk.steps) {
    pending.push_back(*step.revision);
    const Revision& revision = *graph.find(*step.revision);
    context.output().line("pending: " + step_line(step, revision.down, revision.message));
  }
  context.output().fields()["pending"] = pending;
  if (half) {
    return fail(Error(ErrorCode::NotUpToDate, describe_half_applied(half->parts) + "; " + count_pending(pending.size()))
                    .advise(way_on(*half)));
  }
  TRY_ASSIGN(std::optional<Error> schema, check_schemas(context, situation));
  if (!pending.empty()) {
    return fail(Error(ErrorCode::NotUpToDate, count_pending(pending.size())).advise("run `athanor upgrade heads`"));
  }
  if (schema) {
    return fail(std::move(*schema));
  }
  context.output().set_message("no revision is pending");
  context.output().line("No revision is pending.");
  return {};
}

}  // namespace athanor::cli
