#include "migrations/schema/desired_schema.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "migrations/base/process.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/schema/load_statements.hpp"
#include "migrations/text/database_url.hpp"
#include "migrations/text/foreign_message.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/shell_words.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor::schema {
namespace {

// Changes whenever the extraction gives other facts of the same database.
constexpr std::string_view kCacheFormat = "1";
constexpr int kVersionsInOneMajor = 10'000;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

bool names_models(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return false;
  }
  const auto plain = [](std::string_view part) { return std::ranges::all_of(part, is_name_character); };
  return plain(text.substr(0, colon)) && plain(text.substr(colon + 1));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

// Schemas of a search_path, which must be there before anything can go into them.
std::vector<std::string> schemas_of(std::string_view search_path) {
  std::vector<std::string> names;
  SqlLexer lexer(search_path);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next_code()) {
    if (token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier) {
      std::string name = identifier_name(lexer.text(token));
      if (name != "$user" && name != "public" && !name.starts_with("pg_")) {
        names.push_back(std::move(name));
      }
    }
  }
  return names;
}

}  // namespace

std::string SchemaSource::describe() const {
  switch (kind) {
    case Kind::Files:
      return joined(files);
    case Kind::Models:
      return "the models of " + joined(models);
    case Kind::Command:
      return "what `" + command + "` makes";
    case Kind::Database:
      return "the database that desired_schema names";
    case Kind::None:
      break;
  }
  return "nothing";
}

SchemaSource source_of_text(std::string_view text) {
  SchemaSource source;
  if (text.empty()) {
    return source;
  }
  if (text.starts_with("postgres") && text.find("://") != std::string_view::npos) {
    source.kind = SchemaSource::Kind::Database;
    source.url = text;
  } else if (names_models(text)) {
    source.kind = SchemaSource::Kind::Models;
    source.models = {std::string(text)};
  } else {
    source.kind = SchemaSource::Kind::Files;
    source.files = {std::string(text)};
  }
  return source;
}

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
                  .advise("say in athanor.yaml what the schema is to be: desired_schema: db/schema.sql, or models: "
                          "shop.models:SQLModel.metadata"));
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
  for (const std::string& part : {std::string(kCacheFormat), std::string(digest), std::to_string(major), filter.version_table,
                                  filter.version_table_schema, settings_.search_path}) {
    add(part);
  }
  return key.finish();
}

Result<std::unique_ptr<ScratchDatabase>> SchemaLoader::filled(std::span<const SchemaStatement> statements,
                                                              std::vector<std::string>* warnings) {
  NamedRoles roles;
  for (const SchemaStatement& statement : statements) {
    collect_roles(statement.sql, roles);
  }
  TRY(server_.provide_roles(roles.named));
  TRY_ASSIGN(auto database, server_.create());
  TRY_ASSIGN(const auto session, database->open(settings_.search_path));
  for (const std::string& name : schemas_of(settings_.search_path)) {
    TRY(session->execute_autocommit("CREATE SCHEMA IF NOT EXISTS " + quote_identifier(name)));
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
  if (loaded.warnings.empty()) {  // whoever is to be warned is warned each time
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
    text.statements.push_back({*text.texts.back(), "statement " + std::to_string(index + 1) + " of the models"});
  }
  text.digest = digest.finish();
  return load_text(std::move(text));
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
  command.own_group = false;  // Ctrl-C ends it together with us
  command.cannot_start = ErrorCode::DesiredSchemaFailed;
  // DATABASE_URL would lead a careless command to the real database.
  std::erase_if(command.environment, [](const std::string& variable) { return variable.starts_with("DATABASE_URL="); });
  command.environment.push_back("ATHANOR_SCRATCH_URL=" + database->url());
  command.environment.push_back("DATABASE_URL=" + database->url());
  TRY_ASSIGN(const ProcessEnd end, run_process(command, {}, stop_));
  if (end.exit_code != 0) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "`" + line + "` ended with exit code " + std::to_string(end.exit_code) +
                                                          (end.err.empty() ? "" : ": " + fit_for_message(end.err)))
                    .at("desired_schema.command")
                    .advise("it must fill the empty database that ATHANOR_SCRATCH_URL names"));
  }
  LoadedSchema loaded;
  TRY_ASSIGN(loaded.catalog, inspect_scratch(*database));
  if (loaded.catalog.facts().empty()) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "`" + line + "` succeeded and left the scratch database empty")
                    .at("desired_schema.command")
                    .advise("let it connect to ATHANOR_SCRATCH_URL"));
  }
  return loaded;
}

}  // namespace athanor::schema
