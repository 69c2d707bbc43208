// The part of a catalog that is recorded and compared, and what of it is expected after a run.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/schema/catalog.hpp"
#include "migrations/schema/inspect.hpp"

namespace athanor {

struct DriftFilter {
  // Patterns for schemas and tables as inspect() takes them; its switches for kinds do not count here.
  schema::InspectOptions names{};
  // Patterns with * and ? that leave out objects of any kind, and the parts of tables with them. With a dot they are matched
  // against "schema.name", without against the name. "audit.*" leaves out the schema too.
  std::vector<std::string> exclude{};
  // "schema.table": what programs of migrations keep for themselves.
  std::vector<std::string> own_tables{};

  // Nothing is left out but own tables.
  [[nodiscard]] bool takes_all() const;
};

// The facts that the filter takes, and the edges between them. Sealed.
[[nodiscard]] schema::Catalog filtered(const schema::Catalog& catalog, const DriftFilter& filter);

// Without what holds passwords: options of user mappings, connections of subscriptions. Even their hashes could be guessed at.
[[nodiscard]] schema::Catalog without_secrets(schema::Catalog catalog);

// What is expected after a run: the catalog as the run left it, but what was changed by hand before the run, and not by the
// run, is expected to be as it was. So a run does not make drift disappear.
[[nodiscard]] schema::Catalog expected_after_run(const schema::Catalog& expected_before, const schema::Catalog& before,
                                                 const schema::Catalog& after);

}  // namespace athanor
