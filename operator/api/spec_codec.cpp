#include "operator/api/spec_codec.hpp"

#include <algorithm>
#include <initializer_list>

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxIdentifierBytes = 63;
constexpr std::size_t kMaxTextBytes = 4'096;
constexpr std::size_t kMaxRevisionBytes = 255;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_variable_name(std::string_view text) {
  const auto is_word = [](char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::ranges::all_of(text, is_word);
}

void refuse_unsupported(YamlFields& fields, std::initializer_list<std::string_view> keys, const std::string& why) {
  for (const auto key : keys) {
    if (fields.node(key) != nullptr) {
      fields.refuse(key, why, "remove the field");
    }
  }
}

void read_text(YamlFields& fields, std::string_view key, std::string& value) {
  if (!fields.has(key)) {
    return;
  }
  fields.required_text(key, value);  // present, so: neither empty nor of another type
  if (value.size() > kMaxTextBytes) {
    fields.refuse(key, "has more than " + std::to_string(kMaxTextBytes) + " bytes");
  }
}

void read_identifier(YamlFields& fields, std::string_view key, std::string& value) {
  read_text(fields, key, value);
  if (value.size() > kMaxIdentifierBytes) {
    fields.refuse(key, "has more than 63 bytes, which PostgreSQL would cut off", "choose a shorter name");
  }
}

void read_duration(YamlFields& fields, std::string_view key, milliseconds& value, milliseconds least) {
  fields.duration(key, value);
  if (value < least || value > std::chrono::hours(24)) {
    fields.refuse(key, "must lie between " + std::to_string(least.count()) + "ms and 24h");
  }
}

void read_reference(YamlFields& fields, std::string_view key, std::optional<SecretReference>& reference) {
  if (!fields.has(key)) {
    return;
  }
  fields.mapping(key, [&reference](YamlFields& from) {
    refuse_unsupported(from, {"secretKeyRef"}, "needs a cluster; without one a secret comes from env or file");
    std::string variable;
    std::string file;
    read_text(from, "env", variable);
    read_text(from, "file", file);
    if (variable.empty() == file.empty()) {
      from.refuse("env", "exactly one of env and file is needed");
    }
    if (!variable.empty() && !is_variable_name(variable)) {
      from.refuse("env", "is not the name of an environment variable");
    }
    using Kind = SecretReference::Kind;
    reference = variable.empty() ? SecretReference{Kind::File, file} : SecretReference{Kind::Environment, variable};
  });
}

void check_database_way(YamlFields& fields, const DatabaseSpec& database) {
  const bool by_url = !database.url.empty();
  const bool by_reference = database.url_from.has_value();
  const bool by_parts = !database.host.empty();
  const int ways = int{by_url} + int{by_reference} + int{by_parts};
  if (ways == 0) {
    fields.refuse("url", "the database is not named", "set url, urlFrom, or host with name and user");
  } else if (ways > 1) {
    fields.refuse(by_url ? "url" : "urlFrom", "only one of url, urlFrom and host may be set");
  }
  if (by_parts) {
    if (database.name.empty()) {
      fields.refuse("name", "is required with host");
    }
    if (database.user.empty()) {
      fields.refuse("user", "is required with host");
    }
  } else {
    for (const auto* const key : {"port", "name", "user", "password", "passwordFrom", "sslMode"}) {
      if (fields.has(key)) {
        fields.refuse(key, "goes with host; a URL holds it already");
      }
    }
  }
  if (!database.password.empty() && database.password_from) {
    fields.refuse("password", "only one of password and passwordFrom may be set");
  }
}

void read_database(YamlFields& fields, DatabaseSpec& database) {
  read_text(fields, "url", database.url);
  read_reference(fields, "urlFrom", database.url_from);
  read_text(fields, "host", database.host);
  fields.integer("port", database.port, 1, 65'535);
  read_identifier(fields, "name", database.name);
  read_identifier(fields, "user", database.user);
  read_text(fields, "password", database.password);
  read_reference(fields, "passwordFrom", database.password_from);
  fields.choice("sslMode", database.ssl_mode, {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"});
  read_identifier(fields, "role", database.role);
  read_identifier(fields, "schema", database.schema);
  read_identifier(fields, "versionTable", database.version_table);
  refuse_unsupported(fields, {"tls"}, "is not supported yet; sslMode and the sslrootcert parameter of a url are");
  check_database_way(fields, database);
}

void read_source(YamlFields& fields, SourceSpec& source) {
  refuse_unsupported(fields, {"configMaps", "configMapRef", "fluxRef", "image"}, "needs a cluster");
  refuse_unsupported(fields, {"git"}, "is not supported yet; check the repository out and name its folder in path");
  fields.required_text("path", source.path);
  if (source.path.size() > kMaxTextBytes) {
    fields.refuse("path", "has more than " + std::to_string(kMaxTextBytes) + " bytes");
  }
  fields.flag("recursive", source.recursive);
  std::string format;
  fields.choice("format", format, {"auto"});
}

void read_policy(YamlFields& fields, PolicySpec& policy) {
  refuse_unsupported(fields, {"approval", "lint", "drift", "rehearsal"}, "is not supported yet");
  std::string downgrade = "Refuse";
  fields.choice("downgrade", downgrade, {"Refuse", "Allow"});
  policy.downgrade = downgrade == "Allow" ? DowngradePolicy::Allow : DowngradePolicy::Refuse;
}

void read_execution(YamlFields& fields, ExecutionSpec& execution) {
  refuse_unsupported(fields, {"mode", "podTemplate", "job"}, "needs a cluster");
  refuse_unsupported(fields, {"window", "retries"}, "is not supported yet");
  read_duration(fields, "lockWait", execution.lock_wait, milliseconds(0));
  read_duration(fields, "lockTimeout", execution.lock_timeout, milliseconds(1));
  read_duration(fields, "lockRetryBudget", execution.lock_retry_budget, milliseconds(0));
  read_duration(fields, "statementTimeout", execution.statement_timeout, milliseconds(0));
}

// A declaration must mean the same revision however often it is read: relative targets and ranges do not.
void check_target(YamlFields& fields, const std::string& target) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::size_t minus = target.rfind('-');
  const bool counts_back = minus != std::string::npos && minus + 1 < target.size() &&
                           std::all_of(target.begin() + static_cast<std::ptrdiff_t>(minus) + 1, target.end(), is_digit);
  if (counts_back || target.find_first_of("+:") != std::string::npos || target == "current" || target.ends_with("@current")) {
    fields.refuse("targetRevision", "a declared target may not be relative, a range, or `current`",
                  "use head, heads, base, a revision id, or label@head");
  } else if (target.find_first_of(" \t\r\n,") != std::string::npos) {
    fields.refuse("targetRevision", "is not one target", "use head, heads, base, a revision id, or label@head");
  } else if (target.size() > kMaxRevisionBytes) {
    fields.refuse("targetRevision", "has more than " + std::to_string(kMaxRevisionBytes) + " bytes");
  }
}

}  // namespace

bool is_namespace_name(std::string_view name) {
  return is_label(name);
}

bool is_resource_name(std::string_view name) {
  if (name.empty() || name.size() > 253) {
    return false;
  }
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t dot = std::min(name.find('.', start), name.size());
    if (!is_label(name.substr(start, dot - start))) {
      return false;
    }
    start = dot + 1;
  }
  return true;
}

void read_metadata(YamlFields& fields, Metadata& metadata) {
  fields.required_text("name", metadata.name);
  if (!metadata.name.empty() && !is_resource_name(metadata.name)) {
    fields.refuse("name", "is not a resource name", "use lower-case letters, digits, '-' and '.', at most 253 characters");
  }
  read_text(fields, "namespace", metadata.name_space);
  if (!is_namespace_name(metadata.name_space)) {
    fields.refuse("namespace", "is not a namespace name", "use lower-case letters, digits and '-', at most 63 characters");
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  fields.text_map("labels", pairs);
  metadata.labels = {pairs.begin(), pairs.end()};
  pairs.clear();
  fields.text_map("annotations", pairs);
  metadata.annotations = {pairs.begin(), pairs.end()};
}

void read_spec(YamlFields& fields, DatabaseMigrationSpec& spec) {
  refuse_unsupported(fields, {"backup", "verify"}, "is not supported yet");
  if (!fields.has("database")) {
    fields.refuse("database", "is required");
  }
  if (!fields.has("source")) {
    fields.refuse("source", "is required");
  }
  fields.mapping("database", [&spec](YamlFields& database) { read_database(database, spec.database); });
  fields.mapping("source", [&spec](YamlFields& source) { read_source(source, spec.source); });
  read_text(fields, "targetRevision", spec.target_revision);
  check_target(fields, spec.target_revision);
  fields.mapping("policy", [&spec](YamlFields& policy) { read_policy(policy, spec.policy); });
  fields.mapping("execution", [&spec](YamlFields& execution) { read_execution(execution, spec.execution); });
  fields.flag("suspend", spec.suspend);
  fields.flag("dryRun", spec.dry_run);
}

}  // namespace athanor::controller
