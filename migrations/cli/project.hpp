// What a command stands on: the configuration, the revisions on disk and, where it needs one, the database.
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

// The configuration file with -n, -x, --migrations and DATABASE_URL laid over it. Its warnings are passed on.
[[nodiscard]] Result<Configuration> load_settings(CommandContext& context);

// The revisions on disk.
struct Project {
  std::unique_ptr<RevisionSource> source;
  RevisionGraph graph;
};
// Looking on without a database tolerates duplicate ids as Alembic does, with a warning; everything else refuses them.
[[nodiscard]] Result<Project> open_project(CommandContext& context, const Configuration& configuration,
                                           Duplicates duplicates = Duplicates::Refuse);

// The database. The connection is being made from the moment the Database exists; the first question waits for it.
class Database {
 public:
  [[nodiscard]] static Result<Database> connect(CommandContext& context, const Configuration& configuration,
                                                std::unique_ptr<ProgressSink> sink = nullptr);
  [[nodiscard]] Migrator& migrator() { return *migrator_; }
  [[nodiscard]] std::string describe() const { return factory_->describe(); }

 private:
  Database() = default;

  // In this order: the migrator borrows the others.
  std::unique_ptr<SessionFactory> factory_;
  std::unique_ptr<ProgressSink> sink_;
  std::unique_ptr<Migrator> migrator_;
};

// UnknownDatabaseRevision, with the ways out, when a current head is in no file.
[[nodiscard]] Result<void> require_known_heads(const RevisionGraph& graph, const std::vector<std::string>& current_heads);

// Configuration, revisions and rows of the version table together, connected and read at the same time.
struct Situation {
  Configuration configuration;
  Project project;
  Database database;
  Observation observation;
};
[[nodiscard]] Result<Situation> observe_situation(CommandContext& context, std::unique_ptr<ProgressSink> sink = nullptr);

}  // namespace athanor::cli
