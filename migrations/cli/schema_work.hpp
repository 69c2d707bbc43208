// What commands about schemas stand on: scratch databases, the desired schema, and the schemas that revisions make.
//
// Nothing is started before it is needed: with a warm cache a check asks the database for its rows and nobody else.
//
// Threads: one thread. Ownership: owns server, cache and loader; borrows the context and the configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/config/configuration.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/desired_schema.hpp"
#include "migrations/schema/schema_cache.hpp"
#include "migrations/schema/scratch.hpp"
#include "migrations/schema/unspoken.hpp"

namespace athanor::cli {

// The filters of the command line: each replaces that of the configuration.
void apply_filters(const Arguments& arguments, schema::InspectOptions& options);

class SchemaWork {
 public:
  // `server_version` is the target's (150018), 0 when there is none. Whoever plans changes needs to know what is granted, so
  // that what is dropped and made again gets it back, whether or not grants are compared.
  enum class Read { WhatIsCompared, GrantsToo };
  SchemaWork(CommandContext& context, const Configuration& configuration, int server_version, Read read = Read::WhatIsCompared);
  SchemaWork(const SchemaWork&) = delete;
  SchemaWork& operator=(const SchemaWork&) = delete;

  [[nodiscard]] schema::SchemaLoader& loader() { return loader_; }
  [[nodiscard]] schema::ScratchServer& server() { return server_; }
  // For complete_desired().
  [[nodiscard]] schema::Grants grants() const { return grants_; }

  // What desired_schema says. Configuration when it says nothing.
  [[nodiscard]] Result<schema::LoadedSchema> desired();
  // The live database of the configuration.
  [[nodiscard]] Result<schema::Catalog> live();
  // The schema that these revisions, and all below them, make of an empty database. `made` receives the scratch database when
  // one had to be made.
  [[nodiscard]] Result<schema::Catalog> after(const Project& project, const std::vector<std::string>& heads,
                                              std::unique_ptr<schema::ScratchDatabase>* made = nullptr);
  // The scratch database itself; nobody is connected to it.
  [[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> migrated(const Project& project,
                                                                          const std::vector<std::string>& heads);
  // A scratch database with the schema of `catalog` in it.
  [[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> built(const schema::Catalog& catalog);
  // Runs one plan on a scratch database: its first revision starts at the plan's `from`.
  [[nodiscard]] Result<void> run_plan(const schema::ScratchDatabase& database, const Plan& plan);
  // Roles that the revisions name are provided, those they create are not there.
  [[nodiscard]] Result<void> prepare_roles(const Plan& plan);
  // A scratch database in which the revisions find the schemas they take for granted.
  [[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> empty_database(bool with_search_path);

 private:
  [[nodiscard]] Result<std::string> digest_of(const Project& project, const Walk& walk) const;

  CommandContext& context_;
  const Configuration& configuration_;
  schema::Grants grants_ = schema::Grants::Desired;
  schema::ScratchServer server_;
  schema::SchemaCache cache_;
  schema::SchemaLoader loader_;
};

}  // namespace athanor::cli
