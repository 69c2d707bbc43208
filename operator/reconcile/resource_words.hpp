// Rewrites errors in terms of the resource.
//
// The migration library's messages refer to its own inputs: DATABASE_URL, flags, keys of athanor.yaml. The author of a resource
// has used none of them, but fields of the spec and keys of Secrets and ConfigMaps.
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

// Describes where the connection is declared: "the key url of Secret shop/orders-db", "spec.database.url", "spec.database".
[[nodiscard]] std::string connection_in_words(const DatabaseMigration& resource);

// `on_cluster`: authors of resources cannot set the operator's options, so name the chart's values instead.
[[nodiscard]] Error in_resource_words(const DatabaseMigration& resource, Error error, bool on_cluster);

// Describes the source: "ConfigMap orders-migrations", "path migrations of https://git.example.org/shop.git".
[[nodiscard]] std::string source_in_words(const SourceSpec& source);
// Describes the state of the database after a statement of `report` failed, and what to correct. `snapshot` may be null: the
// files are in an image.
[[nodiscard]] std::string failed_statement_in_words(const Error& error, const ExecutionReport& report, const Plan* plan,
                                                    const SourceSnapshot* snapshot);

}  // namespace athanor::controller
