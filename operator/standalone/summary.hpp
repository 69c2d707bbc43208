// The output of --once: one line per resource, or the same as JSON.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct Summary {
  std::vector<DatabaseMigration> resources;
  std::size_t problems = 0;  // manifests that could not be read
  // Whether every resource is Ready and every manifest readable.
  [[nodiscard]] bool all_ready() const;
};

[[nodiscard]] std::string summary_table(const Summary& summary);
[[nodiscard]] std::string summary_json(const Summary& summary);

}  // namespace athanor::controller
