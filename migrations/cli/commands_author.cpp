// The verbs edit, merge and revision, which write revision files.
#include "migrations/base/process.hpp"
#include "migrations/cli/autogenerate.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/new_file.hpp"
#include "migrations/cli/post_write_hook.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "migrations/text/shell_words.hpp"

namespace athanor::cli {
namespace {

Result<void> write_draft(CommandContext& context, const Configuration& configuration, const RevisionDraft& draft) {
  TRY(write_new_file(draft.revision.path, draft.text));
  Output& output = context.output();
  output.fields()["revision"] = draft.revision.id;
  output.fields()["down_revision"] = draft.revision.down;
  output.fields()["depends_on"] = draft.revision.depends_on;
  output.fields()["labels"] = draft.revision.labels;
  output.fields()["path"] = draft.revision.path;
  output.set_message("wrote " + draft.revision.path);
  output.line(draft.revision.path);
  return run_hooks(configuration.post_write_hooks, draft.revision.path);
}

RevisionRequest request_of(const Arguments& arguments) {
  RevisionRequest request;
  request.message = arguments.value("--message").value_or("");
  request.splice = arguments.has("--splice");
  request.labels = arguments.list("--branch-label");
  request.version_path = arguments.value("--version-path").value_or("");
  request.id = arguments.value("--rev-id").value_or("");
  return request;
}

// $VISUAL, $EDITOR, or Debian's `editor`; the variable may contain options.
Result<std::vector<std::string>> editor_command(const ProcessEnvironment& outside) {
  for (const char* name : {"VISUAL", "EDITOR"}) {
    const auto value = outside.variable(name);
    if (!value || value->empty()) {
      continue;
    }
    auto words = split_words(*value);
    if (!words) {
      return fail(std::move(words.error()).at(name));
    }
    if (!words->empty()) {
      return words;
    }
  }
  return std::vector<std::string>{"editor"};
}

}  // namespace

Result<void> run_revision(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  RevisionRequest request = request_of(arguments);
  request.heads = arguments.list("--head");
  request.depends_on = arguments.list("--depends-on");
  if (arguments.has("--autogenerate")) {
    return autogenerate(context, std::move(request));
  }
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Project project, open_project(context, configuration));
  TRY_ASSIGN(const RevisionDraft draft,
             draft_revision(configuration, project.graph, request, context.outside().clock->wall_now()));
  return write_draft(context, configuration, draft);
}

Result<void> run_merge(CommandContext& context) {
  RevisionRequest request = request_of(context.arguments());
  request.heads = context.arguments().operands();
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Project project, open_project(context, configuration));
  std::vector<std::string> parents;
  for (const std::string& symbol : request.heads) {
    TRY_ASSIGN(const auto ids, project.graph.resolve(symbol));
    parents.insert(parents.end(), ids.begin(), ids.end());
  }
  if (parents.size() < 2) {
    return fail(Error(ErrorCode::InvalidTarget, "a merge needs at least two revisions; got " + join_revisions(parents))
                    .advise("name the heads to join: athanor merge <revision> <revision>"));
  }
  if (request.message.empty()) {
    request.message = merge_message(parents);
  }
  TRY_ASSIGN(const RevisionDraft draft,
             draft_revision(configuration, project.graph, request, context.outside().clock->wall_now()));
  return write_draft(context, configuration, draft);
}

Result<void> run_edit(CommandContext& context) {
  const std::string& symbol = context.arguments().operands().front();
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  std::vector<std::string> current_heads;
  if (symbol == "current") {
    TRY_ASSIGN(Database database, Database::connect(context, configuration));
    TRY_ASSIGN(const Observation observation, database.migrator().observe());
    current_heads = observation.current_heads;
    context.output().set_current(current_heads);
  }
  TRY_ASSIGN(const Project project, open_project(context, configuration));
  TRY_ASSIGN(const auto ids, project.graph.resolve(symbol, current_heads));
  if (ids.empty()) {
    return fail(
        Error(ErrorCode::UnknownRevision, "'" + symbol + "' does not match a revision file").advise("see `athanor history`"));
  }
  TRY_ASSIGN(std::vector<std::string> words, editor_command(context.outside()));
  ProcessCommand editor = foreground_command(std::move(words));
  editor.out_to_err = context.json();
  Json paths = Json::array();
  for (const std::string& id : ids) {
    const std::string& path = project.graph.find(id)->path;
    editor.arguments.push_back(path);
    paths.push_back(path);
  }
  TRY_ASSIGN(const ProcessEnd end, run_process(editor, {}, {}));
  if (end.exit_code != 0) {
    return fail(Error(ErrorCode::Io,
                      "the editor '" + editor.arguments.front() + "' ended with exit code " + std::to_string(end.exit_code))
                    .advise("set VISUAL or EDITOR to an editor that works"));
  }
  context.output().fields()["paths"] = std::move(paths);
  context.output().set_message("edited");
  return {};
}

}  // namespace athanor::cli
