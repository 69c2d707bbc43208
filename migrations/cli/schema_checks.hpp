// What `check` and `drift` ask of schemas: are the models ahead of the migrations, is the database what its revisions make.
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

// Catalogs of different major versions are not comparable: their texts of the same definition differ.
[[nodiscard]] Result<void> require_same_major(const schema::Catalog& one, const schema::Catalog& other);

// What the desired schema has and no revision makes; one line a fact, empty when they agree.
[[nodiscard]] Result<std::vector<std::string>> models_ahead(SchemaWork& work, const Situation& situation);
[[nodiscard]] Error models_ahead_error(const std::vector<std::string>& lines);

struct Drift {
  schema::Catalog live;
  schema::Catalog expected;
  std::vector<std::string> lines;  // of the live database against what its revisions make
};
// NotRenderable when the revisions are Python.
[[nodiscard]] Result<Drift> find_drift(SchemaWork& work, const Situation& situation);
[[nodiscard]] Error drift_error(const Drift& drift);
// The lines, and the field `drift`.
void report_drift(CommandContext& context, const Drift& drift);
// Statements both ways: back to what the revisions make, and as a revision would make it.
[[nodiscard]] Result<void> print_drift_sql(CommandContext& context, const Drift& drift);

}  // namespace athanor::cli
