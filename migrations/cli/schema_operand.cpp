#include "migrations/cli/schema_operand.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace athanor::cli {
namespace {

using Kind = SchemaOperand::Kind;

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Error unknown_operand(const std::string& text) {
  return Error(ErrorCode::Usage, "'" + text + "' is not a schema: no such file, models or revision")
      .advise("use `database`, `desired`, postgresql://…, package.module:metadata, a SQL file or folder, or a revision");
}

}  // namespace

std::string SchemaOperand::describe() const {
  switch (kind) {
    case Kind::Live:
      return "the database";
    case Kind::Url:
      return "the database of the URL";
    case Kind::Desired:
      return "the desired schema";
    case Kind::Revisions:
      return heads.empty() ? "an empty database" : "revision " + join_revisions(heads);
    case Kind::Source:
      return source.describe();
  }
  return text;
}

Result<SchemaOperand> read_operand(CommandContext& context, const Configuration& configuration, std::optional<Project>& project,
                                   const std::string& text) {
  SchemaOperand operand;
  operand.text = text;
  if (text == "database" || text == "live") {
    return operand;
  }
  if (text == "desired") {
    operand.kind = Kind::Desired;
    return operand;
  }
  operand.source = schema::source_of_text(text);
  if (operand.source.kind == schema::SchemaSource::Kind::Database) {
    operand.kind = Kind::Url;
    return operand;
  }
  if (operand.source.kind == schema::SchemaSource::Kind::Models || exists(text)) {
    operand.kind = Kind::Source;
    return operand;
  }
  if (!project) {
    auto opened = open_project(context, configuration);
    if (!opened) {
      return fail(opened.error().code == ErrorCode::Io ? unknown_operand(text) : std::move(opened).error());
    }
    project = std::move(*opened);
  }
  auto heads = project->graph.resolve(text);
  if (!heads) {
    return fail(heads.error().code == ErrorCode::UnknownRevision ? unknown_operand(text) : std::move(heads).error());
  }
  operand.kind = Kind::Revisions;
  operand.heads = std::move(*heads);
  return operand;
}

Result<int> server_version_of(CommandContext& context, Configuration& configuration, const SchemaOperand& operand) {
  if (operand.kind == Kind::Live && !configuration.database_url.empty()) {
    return read_target_settings(context, configuration);
  }
  std::string url;
  if (operand.kind == Kind::Url) {
    url = operand.source.url;
  } else if (operand.kind == Kind::Live) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "no database is configured")
                    .advise("set DATABASE_URL in the environment, or database_url in athanor.yaml"));
  } else if (operand.kind == Kind::Desired && configuration.schema.desired.kind == schema::SchemaSource::Kind::Database) {
    url = configuration.schema.desired.url;
  } else {
    return 0;
  }
  TRY_ASSIGN(const auto factory, context.outside().connect(url, configuration.execution));
  TRY_ASSIGN(const auto session, factory->open());
  return session->server_version();
}

Result<OperandSchema> load_operand(SchemaWork& work, std::optional<Project>& project, const SchemaOperand& operand) {
  switch (operand.kind) {
    case Kind::Live: {
      TRY_ASSIGN(schema::Catalog catalog, work.live());
      return OperandSchema{std::move(catalog)};
    }
    case Kind::Url: {
      TRY_ASSIGN(schema::Catalog catalog, work.loader().inspect_database(operand.source.url));
      return OperandSchema{std::move(catalog)};
    }
    case Kind::Desired: {
      TRY_ASSIGN(schema::LoadedSchema loaded, work.desired());
      return OperandSchema{std::move(loaded.catalog), std::move(loaded.renames), loaded.from_models};
    }
    case Kind::Revisions: {
      TRY_ASSIGN(schema::Catalog catalog, work.after(*project, operand.heads));
      return OperandSchema{std::move(catalog)};
    }
    case Kind::Source:
      break;
  }
  TRY_ASSIGN(schema::LoadedSchema loaded, work.loader().load(operand.source));
  return OperandSchema{std::move(loaded.catalog), std::move(loaded.renames), loaded.from_models};
}

}  // namespace athanor::cli
