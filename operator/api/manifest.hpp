// Manifests: YAML files that declare DatabaseMigration resources, read strictly.
//
// A file may hold several documents. Unknown fields, wrong types, missing fields, bad names, durations and enum values, and
// fields that only a cluster can serve are errors that name file, line and path and suggest the nearest known field:
//
//   shop.yaml:14: field `spec.polcy`: unknown field; hint: did you mean `policy`?
//
// One broken document does not take the others of its file with it; its first fault is reported, with the resource it belongs
// to where the document says so much.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

inline constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 20U;

struct ManifestProblem {
  Error error;  // context: "shop.yaml:14"
  std::optional<ResourceKey> key;
};

struct Manifest {
  std::vector<DatabaseMigration> resources;
  std::vector<ManifestProblem> problems;
};

// `name` stands in messages; `folder` is what relative paths of the resources resolve against.
[[nodiscard]] Manifest parse_manifest(std::string_view text, const std::string& name, const std::string& folder);

// The hash that tells whether a spec changed: of everything a manifest can declare except the secrets spelled out in it. (An
// API server counts generations itself.)
[[nodiscard]] std::string spec_hash(const DatabaseMigrationSpec& spec);

}  // namespace athanor::controller
