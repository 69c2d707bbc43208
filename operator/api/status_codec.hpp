// Encodes and decodes statuses: JSON for the API and --json, YAML for the state folder. Both use one mapping.
//
// Empty fields are omitted, except conditions and observedGeneration. Decoding is lenient: the operator wrote the state file
// itself, an unknown field belongs to a newer version, and a broken file means "nothing known", which is always safe.
//
// Threads: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

using Json = nlohmann::ordered_json;

// status_from_json() ignores what it cannot read.
[[nodiscard]] Json status_to_json(const DatabaseMigrationStatus& status);
[[nodiscard]] DatabaseMigrationStatus status_from_json(const Json& json);

// The content of a state file: identity, generation, the hash of the spec it belongs to, and the status.
struct StoredResource {
  ResourceKey key;
  std::int64_t generation = 0;
  std::string spec_hash;
  DatabaseMigrationStatus status;
};
[[nodiscard]] std::string stored_to_yaml(const StoredResource& stored);
// Error: Io when `text` is not a state file.
[[nodiscard]] Result<StoredResource> stored_from_yaml(std::string_view text);

// Returns block-style YAML for any JSON value; quotes every string that YAML could read as another type.
[[nodiscard]] std::string json_to_yaml(const Json& json);

}  // namespace athanor::controller
