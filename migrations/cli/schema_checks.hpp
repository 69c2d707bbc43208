// The schema checks of `check` and `drift`: are the models ahead of the migrations, and does the database have the schema that
// its revisions produce?
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/project.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/schema/catalog.hpp"

namespace athanor::cli {

// "3 differences".
[[nodiscard]] std::string count_differences(std::size_t count);

// Error if the major versions differ: such catalogs are not comparable, because their texts of the same definition differ.
[[nodiscard]] Result<void> require_same_major(const schema::Catalog& one, const schema::Catalog& other);

// Differences between the desired schema and that of the revisions, one line per fact; empty if they agree.
[[nodiscard]] Result<std::vector<std::string>> models_ahead(SchemaWork& work, const Situation& situation);
[[nodiscard]] Error models_ahead_error(const std::vector<std::string>& lines);

struct Drift {
  schema::Catalog live;
  schema::Catalog expected;
  std::vector<std::string> lines;  // differences of the live database from what its revisions produce
  bool grants_compared = false;
  bool filtered = false;  // a part of the schema was not compared
};
// Error: NotRenderable if revisions are Python.
[[nodiscard]] Result<Drift> find_drift(SchemaWork& work, const Situation& situation);
[[nodiscard]] Error drift_error(const Drift& drift);
// Prints the lines and sets the JSON field `drift`.
void report_drift(CommandContext& context, const Drift& drift);
// "No drift", and that only a part was compared if so.
[[nodiscard]] std::string no_drift(bool filtered);
// Prints the statements in both directions: back to the schema of the revisions, and from there to the live one, as a revision
// would. Objects that they drop and create again get the grants and the owner that they have in the database, even if these
// are not compared.
[[nodiscard]] Result<void> print_drift_sql(CommandContext& context, Database& database, const Configuration& configuration,
                                           const Drift& drift);

}  // namespace athanor::cli
