// Selects the part of a catalog that is recorded and compared, and computes the catalog that is expected after a run.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/schema/catalog.hpp"
#include "migrations/schema/inspect.hpp"

namespace athanor {

struct DriftFilter {
  // Patterns for schemas and tables as in inspect(); its switches for kinds are ignored.
  schema::InspectOptions names{};
  // Patterns with * and ? that exclude objects of any kind, and tables with their parts. A pattern with a dot is matched
  // against "schema.name", any other against the name. "audit.*" also excludes the schema.
  std::vector<std::string> exclude{};
  // "schema.table": tables that migration tools keep for themselves.
  std::vector<std::string> own_tables{};

  // Whether it excludes nothing but own tables.
  [[nodiscard]] bool takes_all() const;
};

// The facts that the filter accepts, and the edges between them. Sealed.
[[nodiscard]] schema::Catalog filtered(const schema::Catalog& catalog, const DriftFilter& filter);

// Removes what may contain passwords: options of user mappings, connections of subscriptions. Even a hash would allow guessing.
[[nodiscard]] schema::Catalog without_secrets(schema::Catalog catalog);

// The expected catalog after a run: `after`, but objects that were changed by hand before the run, and that the run did not
// touch, are as in `expected_before`. So a run does not hide drift.
[[nodiscard]] schema::Catalog expected_after_run(const schema::Catalog& expected_before, const schema::Catalog& before,
                                                 const schema::Catalog& after);

}  // namespace athanor
