// The desired schema: what a database is to look like, whoever says so. SQL files, SQLAlchemy models, a command that fills an
// empty database, or another database.
//
// All but the last are loaded into a scratch database and inspected there: PostgreSQL alone says what they mean. What was
// inspected is kept under a digest of the texts, the server's major version and the filters, so that the same schema is
// loaded once. A command and a database are asked each time, because nobody knows what they depend on.
//
// Threads: one thread. Ownership: a SchemaLoader borrows the server and the cache.
#pragma once

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
  ModelSettings models{};  // targets and server_major are filled in
  PythonSearch python{};
  std::string folder{};       // of athanor.yaml: where a command runs
  std::string search_path{};  // execution.search_path: where unqualified names go
  std::vector<std::string> environment{};
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

  [[nodiscard]] Result<LoadedSchema> load(const SchemaSource& source);
  // A live database, as it is now.
  [[nodiscard]] Result<Catalog> inspect_database(const std::string& url);
  // The facts of a scratch database.
  [[nodiscard]] Result<Catalog> inspect_scratch(const ScratchDatabase& database) const;
  // A new scratch database with these statements in it.
  [[nodiscard]] Result<std::unique_ptr<ScratchDatabase>> filled(std::span<const SchemaStatement> statements,
                                                                std::vector<std::string>* warnings = nullptr);
  // A key for the cache: of `digest`, the server's version and the filters.
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
