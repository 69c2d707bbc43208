#include "operator/api/manifest.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "migrations/text/strict_yaml.hpp"
#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxDocuments = 1'000;

std::optional<std::string> text_at(const YamlNode& node, std::string_view key) {
  const YamlNode* found = node.find(key);
  if (found == nullptr || found->kind != YamlNode::Kind::Scalar) {
    return std::nullopt;
  }
  return found->text;
}

// Returns the resource that a broken document declares, if it can be read.
std::optional<ResourceKey> key_of(const YamlNode& document) {
  if (document.kind != YamlNode::Kind::Mapping || text_at(document, "kind") != kDatabaseMigrationKind) {
    return std::nullopt;
  }
  const YamlNode* metadata = document.find("metadata");
  if (metadata == nullptr || metadata->kind != YamlNode::Kind::Mapping) {
    return std::nullopt;
  }
  const auto name = text_at(*metadata, "name");
  const std::string name_space = text_at(*metadata, "namespace").value_or(std::string(kDefaultNamespace));
  if (!name || !is_resource_name(*name) || !is_namespace_name(name_space)) {
    return std::nullopt;
  }
  return ResourceKey{name_space, *name};
}

Result<DatabaseMigration> read_document(const YamlNode& document, const std::string& name, const std::string& folder) {
  DatabaseMigration resource;
  resource.origin = name + ":" + std::to_string(document.line);
  resource.folder = folder;
  YamlFields fields(document, name);
  std::string api_version;
  std::string kind;
  fields.required_text("apiVersion", api_version);
  fields.required_text("kind", kind);
  if (!kind.empty() && kind != kDatabaseMigrationKind) {
    fields.refuse("kind", "is not DatabaseMigration", "keep other resources out of this folder");
  }
  if (!api_version.empty() && api_version != kApiVersion) {
    fields.refuse("apiVersion", "is not athanor.dev/v1alpha1");
  }
  if (!fields.has("metadata")) {
    fields.refuse("metadata", "is required");
  }
  if (!fields.has("spec")) {
    fields.refuse("spec", "is required");
  }
  fields.mapping("metadata", [&resource](YamlFields& metadata) { read_metadata(metadata, resource.metadata); });
  fields.mapping("spec", [&resource](YamlFields& spec) { read_spec(spec, resource.spec, OperatorMode::Standalone); });
  TRY(fields.finish());
  return resource;
}

// Catches exceptions of the parsing libraries: no manifest may end the process.
Result<DatabaseMigration> decode_document(const YamlNode& document, const std::string& name, const std::string& folder) {
  try {
    return read_document(document, name, folder);
  } catch (const std::exception& exception) {
    return fail(undecodable(exception).at(name + ":" + std::to_string(document.line)));
  }
}

// Returns the URL without its password, in the authority and in the parameters.
std::string without_password(std::string url) {
  const std::size_t scheme = url.find("://");
  const std::size_t authority = scheme == std::string::npos ? std::string::npos : scheme + 3;
  if (authority != std::string::npos) {
    const std::size_t end = std::min(url.find('/', authority), url.size());
    const std::size_t at = url.rfind('@', end);
    const std::size_t colon = url.find(':', authority);
    if (at != std::string::npos && at > authority && colon < at) {
      url.erase(colon, at - colon);
    }
  }
  for (std::size_t found = url.find("password="); found != std::string::npos; found = url.find("password=", found)) {
    url.erase(found, std::min(url.find_first_of("& ", found), url.size()) - found);
  }
  return url;
}

void append(std::string& text, std::string_view value) {
  text += std::to_string(value.size());
  text += ':';
  text += value;
}

void append(std::string& text, const std::optional<SecretReference>& reference) {
  append(text, reference ? std::to_string(static_cast<int>(reference->kind)) + " " + reference->value + " " + reference->key
                         : std::string());
}

}  // namespace

Manifest parse_manifest(std::string_view text, const std::string& name, const std::string& folder) {
  Manifest manifest;
  const auto documents = parse_yaml(text, name, {kMaxManifestBytes, kMaxDepth});
  if (!documents) {
    manifest.problems.push_back({documents.error(), std::nullopt});
    return manifest;
  }
  if (documents->size() > kMaxDocuments) {
    manifest.problems.push_back(
        {Error(ErrorCode::FileTooLarge, "a manifest may have at most " + std::to_string(kMaxDocuments) + " documents").at(name),
         std::nullopt});
    return manifest;
  }
  for (const auto& document : *documents) {
    if (document.kind == YamlNode::Kind::Null) {
      continue;  // "---" at the start or the end
    }
    auto resource = decode_document(document, name, folder);
    if (resource) {
      manifest.resources.push_back(std::move(*resource));
    } else {
      manifest.problems.push_back({std::move(resource).error(), key_of(document)});
    }
  }
  return manifest;
}

std::string spec_hash(const DatabaseMigrationSpec& spec) {
  const DatabaseSpec& database = spec.database;
  // The version of this format. Any change of what is hashed changes the generation of every resource once.
  std::string text = "2:";
  for (const auto& value : {without_password(database.url), database.host, std::to_string(database.port), database.name,
                            database.user, database.ssl_mode, database.role, database.schema, database.version_table,
                            spec.source.path, spec.target_revision, spec.backup.path}) {
    append(text, value);
  }
  for (const auto& reference :
       {database.url_from, database.host_from, database.port_from, database.name_from, database.user_from,
        database.password_from, database.root_certificate_from, database.client_certificate_from, database.client_key_from}) {
    append(text, reference);
  }
  for (const auto number :
       {spec.execution.lock_wait.count(), spec.execution.lock_timeout.count(), spec.execution.lock_retry_budget.count(),
        spec.execution.statement_timeout.count(), spec.backup.keep_for.count(), spec.backup.accept_for.count(),
        spec.policy.direction_cooldown.count(), std::int64_t{spec.backup.keep}, std::int64_t{spec.backup.compression},
        static_cast<std::int64_t>(spec.backup.when)}) {
    append(text, std::to_string(number));
  }
  for (const auto& window : spec.execution.windows) {
    append(text, window.schedule);
    append(text, std::to_string(window.duration.count()));
    append(text, window.time_zone);
  }
  for (const bool flag : {spec.source.recursive, spec.policy.downgrade == DowngradePolicy::Allow, spec.backup.required,
                          spec.suspend, spec.dry_run, spec.policy.downgrade == DowngradePolicy::Keep}) {
    text += flag ? '1' : '0';
  }
  if (spec.policy.drift != DriftPolicy::Ignore) {  // only if used, so that existing resources keep their generation
    append(text, std::to_string(static_cast<int>(spec.policy.drift)));
    append(text, std::to_string(spec.policy.drift_interval.count()));
    for (const std::string& pattern : spec.policy.drift_exclude) {
      append(text, pattern);
    }
  }
  if (!database.require_auth.empty()) {
    append(text, database.require_auth);
  }
  if (spec.policy.rehearsal != RehearsalPolicy::Never) {
    append(text, "rehearsal " + std::to_string(static_cast<int>(spec.policy.rehearsal)));
  }
  if (spec.scratch_url_from) {
    append(text, spec.scratch_url_from);
  }
  if (spec.scratch_root_certificate_from) {
    append(text, spec.scratch_root_certificate_from);
  }
  if (spec.policy.lint) {
    append(text, "lint " + std::to_string(spec.policy.lint->small_table_rows));
    for (const auto& [rule, level] : spec.policy.lint->levels) {
      append(text, rule + " " + std::string(severity_name(level)));
    }
  }
  return sha256_hex(text);
}

}  // namespace athanor::controller
