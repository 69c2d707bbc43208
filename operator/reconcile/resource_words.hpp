// Errors in the words of whoever wrote the resource.
//
// The core speaks of its own ways in: DATABASE_URL, flags, keys of athanor.yaml. Whoever reads a status has written none of
// them: there it is a field of the spec, and a key of a Secret or of a ConfigMap.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>

#include "migrations/execute/execution_report.hpp"
#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// "the key url of Secret shop/orders-db", "spec.database.url", "spec.database".
[[nodiscard]] std::string connection_in_words(const DatabaseMigration& resource);

// `on_cluster`: the options of the operator are not for those who write resources there; the chart's values are named.
[[nodiscard]] Error in_resource_words(const DatabaseMigration& resource, Error error, bool on_cluster);

// What the source is, by its names: "ConfigMap orders-migrations", "path migrations of https://git.example.org/shop.git".
[[nodiscard]] std::string source_in_words(const SourceSpec& source);
// What became of the database when a statement of `report` failed, and what is to be mended. `snapshot` may be null: the files
// are in an image.
[[nodiscard]] std::string failed_statement_in_words(const Error& error, const ExecutionReport& report, const Plan* plan,
                                                    const SourceSnapshot* snapshot);

}  // namespace athanor::controller
