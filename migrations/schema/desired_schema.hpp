// The desired schema of a database, from SQL files, SQLAlchemy models, a command that fills an empty database, or another
// database.
//
// All but the last are loaded into a scratch database and inspected there, so that PostgreSQL itself interprets them. The
// result is cached under a digest of the texts, the server's major version and the filters, so that the same schema is loaded
// only once. A command and a database are evaluated every time, because their dependencies are unknown.
//
// Threads: one thread. Ownership: borrows the server and the cache.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/models/model_reader.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/inspect.hpp"
#include "migrations/schema/schema_cache.hpp"
#include "migrations/schema/schema_files.hpp"
#include "migrations/schema/schema_source.hpp"
#include "migrations/schema/scratch.hpp"

namespace athanor::schema {

struct LoadSettings {
  InspectOptions inspect{};
  ModelSettings models{};  // load() sets targets and server_major
  PythonSearch python{};
  std::string folder{};       // the folder of athanor.yaml, where a command runs
  std::string search_path{};  // execution.search_path, which decides where unqualified names go
  std::vector<std::string> environment{};
  // Called before statements run on a scratch database, with all of them; its error ends the load.
  std::function<Result<void>(std::span<const SchemaStatement>)> check{};
};

struct LoadedSchema {
  Catalog catalog;
  std::vector<RenameHint> renames{};
  std::vector<std::string> warnings{};
  bool cached = false;
  bool from_models = false;
};

class SchemaLoader {
 public:
  SchemaLoader(ScratchServer& server, const SchemaCache& cache, LoadSettings settings, StopToken stop)
      : server_(server), cache_(cache), settings_(std::move(settings)), stop_(stop) {}

  // Loads the schema that `source` describes, or takes it from the cache. Errors: DesiredSchemaFailed with the place; those of
  // the scratch server.
  [[nodiscard]] Result<LoadedSchema> load(const SchemaSource& source);
  // Inspects a live database.
  [[nodiscard]] Result<Catalog> inspect_database(const std::string& url);
  // Inspects a scratch database.
  [[nodiscard]] Result<Catalog> inspect_scratch(const ScratchDatabase& database) const;
  // Creates a scratch database and runs these statements in it. `warnings`, if given, receives those of recheck_bodies().
  [[nodiscard]] Result<std::unique_ptr<ScratchDatabase>> filled(std::span<const SchemaStatement> statements,
                                                                std::vector<std::string>* warnings = nullptr);
  // The cache key of `digest`, the server's major version and the filters. May open the scratch server to learn its version.
  [[nodiscard]] Result<std::string> key_of(std::string_view digest);
  [[nodiscard]] const LoadSettings& settings() const { return settings_; }

 private:
  [[nodiscard]] Result<LoadedSchema> load_text(SchemaText text);
  [[nodiscard]] Result<LoadedSchema> load_models(const std::vector<std::string>& targets);
  [[nodiscard]] Result<LoadedSchema> load_command(const std::string& line);
  [[nodiscard]] Result<ModelSchema> model_schema(const std::vector<std::string>& targets);

  ScratchServer& server_;
  const SchemaCache& cache_;
  LoadSettings settings_;
  StopToken stop_;
};

}  // namespace athanor::schema
