// Decodes the spec of a DatabaseMigration from strict YAML or from an API server's JSON: the allowed fields and values, and
// which fields are valid in the operator's mode.
//
// Both formats share one reader, so a manifest means the same with and without a cluster. The CRD (crds/) declares the same
// fields; a test compares the two.
//
// Threads: pure functions.
#pragma once

#include <exception>
#include <nlohmann/json.hpp>

#include "migrations/text/yaml_fields.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Where the resource was read. Without a cluster there are no Secrets, ConfigMaps, Jobs or approvals. On a cluster, resources
// may not use the operator's environment.
enum class OperatorMode : std::uint8_t { Standalone, Cluster };

// These read into their last argument. Errors are collected in `fields`, whose finish() returns the first.
void read_metadata(YamlFields& fields, Metadata& metadata);
void read_spec(YamlFields& fields, DatabaseMigrationSpec& spec, OperatorMode operator_mode);
void read_database(YamlFields& fields, DatabaseSpec& database, OperatorMode operator_mode);
// Where a secret text is read from. Absent: stays empty.
void read_reference(YamlFields& fields, std::string_view key, std::optional<SecretReference>& reference,
                    OperatorMode operator_mode);
void read_source(YamlFields& fields, SourceSpec& source, OperatorMode operator_mode);

// Decodes an object from an API server. The status is the last one written and decides nothing. Error: Configuration for any
// object that cannot be decoded.
[[nodiscard]] Result<DatabaseMigration> read_object(const nlohmann::json& object);
// Returns the metadata; fields that are missing or of another type stay empty.
[[nodiscard]] Metadata metadata_of(const nlohmann::json& object);
// Returns the readable part of an object with an invalid spec: metadata, status and the declared target.
[[nodiscard]] DatabaseMigration readable_part(const nlohmann::json& object);
// The error for an exception that a library threw while decoding.
[[nodiscard]] Error undecodable(const std::exception& exception);

// Whether a name is valid in Kubernetes.
[[nodiscard]] bool is_resource_name(std::string_view name);   // RFC 1123 subdomain, at most 253 characters
[[nodiscard]] bool is_namespace_name(std::string_view name);  // RFC 1123 label, at most 63 characters

// Reads a duration from `least` to `most`; keeps `value` when the field is absent.
void read_duration(YamlFields& fields, std::string_view key, milliseconds& value, milliseconds least,
                   std::chrono::hours most = std::chrono::hours(24));
// Reads a text, which must not be empty or too long when the field is present.
void read_text(YamlFields& fields, std::string_view key, std::string& value);
// Adds an error for each of these fields that is present.
void refuse_fields(YamlFields& fields, std::initializer_list<std::string_view> keys, const std::string& why,
                   const std::string& hint = "remove the field");

}  // namespace athanor::controller
