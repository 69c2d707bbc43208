// What most commands start from: the configuration, the revisions on disk and, if needed, the database.
//
// Threads: one thread. Ownership: a Project owns its source and graph; a Database owns factory, sink and migrator.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/config/configuration.hpp"
#include "migrations/execute/migrator.hpp"
#include "migrations/graph/graph.hpp"
#include "migrations/revision/source.hpp"

namespace athanor::cli {

// Loads the configuration file, overridden by -n, -x, --migrations and DATABASE_URL. Prints its warnings.
[[nodiscard]] Result<Configuration> load_settings(CommandContext& context);

// The revisions on disk.
struct Project {
  std::unique_ptr<RevisionSource> source;
  RevisionGraph graph;
};
// Reads the revisions. Commands that only list revisions tolerate duplicate ids like Alembic, with a warning; all others reject
// them.
[[nodiscard]] Result<Project> open_project(CommandContext& context, const Configuration& configuration,
                                           Duplicates duplicates = Duplicates::Refuse);

// The database. Connecting starts when the object is created; the first query waits for it.
class Database {
 public:
  // Starts connecting. Without a sink, progress is not shown. Error: MissingDatabaseUrl.
  [[nodiscard]] static Result<Database> connect(CommandContext& context, const Configuration& configuration,
                                                std::unique_ptr<ProgressSink> sink = nullptr);
  [[nodiscard]] Migrator& migrator() { return *migrator_; }
  [[nodiscard]] std::string describe() const { return factory_->describe(); }

 private:
  Database() = default;

  // The migrator borrows the others, so it is destroyed first.
  std::unique_ptr<SessionFactory> factory_;
  std::unique_ptr<ProgressSink> sink_;
  std::unique_ptr<Migrator> migrator_;
};

// Error: UnknownDatabaseRevision, with the ways out, if a current head has no file.
[[nodiscard]] Result<void> require_known_heads(const RevisionGraph& graph, const std::vector<std::string>& current_heads);

// Configuration, revisions and rows of the version table.
struct Situation {
  Configuration configuration;
  Project project;
  Database database;
  Observation observation;
};
// Reads files and database at the same time.
[[nodiscard]] Result<Situation> observe_situation(CommandContext& context, std::unique_ptr<ProgressSink> sink = nullptr);

}  // namespace athanor::cli
