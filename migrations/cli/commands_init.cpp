// The verb init: creates a new project.
#include <sys/stat.h>

#include <filesystem>

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/new_file.hpp"

namespace athanor::cli {
namespace {

namespace fs = std::filesystem;

// Quotes text for YAML.
std::string yaml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

std::string configuration_text(const std::string& versions) {
  return "# Athanor's configuration; see `athanor help`. Everything here has a default and may be left out.\n"
         "\n"
         "# The database. DATABASE_URL in the environment wins; keep passwords there and not in this file.\n"
         "# database_url: postgresql://app@localhost:5432/app\n"
         "\n"
         "# Folders of revision files, relative to this file.\n"
         "version_locations:\n"
         "  - " +
         yaml_text(versions) +
         "\n"
         "# recursive_version_locations: false\n"
         "\n"
         "# Names of new revision files: rev, slug, epoch, year, month, day, hour, minute, second. A / makes folders.\n"
         "# file_template: \"%(year)d_%(month).2d_%(day).2d_%(hour).2d%(minute).2d-%(rev)s_%(slug)s\"\n"
         "# truncate_slug_length: 40\n"
         "# timezone: UTC\n"
         "\n"
         "# The version table is Alembic's own; both tools can work on the same database.\n"
         "# version_table: alembic_version\n"
         "# version_table_schema: public\n"
         "\n"
         "# How a run behaves on the server.\n"
         "# execution:\n"
         "#   lock_timeout: 2s\n"
         "#   lock_retry_budget: 10m\n"
         "#   lock_wait: 10m\n"
         "#   role: owner_of_the_schema\n";
}

constexpr std::string_view kReadme =
    "Revisions of the database schema, one SQL file each, in `versions/`.\n"
    "\n"
    "    athanor revision -m \"Add email to users\"   # a new one\n"
    "    athanor plan upgrade head                  # what would be done\n"
    "    athanor upgrade head                       # do it\n";

Result<void> require_empty(const std::string& folder) {
  std::error_code problem;
  if (!fs::exists(folder, problem)) {
    return {};
  }
  if (!fs::is_directory(folder, problem)) {
    return fail(Error(ErrorCode::Io, "is not a folder").at(folder));
  }
  if (!fs::is_empty(folder, problem) || problem) {
    return fail(Error(ErrorCode::Io, "the folder is not empty")
                    .at(folder)
                    .advise("name a folder that is new or empty: athanor init DIR"));
  }
  return {};
}

}  // namespace

Result<void> run_init(CommandContext& context) {
  const std::string kind = context.arguments().value("--template").value_or("generic");
  if (kind != "generic") {
    return fail(Error(ErrorCode::Usage, "unknown template '" + kind + "'").advise("`generic` is the only one"));
  }
  const auto& operands = context.arguments().operands();
  const std::string folder = fs::path(operands.empty() ? "migrations" : operands.front()).lexically_normal().string();
  TRY(require_empty(folder));
  const fs::path versions = fs::path(folder) / "versions";
  std::error_code problem;
  fs::create_directories(versions, problem);
  if (problem) {
    return fail(Error(ErrorCode::Io, "cannot create the folder: " + problem.message()).at(versions.string()));
  }
  const std::string file = context.arguments().value("--config").value_or("athanor.yaml");
  const fs::path base = fs::path(file).has_parent_path() ? fs::path(file).parent_path() : fs::path(".");
  fs::path shown = versions.is_absolute() ? versions : versions.lexically_proximate(base);
  Json created = Json::array({versions.string()});
  if (fs::exists(file)) {
    context.output().note(file + " already exists and is left unchanged; add " + shown.string() + " to its version_locations.");
  } else {
    TRY(write_new_file(file, configuration_text(shown.string())));
    created.push_back(file);
  }
  const std::string readme = (fs::path(folder) / "README.md").string();
  TRY(write_new_file(readme, kReadme));
  created.push_back(readme);
  for (const auto& path : created) {
    context.output().line("created " + path.get<std::string>());
  }
  context.output().fields()["created"] = std::move(created);
  context.output().set_message("project started in " + folder);
  context.output().note("Next: set DATABASE_URL, then `athanor revision -m \"…\"`.");
  return {};
}

}  // namespace athanor::cli
