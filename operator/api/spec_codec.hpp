// The spec of a DatabaseMigration from strict YAML or from an API server's JSON: which fields there are, what they may say, and
// which of them mean something where the operator runs.
//
// One reader serves both, so a manifest that works without a cluster says the same on one. The CRD (crds/) declares the same
// fields; a test compares the two.
//
// Threads: pure functions.
#pragma once

#include <exception>
#include <nlohmann/json.hpp>

#include "migrations/text/yaml_fields.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Where the resource was read. Without a cluster there are no Secrets, ConfigMaps, Jobs or approvals; on one, the operator's
// environment is nobody's business.
enum class OperatorMode : std::uint8_t { Standalone, Cluster };

// Faults stay in `fields`, whose finish() tells the first.
void read_metadata(YamlFields& fields, Metadata& metadata);
void read_spec(YamlFields& fields, DatabaseMigrationSpec& spec, OperatorMode habitat);
void read_database(YamlFields& fields, DatabaseSpec& database, OperatorMode habitat);
void read_source(YamlFields& fields, SourceSpec& source, OperatorMode habitat);

// A resource as an API server sends it. The status is what was last written, and decides nothing. Any object is borne: what
// cannot be decoded is an error.
[[nodiscard]] Result<DatabaseMigration> read_object(const nlohmann::json& object);
[[nodiscard]] Metadata metadata_of(const nlohmann::json& object);
// What can be told of an object whose spec cannot be read: metadata, status, and the target as declared.
[[nodiscard]] DatabaseMigration readable_part(const nlohmann::json& object);
// What a library threw at a manifest.
[[nodiscard]] Error undecodable(const std::exception& exception);

// Names as Kubernetes has them.
[[nodiscard]] bool is_resource_name(std::string_view name);   // RFC 1123 subdomain, 253 characters, a part as long as it likes
[[nodiscard]] bool is_namespace_name(std::string_view name);  // RFC 1123 label, 63 characters

// From `least` to `most`; absent: as it was.
void read_duration(YamlFields& fields, std::string_view key, milliseconds& value, milliseconds least,
                   std::chrono::hours most = std::chrono::hours(24));
// Present, so: neither empty nor of another type, and of bearable length.
void read_text(YamlFields& fields, std::string_view key, std::string& value);
void refuse_fields(YamlFields& fields, std::initializer_list<std::string_view> keys, const std::string& why,
                   const std::string& way_out = "remove the field");

}  // namespace athanor::controller
