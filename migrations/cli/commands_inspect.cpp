// The verbs branches, current, heads, history and show: read the revisions, and the current heads of the database.
#include <algorithm>
#include <unordered_set>

#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/applied_listing.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_listing.hpp"
#include "migrations/graph/history.hpp"
#include "migrations/graph/target_position.hpp"

namespace athanor::cli {
namespace {

RevisionListing listing_of(CommandContext& context, const RevisionGraph& graph) {
  return RevisionListing(graph, context.output().style().color);
}

// Lists the revisions in `ids`, in the long form with -v, otherwise according to `options`. With --json: the field `revisions`.
void list_revisions(CommandContext& context, const RevisionGraph& graph, const RevisionListing& listing,
                    const std::vector<std::string>& ids, const LineOptions& options) {
  Json all = Json::array();
  for (const std::string& id : ids) {
    const Revision* revision = graph.find(id);
    if (revision == nullptr) {
      continue;
    }
    if (context.json()) {
      all.push_back(listing.json(*revision));
    } else {
      context.output().text(context.verbose() ? listing.entry(*revision) : listing.line(*revision, options) + "\n");
    }
  }
  if (context.json()) {
    context.output().fields()["revisions"] = std::move(all);
  }
}

std::string count_of(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

// Applied revisions with nothing applied above them: the current heads, and heads that are applied only because a current head
// depends on them.
Result<std::vector<std::string>> applied_tips(const RevisionGraph& graph, const std::vector<std::string>& current_heads) {
  TRY_ASSIGN(const auto applied, graph.applied(current_heads));
  const std::unordered_set<std::string> members(applied.begin(), applied.end());
  std::vector<std::string> tips;
  for (const std::string& id : applied) {
    const auto children = graph.children(id);
    if (std::ranges::none_of(children, [&](const std::string& child) { return members.contains(child); })) {
      tips.push_back(id);
    }
  }
  return tips;
}

// Marks the half-applied revision in the list, and prints which parts are done.
void print_half_applied(CommandContext& context, const Project& project, const std::optional<UnfinishedStep>& open,
                        RevisionListing& listing) {
  const auto half = half_applied_revision(project, open);
  context.output().fields()["unfinished"] = half_applied_json(half, open);
  if (half) {
    listing.mark_half_applied(half->parts.revision);
    context.output().line("half-applied: " + half_applied_line(*half));
  }
}

Result<void> require_every_head(const RevisionGraph& graph, const std::vector<std::string>& current_heads) {
  TRY_ASSIGN(const auto applied, graph.applied(current_heads));
  const std::unordered_set<std::string> members(applied.begin(), applied.end());
  std::vector<std::string> missing;
  for (std::string& head : graph.heads()) {
    if (!members.contains(head)) {
      missing.push_back(std::move(head));
    }
  }
  if (missing.empty()) {
    return {};
  }
  return fail(Error(ErrorCode::NotUpToDate, "the database is not at every head; not applied: " + join_revisions(missing))
                  .advise("run `athanor upgrade heads`"));
}

}  // namespace

Result<void> run_heads(CommandContext& context) {
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Project project, open_project(context, configuration));
  const auto heads =
      context.arguments().has("--resolve-dependencies") ? project.graph.effective_heads() : project.graph.heads();
  const RevisionListing listing = listing_of(context, project.graph);
  list_revisions(context, project.graph, listing, heads, {.labels = true, .forks = false});
  if (context.json()) {
    context.output().fields()["heads"] = heads;
  }
  context.output().set_message(count_of(heads.size(), "head"));
  return {};
}

Result<void> run_branches(CommandContext& context) {
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Project project, open_project(context, configuration));
  const RevisionGraph& graph = project.graph;
  const RevisionListing listing = listing_of(context, graph);
  const std::vector<std::string> points = branch_points(graph);
  Json all = Json::array();
  for (const std::string& id : full_history(graph)) {
    if (!is_branch_point(graph, id)) {
      continue;
    }
    const Revision& point = *graph.find(id);
    const auto children = graph.children(id);
    if (context.json()) {
      Json entry = listing.json(point);
      entry["children"] = children;
      all.push_back(std::move(entry));
      continue;
    }
    std::string text = context.verbose() ? listing.entry(point) : listing.line(point, {.labels = true});
    text += '\n';
    for (const std::string& child : children) {
      text += std::string(id.size(), ' ') + " -> ";
      text += listing.line(*graph.find(child), {.labels = true, .message = context.verbose()}) + "\n";
    }
    context.output().text(text + "\n");
  }
  if (context.json()) {
    context.output().fields()["revisions"] = std::move(all);
  }
  context.output().set_message(count_of(points.size(), "branch point"));
  return {};
}

Result<void> run_history(CommandContext& context) {
  if (context.arguments().has("--applied")) {
    if (context.arguments().has("--rev-range") || context.arguments().has("--indicate-current")) {
      return fail(Error(ErrorCode::Usage, "--applied cannot be combined with --rev-range or --indicate-current")
                      .advise("--applied lists everything that is applied and marks the current revisions"));
    }
    return list_applied(context);
  }
  const std::string range = context.arguments().value("--rev-range").value_or(":");
  const std::size_t colon = range.find(':');
  if (colon == std::string::npos || range.find(':', colon + 1) != std::string::npos) {
    return fail(Error(ErrorCode::Usage, "'" + range + "' is not a range").advise("write START:END, START: or :END"));
  }
  const std::string base = range.substr(0, colon);
  const std::string head = range.substr(colon + 1);
  const bool mark = context.arguments().has("--indicate-current");
  std::vector<std::string> current_heads;
  std::optional<UnfinishedStep> unfinished;
  std::optional<Project> project;
  if (mark || base == "current" || head == "current") {
    TRY_ASSIGN(Situation situation, observe_situation(context));
    TRY(require_known_heads(situation.database.migrator(), situation.project.graph, situation.observation.current_heads));
    current_heads = situation.observation.current_heads;
    unfinished = std::move(situation.observation.unfinished);
    project.emplace(std::move(situation.project));
  } else {
    TRY_ASSIGN(const Configuration configuration, load_settings(context));
    TRY_ASSIGN(project, open_project(context, configuration));
  }
  const RevisionGraph& graph = project->graph;
  const bool whole = base.empty() && head.empty();
  TRY_ASSIGN(const auto ids,
             whole ? Result<std::vector<std::string>>(full_history(graph)) : history_range(graph, base, head, current_heads));
  RevisionListing listing = listing_of(context, graph);
  if (mark) {
    listing.mark_current(current_heads);
    print_half_applied(context, *project, unfinished, listing);
  }
  list_revisions(context, graph, listing, ids, {.labels = true, .message = true, .parents = true});
  if (context.json()) {
    context.output().fields()["history"] = ids;
  }
  context.output().set_message(count_of(ids.size(), "revision"));
  return {};
}

Result<void> run_show(CommandContext& context) {
  const std::string& symbol = context.arguments().operands().front();
  if (context.arguments().has("--applied")) {
    return show_applied(context, symbol);
  }
  std::vector<std::string> current_heads;
  std::optional<Project> project;
  if (symbol == "current") {
    TRY_ASSIGN(Situation situation, observe_situation(context));
    TRY(require_known_heads(situation.database.migrator(), situation.project.graph, situation.observation.current_heads));
    current_heads = situation.observation.current_heads;
    project.emplace(std::move(situation.project));
  } else {
    TRY_ASSIGN(const Configuration configuration, load_settings(context));
    TRY_ASSIGN(project, open_project(context, configuration));
  }
  const RevisionGraph& graph = project->graph;
  TRY_ASSIGN(const auto ids, graph.resolve(symbol, current_heads));
  RevisionListing listing = listing_of(context, graph);
  listing.mark_current(current_heads);
  Json all = Json::array();
  for (const std::string& id : ids) {
    if (const Revision* revision = graph.find(id); revision != nullptr) {
      context.output().text(listing.entry(*revision));
      all.push_back(listing.json(*revision));
    }
  }
  context.output().set_message(count_of(all.size(), "revision"));
  context.output().fields()["revisions"] = std::move(all);
  return {};
}

Result<void> run_current(CommandContext& context) {
  TRY_ASSIGN(Situation situation, observe_situation(context));
  const RevisionGraph& graph = situation.project.graph;
  const std::vector<std::string>& current_heads = situation.observation.current_heads;
  TRY_ASSIGN(auto ahead, find_ahead(situation.database.migrator(), graph, current_heads));
  std::vector<std::string> without_file;
  if (ahead) {
    context.output().warn("the database is ahead of the files: " + describe(*ahead));
    without_file = ahead->heads;
    TRY_ASSIGN(situation.project, complete_from_ledger(std::move(situation.project), std::move(ahead->revisions)));
  }
  TRY(require_known_heads(graph, current_heads));
  TRY_ASSIGN(auto tips, applied_tips(graph, current_heads));
  for (const std::string& row : current_heads) {  // list every row, even if another one includes it
    if (std::ranges::count(tips, row) < std::ranges::count(current_heads, row)) {
      tips.push_back(row);
    }
  }
  if (const auto apart = refuse_overlapping_rows(graph, current_heads); !apart) {
    context.output().warn(apart.error().message + "; " + apart.error().hint);
  }
  if (context.verbose()) {
    context.output().line("Current revision(s) for " + situation.database.describe() + ":");
  }
  RevisionListing listing = listing_of(context, graph);
  listing.mark_ahead(without_file);
  list_revisions(context, graph, listing, tips, {});
  const auto half = half_applied_revision(situation.project, situation.observation.unfinished);
  context.output().fields()["unfinished"] = half_applied_json(half, situation.observation.unfinished);
  if (half) {
    context.output().line("half-applied: " + half_applied_line(*half));
    context.output().note(way_on(*half));
  }
  context.output().set_message(
      (current_heads.empty() ? "nothing is applied" : "the database is at " + join_revisions(current_heads)) +
      (half ? "; " + describe_half_applied(half->parts) : ""));
  if (context.arguments().has("--check-heads")) {
    if (half) {
      return fail(Error(ErrorCode::NotUpToDate, describe_half_applied(half->parts)).advise(way_on(*half)));
    }
    return require_every_head(graph, current_heads);
  }
  return {};
}

}  // namespace athanor::cli
