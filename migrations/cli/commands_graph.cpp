// The verb graph: summarises and draws the revision graph.
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/graph_drawing.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/graph/history.hpp"

namespace athanor::cli {
namespace {

Result<void> fill_summaries(Json& fields, const RevisionGraph& graph) {
  fields["heads"] = graph.heads();
  fields["effective_heads"] = graph.effective_heads();
  fields["bases"] = graph.bases();
  fields["branch_points"] = branch_points(graph);
  fields["merge_points"] = merge_points(graph);
  // push_back, because operator[] of an ordered JSON object searches linearly.
  Json labels = Json::object();
  auto& entries = labels.get_ref<Json::object_t&>();
  for (const auto& [id, names] : inherited_labels(graph)) {
    entries.emplace_back(id, names);
  }
  fields["labels"] = std::move(labels);
  TRY_ASSIGN(fields["history"], history_range(graph, "", ""));
  return {};
}

void print_row(Output& output, std::string_view name, const std::vector<std::string>& ids) {
  std::string line(name);
  line.resize(17, ' ');
  for (const std::string& id : ids) {
    line += " " + id;
  }
  output.line(ids.empty() ? line + " none" : line);
}

}  // namespace

Result<void> run_graph(CommandContext& context) {
  const bool dot = context.arguments().has("--dot");
  const bool svg = context.arguments().has("--svg");
  if (dot && svg) {
    return fail(Error(ErrorCode::Usage, "--dot and --svg cannot be combined").advise("run the command twice"));
  }
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Project project, open_project(context, configuration, Duplicates::KeepLast));
  const RevisionGraph& graph = project.graph;
  Output& output = context.output();
  output.set_message(std::to_string(graph.size()) + (graph.size() == 1 ? " revision" : " revisions"));
  if (context.json()) {
    TRY(fill_summaries(output.fields(), graph));
  }
  if (dot || svg) {
    const std::string drawing = svg ? draw_svg(graph) : draw_dot(graph);
    if (context.json()) {
      output.fields()[svg ? "svg" : "dot"] = drawing;
    }
    output.text(drawing);
    return {};
  }
  output.line("revisions         " + std::to_string(graph.size()));
  print_row(output, "heads", graph.heads());
  print_row(output, "effective heads", graph.effective_heads());
  print_row(output, "bases", graph.bases());
  print_row(output, "branch points", branch_points(graph));
  print_row(output, "merge points", merge_points(graph));
  return {};
}

}  // namespace athanor::cli
