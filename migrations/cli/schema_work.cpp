#include "migrations/cli/schema_work.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "migrations/backup/client_programs.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/rehearse/schema_copy.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/sql_names.hpp"
#include "migrations/schema/target_search_path.hpp"
#include "migrations/text/printable.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::cli {
namespace {

constexpr int kVersionsInOneMajor = 10'000;
constexpr std::string_view kNoSchemaSelected = "3F000";

schema::LoadSettings load_settings_of(const CommandContext& context, const Configuration& configuration) {
  const ProcessEnvironment& outside = context.outside();
  schema::LoadSettings settings;
  settings.inspect = configuration.schema.compare;
  settings.inspect.version_table = configuration.version_table;
  settings.inspect.ledger_schema = configuration.ledger_schema;
  // Scratch databases have the version table in another schema than the target, and neither is part of the schema.
  settings.inspect.version_table_schema.clear();
  settings.folder = configuration.directory.empty() ? "." : configuration.directory;
  settings.search_path = configuration.execution.search_path;
  settings.environment = outside.environment();
  settings.models.folder = settings.folder;
  settings.models.sys_path = configuration.schema.sys_path;
  if (settings.models.sys_path.empty()) {
    settings.models.sys_path = {settings.folder};
  }
  settings.models.environment = settings.environment;
  settings.python.flag = context.arguments().value("--python").value_or("");
  settings.python.configured = configuration.schema.python;
  settings.python.virtual_environment = outside.variable("VIRTUAL_ENV").value_or("");
  settings.python.folder = settings.folder;
  settings.python.path = outside.variable("PATH").value_or("");
  return settings;
}

}  // namespace

schema::ScratchSettings scratch_settings(const CommandContext& context, const Configuration& configuration,
                                         int server_version) {
  const SchemaConfiguration& from = configuration.schema;
  const ProcessEnvironment& outside = context.outside();
  schema::ScratchSettings settings;
  settings.url = from.scratch_url;
  if (from.scratch_on_target) {
    settings.target_url = configuration.database_url;
  }
  settings.embedded.search.folder = from.scratch_programs;
  settings.embedded.search.path = split_path(outside.variable("PATH").value_or(""));
  settings.embedded.search.environment = outside.environment();
  settings.embedded.major = server_version / kVersionsInOneMajor;
  settings.embedded.cache_folder = outside.cache_folder;
  settings.embedded.keep_warm = std::chrono::duration_cast<std::chrono::seconds>(from.scratch_keep);
  if (const auto folder = outside.variable("TMPDIR"); folder && folder->starts_with('/')) {
    settings.embedded.temporary_folder = *folder;
  }
  return settings;
}

Result<void> refuse_empty_filters(const Arguments& arguments) {
  for (const char* flag : {"--schema", "--exclude-schema", "--table", "--exclude-table"}) {
    const auto given = arguments.values(flag);
    if (std::ranges::find(given, "") != given.end()) {
      return fail(Error(ErrorCode::Usage, std::string(flag) + " has an empty pattern, which matches nothing")
                      .advise("give a name, or leave the flag out; if the pattern is a variable, it is not set"));
    }
  }
  return {};
}

Result<void> require_matches(Output& output, const schema::InspectOptions& filter, const schema::UnmatchedPatterns& unmatched) {
  const auto check = [&](const std::string& what, const std::string& where, const std::vector<std::string>& patterns,
                         const std::vector<std::string>& without) -> Result<void> {
    std::string names;
    for (const std::string& pattern : without) {
      names += (names.empty() ? "'" : ", '") + printable(pattern, LineEnds::Escape) + "'";
    }
    if (without.empty()) {
      return {};
    }
    if (without.size() == patterns.size()) {
      return fail(Error(ErrorCode::Configuration, "no " + what + " matches " + names + ": there is nothing to compare")
                      .advise("correct " + where));
    }
    output.warn("no " + what + " matches " + names);
    return {};
  };
  TRY(check("schema", "--schema, or compare.schemas of the configuration", filter.schemas, unmatched.schemas));
  return check("table or view", "--table, or compare.tables of the configuration", filter.tables, unmatched.tables);
}

void apply_filters(const Arguments& arguments, schema::InspectOptions& options) {
  for (const auto& [flag, names] :
       {std::pair("--schema", &options.schemas), std::pair("--exclude-schema", &options.exclude_schemas),
        std::pair("--table", &options.tables), std::pair("--exclude-table", &options.exclude_tables)}) {
    if (auto given = arguments.values(flag); !given.empty()) {
      *names = std::move(given);
    }
  }
  options.owners = options.owners || arguments.has("--owners");
  options.privileges = options.privileges || arguments.has("--privileges");
}

namespace {

schema::LoadSettings loader_settings(const CommandContext& context, const Configuration& configuration, SchemaWork::Read read) {
  schema::LoadSettings settings = load_settings_of(context, configuration);
  apply_filters(context.arguments(), settings.inspect);
  settings.inspect.privileges = settings.inspect.privileges || read == SchemaWork::Read::GrantsToo;
  return settings;
}

bool compares_privileges(const CommandContext& context, const Configuration& configuration) {
  return configuration.schema.compare.privileges || context.arguments().has("--privileges");
}

schema::Grants grants_of(const CommandContext& context, const Configuration& configuration, SchemaWork::Read read) {
  const bool compared = compares_privileges(context, configuration);
  return read == SchemaWork::Read::GrantsToo && !compared ? schema::Grants::Stay : schema::Grants::Desired;
}

// One target, as upgrade takes it.
std::vector<std::string> targets_of(const Project& project, std::vector<std::string> heads) {
  std::vector<std::string> all = project.graph.heads();
  std::ranges::sort(all);
  std::ranges::sort(heads);
  if (heads.size() > 1 && heads == all) {
    return {"heads"};
  }
  return heads.empty() ? std::vector<std::string>{"base"} : heads;
}

schema::LoadSettings guarded(schema::LoadSettings settings, ScratchGuard& guard) {
  settings.check = [&guard](std::span<const schema::SchemaStatement> statements) { return guard.check(statements); };
  return settings;
}

}  // namespace

Result<void> take_search_path(ReadSession& target, Configuration& configuration) {
  if (!configuration.execution.search_path.empty()) {
    return {};
  }
  TRY_ASSIGN(configuration.execution.search_path, schema::target_search_path(target));
  return {};
}

Result<int> read_target_settings(CommandContext& context, Configuration& configuration) {
  if (configuration.database_url.empty()) {
    return 0;
  }
  TRY_ASSIGN(const auto factory, context.outside().connect(configuration.database_url, configuration.execution));
  TRY_ASSIGN(const auto session, factory->open());
  TRY(take_search_path(*session, configuration));
  return session->server_version();
}

SchemaWork::SchemaWork(CommandContext& context, const Configuration& configuration, int server_version, Read read)
    : context_(context),
      configuration_(configuration),
      grants_(grants_of(context, configuration, read)),
      load_(loader_settings(context, configuration, read)),
      server_(scratch_settings(context, configuration, server_version), context.outside().connect, *context.outside().clock,
              context.outside().stop),
      cache_(context.outside().cache_folder, *context.outside().clock),
      guard_(context, configuration),
      loader_(server_, cache_, guarded(load_, guard_), context.outside().stop) {}

Result<void> SchemaWork::require_matches(std::initializer_list<const schema::Catalog*> compared) const {
  return cli::require_matches(context_.output(), filter(), unmatched_patterns(filter(), compared));
}

bool SchemaWork::compares_grants() const {
  return compares_privileges(context_, configuration_);
}

Result<schema::LoadedSchema> SchemaWork::desired() {
  TRY_ASSIGN(schema::LoadedSchema loaded, loader_.load(configuration_.schema.desired));
  for (const std::string& warning : loaded.warnings) {
    context_.output().warn(warning);
  }
  return loaded;
}

Result<schema::Catalog> SchemaWork::live() {
  return loader_.inspect_database(configuration_.database_url);
}

Result<std::string> SchemaWork::digest_of(const Project& project, const Walk& walk) const {
  Sha256 digest;
  digest.update("revisions on the schemas of search_path\n");
  for (const WalkStep& step : walk.steps) {
    TRY_ASSIGN(const std::string checksum, project.source->checksum(*project.graph.find(*step.revision)));
    digest.update(*step.revision + " " + checksum + "\n");
  }
  return digest.finish();
}

Result<schema::Catalog> SchemaWork::after(const Project& project, const std::vector<std::string>& heads,
                                          std::unique_ptr<schema::ScratchDatabase>* made) {
  Walk walk;
  if (!heads.empty()) {
    TRY_ASSIGN(walk, make_walk(project.graph, Direction::Upgrade, {}, targets_of(project, heads)));
  }
  // The schema depends only on the revisions' texts, so their checksums are the cache key, and a hit needs no server.
  TRY_ASSIGN(const std::string digest, digest_of(project, walk));
  TRY_ASSIGN(const std::string key, loader_.key_of(digest));
  if (auto kept = cache_.catalog(key)) {
    return std::move(*kept);
  }
  TRY_ASSIGN(auto database, migrated(project, heads));
  TRY_ASSIGN(schema::Catalog catalog, loader_.inspect_scratch(*database));
  cache_.keep(key, catalog);
  if (made != nullptr) {
    *made = std::move(database);
  }
  return catalog;
}

Result<std::unique_ptr<schema::ScratchDatabase>> SchemaWork::empty_database(const Plan& plan) {
  TRY_ASSIGN(auto database, server_.create());
  const auto names = schema::search_path_schemas(configuration_.execution.search_path);
  if (names.empty()) {
    return database;
  }
  std::set<std::string> created;
  for (const PlannedRevision& revision : plan.revisions) {
    for (const ScriptStep& step : revision.steps()) {
      for (const SqlStatement& statement : step.statements) {
        schema::collect_schemas(statement.sql, created);
      }
    }
  }
  TRY_ASSIGN(const auto session, database->open());
  for (const std::string& name : names) {
    if (!created.contains(name)) {
      TRY(session->execute_autocommit("CREATE SCHEMA IF NOT EXISTS " + quote_identifier(name)));
    }
  }
  return database;
}

Result<void> SchemaWork::prepare_roles(const Plan& plan) {
  TRY(guard_.check(plan));
  return athanor::prepare_roles(server_, plan);
}

Result<void> SchemaWork::run_plan(const schema::ScratchDatabase& database, const Plan& plan, std::string_view where) {
  TRY(guard_.check(plan));
  MigratorSettings settings = migrator_settings(configuration_);
  settings.actor = context_.outside().actor;
  settings.version_table_schema = "public";  // exists before any revision runs
  // The target's role may not exist on the scratch server.
  settings.execution.role.clear();
  settings.execution.max_replica_lag = milliseconds(0);
  TRY_ASSIGN(const auto factory, context_.outside().connect(database.url(), settings.execution));
  ProgressSink sink;
  Migrator migrator(*factory, *context_.outside().clock, settings, sink);
  const ExecutionReport report = migrator.execute(plan, context_.outside().stop);
  if (report.ok()) {
    return {};
  }
  Error error = *report.error;
  if (!report.failed_revision.empty()) {
    error.message = "revision " + report.failed_revision + " fails" + std::string(where) + ": " + error.message;
    for (const PlannedRevision& revision : plan.revisions) {
      if (revision.walk.revision == report.failed_revision && report.failed_line > 0) {
        error.context = revision.path + ":" + std::to_string(report.failed_line);
      }
    }
  }
  return fail(std::move(error));
}

Result<std::unique_ptr<schema::ScratchDatabase>> SchemaWork::migrated(const Project& project,
                                                                      const std::vector<std::string>& heads) {
  if (heads.empty()) {
    return empty_database({});
  }
  TRY_ASSIGN(const Plan plan, make_plan(project.graph, *project.source, Direction::Upgrade, {}, targets_of(project, heads)));
  TRY(prepare_roles(plan));
  TRY_ASSIGN(auto database, empty_database(plan));
  auto done = run_plan(*database, plan);
  if (!done && done.error().sqlstate == kNoSchemaSelected) {
    // An earlier revision presupposes a schema that a later one creates.
    TRY_ASSIGN(database, empty_database({}));
    done = run_plan(*database, plan);
  }
  if (!done) {
    return fail(std::move(done).error());
  }
  return database;
}

Result<std::unique_ptr<schema::ScratchDatabase>> SchemaWork::built(const schema::Catalog& catalog) {
  TRY_ASSIGN(const schema::ChangePlan plan, schema::plan_creation(catalog));
  std::vector<schema::SchemaStatement> statements;
  for (const schema::PlannedStep& step : plan.steps) {
    for (const schema::PlannedStatement& statement : step.statements) {
      statements.push_back({statement.sql, describe(statement.subject)});
    }
  }
  return loader_.filled(statements);
}

}  // namespace athanor::cli
