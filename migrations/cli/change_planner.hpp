// Plans one revision of `revision --autogenerate`, both ways, and proves it on scratch copies.
//
// The current schema is the one that all revisions produce in an empty database, or that of the live database if they cannot
// run here. A scratch database with it is created only once something has to run on it.
//
// Threads: one thread. Ownership: owns the scratch server; borrows the context, the configuration and the project.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/revision/revision_template.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/difference.hpp"
#include "migrations/schema/proof.hpp"

namespace athanor::cli {

// The schema that a revision starts from.
struct CurrentSchema {
  schema::Catalog catalog{};
  std::unique_ptr<schema::ScratchDatabase> database{};  // with this schema; empty until it is needed
  std::string words{};                                  // "the revisions", "the database"
};

struct SchemaChange {
  schema::ChangePlan up{};
  schema::ChangePlan down{};
  std::string irreversible{};  // why there is no downgrade
  std::vector<schema::Rename> renames{};
};

class ChangePlanner {
 public:
  // `server_version` is the target's (150018), 0 if no database is configured.
  ChangePlanner(CommandContext& context, const Configuration& configuration, const Project& project, int server_version);

  [[nodiscard]] SchemaWork& work() { return work_; }
  // Error: Usage for another value of --style than online and plain.
  [[nodiscard]] Result<schema::Style> style() const;
  // Reads the schema to start from. Errors: Usage for a wrong --from; MissingDatabaseUrl if only a database can tell it.
  [[nodiscard]] Result<CurrentSchema> current();
  // Creates now.database if there is none. Error: ProofFailed if the schema of the live database cannot be rebuilt.
  [[nodiscard]] Result<void> start(CurrentSchema& now);
  // Plans the change and its downgrade, and asks about likely renames that `renames` does not contain. Adds the grants of
  // renamed objects to `desired`.
  [[nodiscard]] Result<SchemaChange> plan(CurrentSchema& now, schema::Catalog& desired, std::vector<schema::Rename> renames);
  // The same without renames; it asks nothing.
  [[nodiscard]] Result<SchemaChange> plan(const schema::Catalog& before, const schema::Catalog& after) const;
  // Runs the draft on copies, both ways. Error: ProofFailed if it does not lead to `desired`, or its downgrade not back.
  [[nodiscard]] Result<schema::Proof> prove(CurrentSchema& now, const schema::Catalog& desired, const SchemaChange& change,
                                            const RevisionDraft& draft);

 private:
  [[nodiscard]] Result<bool> from_database() const;
  [[nodiscard]] Result<void> plan_with_renames(CurrentSchema& now, schema::Catalog& desired, SchemaChange& change);
  [[nodiscard]] schema::InspectScratch inspection();

  CommandContext& context_;
  const Configuration& configuration_;
  const Project& project_;
  SchemaWork work_;
  schema::ProofRequest::Grants grants_proven_;
};

// Removed and added objects that are similar enough to be a rename.
[[nodiscard]] std::vector<schema::RenameCandidate> likely_renames(const schema::Catalog& before, const schema::Catalog& after);
// The text of the revision. If the upgrade removes data, the downgrade says above its first statement that it cannot restore
// it.
[[nodiscard]] NativeBody body_of(const SchemaChange& change);
// The line, from 1, on which the upgrade of the draft begins.
[[nodiscard]] int upgrade_line(const RevisionDraft& draft);

}  // namespace athanor::cli
