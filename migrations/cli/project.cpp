#include "migrations/cli/project.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <future>

#include "migrations/cli/database_variables.hpp"
#include "migrations/cli/recorded_drift.hpp"
#include "migrations/config/setting_override.hpp"
#include "migrations/drift/run_record.hpp"
#include "migrations/graph/target_position.hpp"
#include "migrations/text/letter_case.hpp"

namespace athanor::cli {
namespace {

constexpr const char* kDefaultFile = "athanor.yaml";

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// --migrations accepts the folder of revision files, or its parent folder that `init` created.
std::string revision_folder(const std::string& given) {
  std::string nested = given + (given.ends_with('/') ? "versions" : "/versions");
  return is_folder(nested) ? nested : given;
}

constexpr std::string_view kFirstStep =
    "run `athanor init` to start a project here, change to the folder of athanor.yaml, or give the folder of revision files "
    "with --migrations";

// Checked before connecting: without a project, an error about the database would mislead a new user.
Result<void> require_project(const Configuration& configuration) {
  if (!configuration.file.empty() || std::ranges::any_of(configuration.version_locations, is_folder)) {
    return {};
  }
  return fail(Error(ErrorCode::Io, std::string("there is no project here: neither ") + kDefaultFile + " nor the folder " +
                                       configuration.version_locations.front())
                  .advise(std::string(kFirstStep)));
}

std::string missing_url_hint(const Configuration& configuration) {
  const std::string file = configuration.file.empty() ? std::string(kDefaultFile) : configuration.file;
  return "set DATABASE_URL in the environment, or database_url in " + file + " (postgresql://user:password@host:5432/database)";
}

}  // namespace

Result<Configuration> load_settings(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  TRY(refuse_empty_filters(arguments));
  const auto& variable = context.outside().variable;
  std::optional<std::string> path = arguments.value("--config");
  if (!path) {
    path = variable("ATHANOR_CONFIG");
  }
  const bool required = path.has_value() && !path->empty();
  TRY_ASSIGN(Configuration configuration,
             load_configuration(required ? *path : kDefaultFile, required, arguments.value("--name").value_or("")));
  for (const std::string& assignment : arguments.values("--set")) {
    TRY(override_setting(configuration, assignment));
  }
  if (const auto folders = arguments.values("--migrations"); !folders.empty()) {
    configuration.version_locations.clear();
    for (const std::string& folder : folders) {
      configuration.version_locations.push_back(revision_folder(folder));
    }
  }
  TRY_ASSIGN(std::string url, database_of_environment(variable));
  if (!url.empty()) {
    configuration.database_url = std::move(url);
  }
  for (const std::string& warning : configuration.warnings) {
    context.output().warn(warning);
  }
  return configuration;
}

namespace {

// Prints nothing, because it runs in another thread than the output.
Result<Project> read_project(const ProcessEnvironment& outside, const Configuration& configuration, Duplicates duplicates) {
  auto source = outside.open_source(configuration);
  auto revisions = source->list();
  if (!revisions) {
    Error error = std::move(revisions).error();
    if (error.code == ErrorCode::Io && configuration.file.empty()) {
      error.hint = std::string(kFirstStep);
    }
    return fail(std::move(error));
  }
  TRY_ASSIGN(RevisionGraph graph, RevisionGraph::build(std::move(*revisions), duplicates));
  return Project{std::move(source), std::move(graph)};
}

void print_warnings(CommandContext& context, const Project& project) {
  for (const std::string& warning : project.graph.warnings()) {
    context.output().warn(warning);
  }
}

}  // namespace

Result<Project> open_project(CommandContext& context, const Configuration& configuration, Duplicates duplicates) {
  TRY_ASSIGN(Project project, read_project(context.outside(), configuration, duplicates));
  print_warnings(context, project);
  return project;
}

Result<Database> Database::connect(CommandContext& context, const Configuration& configuration,
                                   std::unique_ptr<ProgressSink> sink) {
  context.output().forget_current();
  if (configuration.database_url.empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "no database is configured").advise(missing_url_hint(configuration)));
  }
  Database database;
  ExecutionSettings execution = configuration.execution;
  execution.show_values = context.arguments().has("--show-values");
  execution.show_notices = context.verbose();
  TRY_ASSIGN(database.factory_, context.outside().connect(configuration.database_url, execution));
  database.sink_ = sink ? std::move(sink) : std::make_unique<ProgressSink>();
  MigratorSettings settings = migrator_settings(configuration);
  settings.actor = context.outside().actor;
  settings.purges = context.arguments().has("--purge");
  database.migrator_ =
      std::make_unique<Migrator>(*database.factory_, *context.outside().clock, std::move(settings), *database.sink_);
  if (configuration.ledger_keeps_catalog) {
    database.migrator_->set_witness(recording_witness(drift_settings(context, configuration), *database.sink_));
  }
  return database;
}

namespace {

// Finds the revision that another tool wrote with different case or spaces: the exact row has no file, but the similar id helps
// the user.
std::string spelt_alike(const RevisionGraph& graph, std::string_view row) {
  const auto plain = [](std::string_view text) {
    std::string letters;
    for (const char c : text) {
      if (c != ' ') {
        letters += lower_ascii(c);
      }
    }
    return letters;
  };
  const auto found =
      std::ranges::find_if(graph.revisions(), [&](const Revision& revision) { return plain(revision.id) == plain(row); });
  return found == graph.revisions().end() ? std::string() : found->id;
}

}  // namespace

Result<void> require_known_heads(const RevisionGraph& graph, const std::vector<std::string>& current_heads) {
  const std::vector<std::string> unknown = unknown_heads(graph, current_heads);
  if (unknown.empty()) {
    return {};
  }
  if (const std::string alike = spelt_alike(graph, unknown.front()); !alike.empty()) {
    return fail(Error(ErrorCode::UnknownDatabaseRevision,
                      "the database is at revision '" + printable(unknown.front(), LineEnds::Escape) +
                          "', which has no revision file; the closest is '" + alike + "', which differs only in case or spaces")
                    .advise("if that is the same revision: athanor stamp --purge " + alike));
  }
  return fail(
      Error(ErrorCode::UnknownDatabaseRevision,
            "the database is at revision '" + printable(unknown.front(), LineEnds::Escape) + "', which has no revision file")
          .advise("check out the commit or branch that has it, or give the right folder (--migrations, version_locations); if "
                  "it no longer exists, set the actual revision with `athanor stamp --purge <revision>`"));
}

Result<Situation> observe_situation(CommandContext& context, std::unique_ptr<ProgressSink> sink) {
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  context.output().forget_current();
  TRY(require_project(configuration));
  TRY_ASSIGN(Database database, Database::connect(context, configuration, std::move(sink)));
  // Query the database on this thread immediately, because it takes longest, and read the files meanwhile. If no thread can be
  // created, get() reads them.
  auto reading = std::async(std::launch::async | std::launch::deferred,
                            [&] { return read_project(context.outside(), configuration, Duplicates::Refuse); });
  auto observed = database.migrator().observe();
  TRY_ASSIGN(Project project, reading.get());
  print_warnings(context, project);
  TRY_ASSIGN(Observation observation, std::move(observed));
  context.output().set_current(observation.current_heads);
  return Situation{std::move(configuration), std::move(project), std::move(database), std::move(observation)};
}

}  // namespace athanor::cli
