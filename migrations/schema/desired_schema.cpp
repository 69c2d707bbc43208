#include "migrations/schema/desired_schema.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "migrations/base/process.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/schema/facts_version.hpp"
#include "migrations/schema/load_statements.hpp"
#include "migrations/schema/sql_names.hpp"
#include "migrations/text/database_url.hpp"
#include "migrations/text/foreign_message.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/shell_words.hpp"

namespace athanor::schema {
namespace {

constexpr int kVersionsInOneMajor = 10'000;
constexpr milliseconds kLongestCommand = std::chrono::hours(1);

// Whether it contains nothing but what every new database has.
bool is_empty(const Catalog& catalog) {
  return std::ranges::all_of(catalog.facts(), [](const Fact& fact) {
    const Kind kind = fact.id.subject == Kind::None ? fact.id.kind : fact.id.subject;
    return kind == Kind::Schema || kind == Kind::Extension;
  });
}

// The last line that a program printed: the error itself, after any traceback.
std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  const std::size_t begin = text.rfind('\n');
  return fit_for_message(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

// "CREATE TABLE shop.orders": enough to find the model.
std::string first_line(std::string_view sql) {
  constexpr std::size_t kShown = 80;
  sql = sql.substr(sql.find_first_not_of(" \n\r\t") == std::string_view::npos ? 0 : sql.find_first_not_of(" \n\r\t"));
  std::string shown = sanitise_sql(sql, kShown);
  if (const std::size_t open = shown.find(" ("); sql.starts_with("CREATE TABLE") && open != std::string::npos) {
    shown.erase(open);
  }
  return shown;
}

}  // namespace

Result<LoadedSchema> SchemaLoader::load(const SchemaSource& source) {
  switch (source.kind) {
    case SchemaSource::Kind::Files: {
      TRY_ASSIGN(SchemaText text, read_schema_files(source.files));
      return load_text(std::move(text));
    }
    case SchemaSource::Kind::Models:
      return load_models(source.models);
    case SchemaSource::Kind::Command:
      return load_command(source.command);
    case SchemaSource::Kind::Database: {
      TRY_ASSIGN(Catalog catalog, inspect_database(source.url));
      return LoadedSchema{std::move(catalog)};
    }
    case SchemaSource::Kind::None:
      break;
  }
  return fail(Error(ErrorCode::Configuration, "no desired schema is configured")
                  .advise("set it in athanor.yaml: desired_schema: db/schema.sql, or models: shop.models:SQLModel.metadata"));
}

Result<Catalog> SchemaLoader::inspect_database(const std::string& url) {
  ExecutionSettings settings;
  settings.answer_timeout = milliseconds(120'000);
  settings.application_name = "athanor inspect";
  TRY_ASSIGN(const auto factory, server_.connect()(url, settings));
  TRY_ASSIGN(const auto session, factory->open());
  return inspect(*session, settings_.inspect);
}

Result<Catalog> SchemaLoader::inspect_scratch(const ScratchDatabase& database) const {
  TRY_ASSIGN(const auto session, database.open());
  return inspect(*session, settings_.inspect);
}

Result<std::string> SchemaLoader::key_of(std::string_view digest) {
  int major = server_.expected_major();
  if (major == 0) {
    TRY_ASSIGN(const int version, server_.server_version());
    major = version / kVersionsInOneMajor;
  }
  const InspectOptions& filter = settings_.inspect;
  Sha256 key;
  const auto add = [&key](std::string_view part) { key.update(std::to_string(part.size()) + ":" + std::string(part)); };
  for (const auto* names : {&filter.schemas, &filter.exclude_schemas, &filter.tables, &filter.exclude_tables}) {
    add(std::to_string(names->size()));
    std::ranges::for_each(*names, add);
  }
  for (const bool wanted :
       {filter.owners, filter.privileges, filter.default_privileges, filter.publications, filter.subscriptions}) {
    add(wanted ? "1" : "0");
  }
  for (const std::string& part :
       {std::to_string(kFactsVersion), std::string(digest), std::to_string(major), filter.version_table,
        filter.version_table_schema, filter.ledger_schema, settings_.search_path}) {
    add(part);
  }
  return key.finish();
}

Result<std::unique_ptr<ScratchDatabase>> SchemaLoader::filled(std::span<const SchemaStatement> statements,
                                                              std::vector<std::string>* warnings) {
  if (settings_.check) {
    TRY(settings_.check(statements));
  }
  NamedRoles roles;
  std::set<std::string> created;
  for (const SchemaStatement& statement : statements) {
    collect_roles(statement.sql, roles);
    collect_schemas(statement.sql, created);
  }
  // GRANT, OWNER TO and policies fail if a role is missing.
  TRY(server_.provide_roles(roles.named));
  TRY_ASSIGN(auto database, server_.create());
  TRY_ASSIGN(const auto session, database->open(settings_.search_path));
  for (const std::string& name : search_path_schemas(settings_.search_path)) {
    if (!created.contains(name)) {
      TRY(session->execute_autocommit("CREATE SCHEMA IF NOT EXISTS " + quote_identifier(name)));
    }
  }
  TRY(load_statements(*session, statements));
  if (warnings != nullptr) {
    TRY_ASSIGN(*warnings, recheck_bodies(*session));
  }
  return database;
}

Result<LoadedSchema> SchemaLoader::load_text(SchemaText text) {
  TRY_ASSIGN(const std::string key, key_of(text.digest));
  LoadedSchema loaded;
  loaded.renames = std::move(text.renames);
  if (auto kept = cache_.catalog(key)) {
    loaded.catalog = std::move(*kept);
    loaded.cached = true;
    return loaded;
  }
  TRY_ASSIGN(const auto database, filled(text.statements, &loaded.warnings));
  TRY_ASSIGN(loaded.catalog, inspect_scratch(*database));
  if (loaded.warnings.empty()) {  // a cached schema could not repeat its warnings
    cache_.keep(key, loaded.catalog);
  }
  return loaded;
}

Result<ModelSchema> SchemaLoader::model_schema(const std::vector<std::string>& targets) {
  ModelSettings settings = settings_.models;
  settings.targets = targets;
  settings.server_major = server_.expected_major();
  TRY_ASSIGN(settings.python, find_python(settings_.python));
  Sha256 digest;
  // The cached SQL is keyed by how it was produced. unchanged_model_schema() then checks the files that it was produced from.
  digest.update("models " + settings.python + "\n" + settings.folder + "\n" + std::to_string(settings.server_major));
  for (const auto* names : {&settings.targets, &settings.sys_path}) {
    for (const std::string& name : *names) {
      digest.update("\n" + name);
    }
    digest.update("\n\n");
  }
  const std::string key = digest.finish();
  if (const auto kept = cache_.text(key)) {
    if (auto schema = unchanged_model_schema(*kept, settings.environment)) {
      return std::move(*schema);
    }
  }
  TRY_ASSIGN(ModelSchema schema, read_models(settings, stop_));
  cache_.keep_text(key, keep_model_schema(schema));
  return schema;
}

Result<LoadedSchema> SchemaLoader::load_models(const std::vector<std::string>& targets) {
  TRY_ASSIGN(const ModelSchema models, model_schema(targets));
  SchemaText text;
  Sha256 digest;
  for (std::size_t index = 0; index < models.statements.size(); ++index) {
    const std::string& sql = models.statements[index];
    digest.update(std::to_string(sql.size()) + ":" + sql);
    text.texts.push_back(std::make_shared<const std::string>(sql));
    text.statements.push_back({*text.texts.back(), "statement " + std::to_string(index + 1) + " of the models (" +
                                                       first_line(*text.texts.back()) + ')'});
  }
  text.digest = digest.finish();
  TRY_ASSIGN(LoadedSchema loaded, load_text(std::move(text)));
  loaded.from_models = true;
  return loaded;
}

Result<LoadedSchema> SchemaLoader::load_command(const std::string& line) {
  TRY_ASSIGN(std::vector<std::string> words, split_words(line));
  if (words.empty()) {
    return fail(ErrorCode::Configuration, "desired_schema.command is empty");
  }
  TRY_ASSIGN(const auto database, filled({}));
  ProcessCommand command;
  command.arguments = std::move(words);
  command.environment = settings_.environment;
  command.folder = settings_.folder;
  command.own_group = false;  // Ctrl-C stops it together with this process
  command.cannot_start = ErrorCode::DesiredSchemaFailed;
  command.timeout = kLongestCommand;
  // A command that reads DATABASE_URL must not reach the real database.
  std::erase_if(command.environment, [](const std::string& variable) { return variable.starts_with("DATABASE_URL="); });
  command.environment.push_back("ATHANOR_SCRATCH_URL=" + database->url());
  command.environment.push_back("DATABASE_URL=" + database->url());
  TRY_ASSIGN(const ProcessEnd end, run_process(command, {}, stop_));
  if (end.timed_out) {
    return fail(
        Error(ErrorCode::DesiredSchemaFailed, "`" + line + "` did not end within an hour").at("desired_schema.command"));
  }
  if (end.exit_code != 0) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "`" + line + "` ended with exit code " + std::to_string(end.exit_code) +
                                                          (end.err.empty() ? "" : ": " + last_line(end.err)))
                    .at("desired_schema.command")
                    .advise("it must fill the empty database given by ATHANOR_SCRATCH_URL"));
  }
  LoadedSchema loaded;
  TRY_ASSIGN(loaded.catalog, inspect_scratch(*database));
  if (is_empty(loaded.catalog)) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "`" + line + "` succeeded but left the scratch database empty")
                    .at("desired_schema.command")
                    .advise("it must connect to ATHANOR_SCRATCH_URL"));
  }
  return loaded;
}

}  // namespace athanor::schema
