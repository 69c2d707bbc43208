// Parses manifests: YAML files that declare DatabaseMigration resources.
//
// A file may contain several documents. Unknown fields, wrong types, missing fields, invalid names, durations and enum values,
// and fields that need a cluster are errors with file, line and path, and a suggestion for the nearest known field:
//
//   shop.yaml:14: field `spec.polcy`: unknown field; hint: did you mean `policy`?
//
// A broken document does not affect the others in its file. Its first error is reported, together with the resource it belongs
// to if that can be read.
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

// Parses `text`. `name` is used in messages; `folder` is the base of relative paths in the resources.
[[nodiscard]] Manifest parse_manifest(std::string_view text, const std::string& name, const std::string& folder);

// Returns a hash of everything a manifest can declare, except secrets in it. It changes when the spec changes and replaces the
// generation count of an API server.
[[nodiscard]] std::string spec_hash(const DatabaseMigrationSpec& spec);

}  // namespace athanor::controller
