// The verb import: creates revision files from those of another tool.
#include <algorithm>
#include <memory>

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/equal_warnings.hpp"
#include "migrations/cli/import_check.hpp"
#include "migrations/import/alembic_import.hpp"
#include "migrations/import/alembic_project.hpp"

namespace athanor::cli {
namespace {

std::string count_of(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

Json loss_json(const ImportLoss& loss) {
  Json json = {{"revision", loss.revision},
               {"direction", direction_name(loss.direction)},
               {"file", shown_path(loss.file)},
               {"line", nullptr},
               {"type", loss.type},
               {"reason", loss.reason}};
  if (loss.line > 0) {
    json["line"] = loss.line;
  }
  return json;
}

std::string loss_line(const ImportLoss& loss) {
  return loss.place() + ": " + loss.revision + " " + std::string(direction_name(loss.direction)) + "(): " + loss.type +
         (loss.reason.empty() ? "" : ": " + loss.reason);
}

void report_losses(Output& output, std::string_view field, std::string_view title, const std::vector<ImportLoss>& losses) {
  Json list = Json::array();
  if (!losses.empty()) {
    output.line(title);
  }
  for (const ImportLoss& loss : losses) {
    list.push_back(loss_json(loss));
    output.line("  " + loss_line(loss));
  }
  output.fields()[std::string(field)] = std::move(list);
}

// The SQL of "<script folder>/versions" goes beside it, into "versions_sql".
std::string output_folder(const Arguments& arguments, const RenderedProject& project) {
  if (const auto given = arguments.value("--output")) {
    return *given;
  }
  const std::string versions =
      project.version_locations.empty() ? project.script_folder + "/versions" : project.version_locations.front();
  return shown_path(versions + "_sql");
}

std::size_t report_files(Output& output, const Import& import) {
  Json written = Json::array();
  Json present = Json::array();
  for (const ImportFile& file : import.files) {
    Json entry = {{"revision", file.revision}, {"source", shown_path(file.source)}, {"file", shown_path(file.path)}};
    (file.present ? present : written).push_back(std::move(entry));
  }
  const std::size_t count = written.size();
  output.fields()["written"] = std::move(written);
  output.fields()["already_there"] = std::move(present);
  return count;
}

Error refusal(const Import& import) {
  return Error(ErrorCode::NotRenderable, count_of(import.refused.size(), "revision") + " of " +
                                             std::to_string(import.refused.size() + import.files.size()) +
                                             " cannot be rendered to SQL; nothing was written")
      .advise(
          "record the SQL they send with --against URL (an empty database), change their upgrade() so that it does not query "
          "the database, or write these by hand and the others with --partial");
}

Result<void> report_check(Output& output, ImportCheck& check, const std::string& folder, const RenderedProject& project) {
  constexpr std::size_t kShown = 40;
  TRY_ASSIGN(const ImportDifferences found, check.compare(folder, project));
  output.fields()["differences"] = found.lines;
  output.fields()["differences_of_the_moment"] = found.allowed;
  for (const std::string& values : found.allowed) {
    output.warn(values + " differ because they are random ids or times");
  }
  if (found.lines.empty()) {
    output.line("checked: Alembic and Athanor create the same database from an empty one");
    return {};
  }
  output.line("Differences between the database that Alembic created and the one that Athanor created:");
  for (std::size_t index = 0; index < std::min(kShown, found.lines.size()); ++index) {
    output.line("  " + found.lines[index]);
  }
  if (found.lines.size() > kShown) {
    output.line("  and " + std::to_string(found.lines.size() - kShown) + " more");
  }
  return fail(Error(ErrorCode::NotRenderable, "the imported revisions create a different database than Alembic does: " +
                                                  count_of(found.lines.size(), "difference"))
                  .advise("the files were written; fix them by hand, and compare again"));
}

Result<void> check_options(const Arguments& arguments) {
  if (arguments.has("--check") && !arguments.value("--against")) {
    return fail(Error(ErrorCode::Usage, "--check needs --against URL, an empty database").advise("createdb scratch"));
  }
  if (arguments.has("--check") && arguments.has("--partial")) {
    return fail(Error(ErrorCode::Usage, "--check needs every revision; --partial leaves some out"));
  }
  const std::string version = arguments.value("--server-version").value_or("15");
  if (version.find_first_not_of("0123456789.") != std::string::npos || version.empty() || version.front() == '.') {
    return fail(Error(ErrorCode::Usage, "--server-version takes a version of PostgreSQL such as 15, not '" + version + "'"));
  }
  return {};
}

Result<void> import_alembic(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  Output& output = context.output();
  TRY(check_options(arguments));
  AlembicOptions options;
  options.folder = arguments.operands()[1];
  options.config = arguments.value("--alembic-config").value_or("");
  options.section = arguments.value("--alembic-name").value_or("alembic");
  options.python = arguments.value("--python").value_or("");
  options.x_arguments = arguments.values("--alembic-x");
  options.flask = arguments.value("--flask").value_or("");
  options.server_version = arguments.value("--server-version").value_or("");
  options.against = arguments.value("--against").value_or("");
  TRY_ASSIGN(const AlembicProject project, locate_alembic_project(options, context.outside().variable));
  std::unique_ptr<ImportCheck> check;
  if (arguments.has("--check")) {
    TRY_ASSIGN(check, ImportCheck::begin(context, options.against));
  }
  auto rendered = render_alembic_project(project);
  if (!rendered) {
    return fail(context.outside().stop.requested()
                    ? Error(ErrorCode::Interrupted, "stopped while Python was rendering; nothing was written")
                    : std::move(rendered).error());
  }
  const std::string folder = output_folder(arguments, *rendered);
  TRY_ASSIGN(const Import import, prepare_import(*rendered, folder));

  output.fields()["alembic"] = rendered->alembic_version;
  output.fields()["output"] = folder;
  report_losses(output, "not_rendered", "Cannot be rendered to SQL:", import.refused);
  report_losses(output, "irreversible", "Irreversible, because the downgrade cannot be rendered:", import.irreversible);
  if (!import.refused.empty() && !arguments.has("--partial")) {
    for (const std::string& warning : rendered->warnings) {
      output.warn(warning);
    }
    return fail(refusal(import));
  }
  TRY(write_import(import, *rendered, folder));
  for (const std::string& warning : folded_warnings(import.warnings)) {
    output.warn(warning);
  }
  const std::size_t written = report_files(output, import);
  std::string message = "imported " + count_of(written, "revision") + " into " + folder;
  if (written < import.files.size()) {
    message += ", " + std::to_string(import.files.size() - written) + " already existed";
  }
  if (!import.refused.empty()) {
    message += "; " + count_of(import.refused.size(), "revision") + " left to write by hand";
  }
  output.line(message);
  output.set_message(std::move(message));
  return check ? report_check(output, *check, folder, *rendered) : Result<void>();
}

}  // namespace

Result<void> run_import(CommandContext& context) {
  const std::string& tool = context.arguments().operands().front();
  if (tool != "alembic") {
    return fail(
        Error(ErrorCode::Usage, "there is nothing to import from '" + tool + "'").advise("write `athanor import alembic DIR`"));
  }
  return import_alembic(context);
}

}  // namespace athanor::cli
