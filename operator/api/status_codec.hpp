// Status as text: JSON for the API and for --json, YAML for people and for the state folder. One mapping serves both.
//
// Empty fields are left out, except conditions and observedGeneration. Reading back is lenient: a state file is the operator's
// own, an unknown field belongs to a newer version, and a broken file means "nothing known", which is always safe.
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

[[nodiscard]] Json status_to_json(const DatabaseMigrationStatus& status);
[[nodiscard]] DatabaseMigrationStatus status_from_json(const Json& json);

// What a state file holds: identity, generation, the hash of the spec it belongs to, and the status.
struct StoredResource {
  ResourceKey key;
  std::int64_t generation = 0;
  std::string spec_hash;
  DatabaseMigrationStatus status;
};
[[nodiscard]] std::string stored_to_yaml(const StoredResource& stored);
[[nodiscard]] Result<StoredResource> stored_from_yaml(std::string_view text);

// Block-style YAML of any JSON value; every string that could be read as something else is quoted.
[[nodiscard]] std::string json_to_yaml(const Json& json);

}  // namespace athanor::controller
