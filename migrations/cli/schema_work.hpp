// What the schema commands work with: scratch databases, the desired schema, and the schemas that revisions produce.
//
// Nothing is started before it is needed: with a warm cache, a check only reads the rows of the version table.
//
// Threads: one thread. Ownership: owns server, cache and loader; borrows the context and the configuration.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/scratch_guard.hpp"
#include "migrations/config/configuration.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/desired_schema.hpp"
#include "migrations/schema/filter_matches.hpp"
#include "migrations/schema/schema_cache.hpp"
#include "migrations/schema/scratch.hpp"
#include "migrations/schema/unspoken.hpp"

namespace athanor::cli {

// Applies the filters of the command line: each replaces that of the configuration.
void apply_filters(const Arguments& arguments, schema::InspectOptions& options);
// Error: Usage if one of them has an empty pattern, which matches nothing.
[[nodiscard]] Result<void> refuse_empty_filters(const Arguments& arguments);
// Warns about patterns that match nothing. Error: Configuration if none of the schemas, or none of the tables, match: an empty
// comparison must not look like one without a difference.
[[nodiscard]] Result<void> require_matches(Output& output, const schema::InspectOptions& filter,
                                           const schema::UnmatchedPatterns& unmatched);

// Sets execution.search_path, unless it is configured, to the search_path of a session on the target, which role and database
// may set there. Scratch databases have no such settings, so without it revisions would create their objects in other schemas
// than on the target. Call it before the SchemaWork is constructed.
[[nodiscard]] Result<void> take_search_path(ReadSession& target, Configuration& configuration);
// The same through a new connection. Returns the version of the target (150018), or 0 if no database is configured.
[[nodiscard]] Result<int> read_target_settings(CommandContext& context, Configuration& configuration);
// Where scratch databases are made, as the configuration says it.
[[nodiscard]] schema::ScratchSettings scratch_settings(const CommandContext& context, const Configuration& configuration,
                                                       int server_version);

class SchemaWork {
 public:
  // `server_version` is the target's (150018), 0 if there is none. Planning changes requires GrantsToo even if grants are not
  // compared, so that objects that are dropped and recreated get their grants back.
  enum class Read { WhatIsCompared, GrantsToo };
  SchemaWork(CommandContext& context, const Configuration& configuration, int server_version, Read read = Read::WhatIsCompared);
  SchemaWork(const SchemaWork&) = delete;
  SchemaWork& operator=(const SchemaWork&) = delete;

  [[nodiscard]] schema::SchemaLoader& loader() { return loader_; }
  [[nodiscard]] schema::ScratchServer& server() { return server_; }
  // The argument of complete_desired().
  [[nodiscard]] schema::Grants grants() const { return grants_; }
  // The filters, and the kinds that are read.
  [[nodiscard]] const schema::InspectOptions& filter() const { return load_.inspect; }
  // The free function of this name, for what is compared.
  [[nodiscard]] Result<void> require_matches(std::initializer_list<const schema::Catalog*> compared) const;
  // Whether grants are compared, and not only read.
  [[nodiscard]] bool compares_grants() const;

  // Loads desired_schema. Error: Configuration if it is not set.
  [[nodiscard]] Result<schema::LoadedSchema> desired();
  // Inspects the configured database.
  [[nodiscard]] Result<schema::Catalog> live();
  // The schema that these revisions, and all below them, produce in an empty database. `made` receives the scratch database if
  // one had to be created.
  [[nodiscard]] Result<schema::Catalog> after(const Project& project, const std::vector<std::string>& heads,
                                              std::unique_ptr<schema::ScratchDatabase>* made = nullptr);
  // The scratch database itself; no session is connected to it.
  [[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> migrated(const Project& project,
                                                                          const std::vector<std::string>& heads);
  // Creates a scratch database with the schema of `catalog`.
  [[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> built(const schema::Catalog& catalog);
  // Runs one plan on a scratch database, starting from the plan's `from`. `where` follows "fails" in an error. Refuses
  // what ScratchGuard refuses.
  [[nodiscard]] Result<void> run_plan(const schema::ScratchDatabase& database, const Plan& plan,
                                      std::string_view where = " on an empty database");
  // Creates roles that the revisions name, and drops those that they create. Refuses what ScratchGuard refuses.
  [[nodiscard]] Result<void> prepare_roles(const Plan& plan);
  // Creates a scratch database with the schemas of search_path that `plan` presupposes: those that it does not create.
  [[nodiscard]] Result<std::unique_ptr<schema::ScratchDatabase>> empty_database(const Plan& plan);

 private:
  [[nodiscard]] Result<std::string> digest_of(const Project& project, const Walk& walk) const;

  CommandContext& context_;
  const Configuration& configuration_;
  schema::Grants grants_ = schema::Grants::Desired;
  schema::LoadSettings load_;
  schema::ScratchServer server_;
  schema::SchemaCache cache_;
  ScratchGuard guard_;  // before the loader, which asks it
  schema::SchemaLoader loader_;
};

}  // namespace athanor::cli
