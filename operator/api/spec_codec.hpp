// The spec of a DatabaseMigration from strict YAML: which fields there are, what they may say, and which of them wait for a
// cluster or a later version.
//
// Threads: pure functions.
#pragma once

#include "migrations/revision/yaml_fields.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Faults stay in `fields`, whose finish() tells the first.
void read_metadata(YamlFields& fields, Metadata& metadata);
void read_spec(YamlFields& fields, DatabaseMigrationSpec& spec);

// Names as Kubernetes has them.
[[nodiscard]] bool is_resource_name(std::string_view name);   // RFC 1123 subdomain, 253 characters
[[nodiscard]] bool is_namespace_name(std::string_view name);  // RFC 1123 label, 63 characters

}  // namespace athanor::controller
