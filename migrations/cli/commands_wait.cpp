// The verb wait: blocks until the database has a revision, for programs that must not start earlier.
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/database_wait.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/secret_file.hpp"
#include "migrations/revision/revision_id.hpp"
#include "migrations/text/duration.hpp"

namespace athanor::cli {
namespace {

Result<milliseconds> duration_of(const Arguments& arguments, std::string_view flag, milliseconds unless_given,
                                 milliseconds least) {
  const auto text = arguments.value(flag);
  if (!text) {
    return unless_given;
  }
  const auto duration = parse_duration(*text);
  constexpr milliseconds kMost = std::chrono::hours(24);
  if (!duration || *duration < least || *duration > kMost) {
    return fail(Error(ErrorCode::Usage, std::string(flag) + " takes a duration from " + format_duration(least) +
                                            " to 24h, not '" + printable(*text, LineEnds::Escape) + "'"));
  }
  return *duration;
}

// Every user of a machine can see the arguments of its processes.
Result<void> refuse_password_in(const CommandContext& context, const std::string& url) {
  TRY_ASSIGN(const auto keywords, context.outside().connection_keywords(url));
  for (const auto& [keyword, value] : keywords) {
    if (keyword == "password" && !value.empty()) {
      return fail(Error(ErrorCode::Usage, "--url must not contain a password: other users can see the arguments of a process")
                      .advise("put the password into a file (--password-file), the URL into one (--url-file), or set "
                              "DATABASE_URL in the environment"));
    }
  }
  return {};
}

// The configuration, overridden by --url or --url-file.
Result<Configuration> wait_settings(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  const auto url = arguments.value("--url");
  const auto file = arguments.value("--url-file");
  if (url && file) {
    return fail(Error(ErrorCode::Usage, "--url and --url-file cannot be combined").advise("leave one of them out"));
  }
  if (url) {
    TRY(refuse_password_in(context, *url));
    configuration.database_url = *url;
  }
  if (file) {
    TRY_ASSIGN(configuration.database_url, read_secret_file(*file));
  }
  if (configuration.database_url.empty()) {
    return fail(
        Error(ErrorCode::MissingDatabaseUrl, "no database is configured")
            .advise("set DATABASE_URL in the environment, or give --url-file FILE, or --url URL with --password-file FILE"));
  }
  return configuration;
}

// A configuration that only describes the connection needs no files; a folder given by --migrations must exist.
bool has_files(const CommandContext& context, const Configuration& configuration) {
  const auto is_folder = [](const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  };
  return !context.arguments().values("--migrations").empty() ||
         (!configuration.file.empty() && std::ranges::any_of(configuration.version_locations, is_folder));
}

// Without files, only whole ids can be compared with the version table: a prefix could also match another revision.
Result<void> require_ids(const std::vector<std::string>& revisions) {
  for (const std::string& revision : revisions) {
    if (auto checked = check_revision_id(revision); !checked) {
      return fail(
          Error(ErrorCode::Usage, "--revision '" + printable(revision, LineEnds::Escape) +
                                      "' is not a full revision id, and without revision files nothing else can be resolved")
              .advise("give the full id, or the revision files: --migrations DIR"));
    }
  }
  return {};
}

Result<std::vector<std::string>> resolve_revisions(const std::vector<std::string>& symbols, const RevisionGraph& files) {
  std::vector<std::string> ids;
  for (const std::string& symbol : symbols) {
    TRY_ASSIGN(std::vector<std::string> meant, files.resolve(symbol));
    if (meant.empty()) {
      return fail(Error(ErrorCode::Usage, "--revision " + symbol + " is not a revision to wait for"));
    }
    std::ranges::move(meant, std::back_inserter(ids));
  }
  return ids;
}

// This program does not know Kubernetes (docs/architecture.md), so it hands over to the operator's program.
Result<void> wait_for_resource(const CommandContext& context, const std::string& resource, milliseconds timeout) {
  if (!context.arguments().values("--revision").empty() || context.json()) {
    return fail(Error(ErrorCode::Usage, "--resource cannot be combined with --revision or --json")
                    .advise("wait for a revision, which asks the database, or for a resource, which asks Kubernetes"));
  }
  if (!context.outside().become) {
    return fail(ErrorCode::Internal, "cannot start another program here");
  }
  return fail(
      context.outside().become({"athanor-operator", "--wait-for=" + resource, "--wait-timeout=" + format_duration(timeout)}));
}

}  // namespace

Result<void> run_wait(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  DatabaseWait wait;
  TRY_ASSIGN(wait.timeout, duration_of(arguments, "--timeout", wait.timeout, milliseconds(0)));
  if (const auto resource = arguments.value("--resource")) {
    return wait_for_resource(context, *resource, wait.timeout);
  }
  wait.revisions = arguments.list("--revision");
  if (wait.revisions.empty()) {
    return fail(Error(ErrorCode::Usage, "wait needs --revision REV (or --resource NAMESPACE/NAME)")
                    .advise("for example `athanor wait --revision 8c1f0a2b7d3e`"));
  }
  TRY_ASSIGN(wait.interval, duration_of(arguments, "--interval", wait.interval, milliseconds(100)));
  wait.password_file = arguments.value("--password-file").value_or("");
  TRY_ASSIGN(const Configuration configuration, wait_settings(context));
  TRY_ASSIGN(RevisionGraph files, RevisionGraph::build({}));
  if (has_files(context, configuration)) {
    TRY_ASSIGN(Project project, open_project(context, configuration));
    files = std::move(project.graph);
    TRY_ASSIGN(wait.revisions, resolve_revisions(wait.revisions, files));
  } else {
    TRY(require_ids(wait.revisions));
  }
  context.output().fields()["revisions"] = wait.revisions;
  context.output().forget_current();
  return wait_for_revisions(context, configuration, wait, files);
}

}  // namespace athanor::cli
