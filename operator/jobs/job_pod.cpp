#include "operator/jobs/job_pod.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "migrations/text/quoting.hpp"
#include "operator/reconcile/policy_floor.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kSourceVolume = "athanor-source";
constexpr const char* kSourceFolder = "/run/athanor/migrations";
constexpr const char* kKeysVolume = "athanor-tls";
constexpr const char* kKeysFolder = "/run/athanor/tls";
// Projected files belong to root; the container's user reads them through the fsGroup. libpq accepts a key that root owns and
// the group can read, but none that others can read.
constexpr int kKeysMode = 0440;

// Kubernetes expands $(NAME) in arguments and values, also to the value of a secret variable. "$$" is a literal dollar sign.
std::string verbatim(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    safe += c;
    if (c == '$') {
      safe += c;
    }
  }
  return safe;
}

std::string duration_text(milliseconds duration) {
  return std::to_string(duration.count()) + "ms";
}

Result<void> require_secret(const SecretReference& reference, const std::string& field) {
  if (reference.kind == SecretReference::Kind::SecretKey) {
    return {};
  }
  return fail(Error(ErrorCode::Configuration, "a Job cannot read files of the operator's pod")
                  .at("spec.database." + field)
                  .advise("use secretKeyRef, or set spec.execution.mode to InProcess"));
}

Error password_error(const std::string& field) {
  return Error(ErrorCode::Configuration, "a password in the resource is not copied into a Job")
      .at("spec.database." + field)
      .advise("put it in a Secret and name that in " + field + "From");
}

Result<void> add_part(JobPod& pod, const std::string& variable, const std::optional<SecretReference>& from,
                      const std::string& plain, const std::string& field) {
  if (!from) {
    if (!plain.empty()) {
      pod.add_variable(variable, plain);
    }
    return {};
  }
  TRY(require_secret(*from, field + "From"));
  pod.environment.push_back(
      {{"name", variable}, {"valueFrom", {{"secretKeyRef", {{"name", from->value}, {"key", from->key}}}}}});
  return {};
}

Result<void> add_parts(const DatabaseSpec& database, JobPod& pod) {
  if (!database.password.empty()) {
    return fail(password_error("password"));
  }
  TRY(add_part(pod, "ATHANOR_DATABASE_HOST", database.host_from, database.host, "host"));
  TRY(add_part(pod, "ATHANOR_DATABASE_PORT", database.port_from, std::to_string(database.port), "port"));
  TRY(add_part(pod, "ATHANOR_DATABASE_NAME", database.name_from, database.name, "name"));
  TRY(add_part(pod, "ATHANOR_DATABASE_USER", database.user_from, database.user, "user"));
  return add_part(pod, "ATHANOR_DATABASE_PASSWORD", database.password_from, "", "password");
}

struct Certificate {
  const char* field;
  const char* file;
  const char* variable;  // read by libpq
  std::optional<SecretReference> DatabaseSpec::*from;
};

constexpr std::array kCertificates{
    Certificate{"tls.rootCertificateFrom", "ca.crt", "PGSSLROOTCERT", &DatabaseSpec::root_certificate_from},
    Certificate{"tls.clientCertificateFrom", "tls.crt", "PGSSLCERT", &DatabaseSpec::client_certificate_from},
    Certificate{"tls.clientKeyFrom", "tls.key", "PGSSLKEY", &DatabaseSpec::client_key_from},
};

Result<void> add_certificates(const DatabaseSpec& database, JobPod& pod) {
  KubeObject sources = KubeObject::array();
  for (const Certificate& certificate : kCertificates) {
    const auto& from = database.*certificate.from;
    if (!from) {
      continue;
    }
    TRY(require_secret(*from, certificate.field));
    KubeObject items = KubeObject::array({{{"key", from->key}, {"path", certificate.file}}});
    sources.push_back({{"secret", {{"name", from->value}, {"items", std::move(items)}}}});
    pod.add_variable(certificate.variable, std::string(kKeysFolder) + "/" + certificate.file);
  }
  std::string mode = database.ssl_mode;
  if (mode.empty() && database.root_certificate_from) {
    mode = "verify-full";  // naming a certificate authority means: verify the server
  }
  if (mode.empty()) {
    mode = database.default_ssl_mode.empty() ? database.minimum_ssl_mode : database.default_ssl_mode;
  }
  if (!database.require_auth.empty()) {
    pod.add_variable("PGREQUIREAUTH", database.require_auth);
  } else {
    // As the operator's own connections (connection_rules.cpp). Only the pod reads the URL of a Secret, and with it the
    // sslmode.
    pod.add_variable("ATHANOR_UNVERIFIED_REQUIRE_AUTH", "!password,!md5");
  }
  if (!database.root_certificate_from && mode == "verify-full") {
    pod.add_variable("PGSSLROOTCERT", "system");
  }
  if (!mode.empty()) {
    pod.add_variable("PGSSLMODE", mode);
  }
  if (!sources.empty()) {
    pod.volumes.push_back(
        {{"name", kKeysVolume}, {"projected", {{"defaultMode", kKeysMode}, {"sources", std::move(sources)}}}});
    pod.mounts.push_back({{"name", kKeysVolume}, {"mountPath", kKeysFolder}, {"readOnly", true}});
    pod.reads_keys = true;
  }
  return {};
}

void mount_source(JobPod& pod, KubeObject volume, const std::string& folder) {
  volume["name"] = kSourceVolume;
  pod.volumes.push_back(std::move(volume));
  pod.mounts.push_back({{"name", kSourceVolume}, {"mountPath", kSourceFolder}, {"readOnly", true}});
  pod.add_flag("--migrations", folder);
}

}  // namespace

void JobPod::add_variable(const std::string& name, const std::string& value) {
  environment.push_back({{"name", name}, {"value", verbatim(value)}});
}

void JobPod::add_flag(const std::string& name, const std::string& value) {
  add_argument(name + "=" + value);
}

void JobPod::add_setting(const std::string& name, const std::string& value) {
  add_flag("--set", name + "=" + value);
}

void JobPod::add_argument(const std::string& text) {
  arguments.push_back(verbatim(text));
}

Result<void> add_database(const DatabaseMigration& resource, JobPod& pod) {
  const DatabaseSpec& database = resource.spec.database;
  if (database.auth) {
    return fail(Error(ErrorCode::Configuration, "a Job's pod cannot make tokens for the database")
                    .at("spec.database.auth")
                    .advise("set spec.execution.mode to InProcess"));
  }
  if (may_hold_password(database.url)) {
    return fail(password_error("url"));
  }
  if (database.url_from || !database.url.empty()) {
    TRY(add_part(pod, "DATABASE_URL", database.url_from, database.url, "url"));
  } else {
    TRY(add_parts(database, pod));
  }
  TRY(add_certificates(database, pod));
  pod.add_variable("USER", "databasemigration/" + resource.key().text());  // the actor recorded in the ledger
  return {};
}

Result<void> add_source(const DatabaseMigration& resource, const JobFiles& files, JobPod& pod) {
  const SourceSpec& source = resource.spec.source;
  if (is_handed_over(source)) {
    mount_source(pod, files.volume(), kSourceFolder);
  } else if (source.image) {
    const std::string& path = source.image->path;
    mount_source(pod, {{"image", {{"reference", source.image->reference}}}},
                 kSourceFolder + std::string(path.starts_with('/') ? "" : "/") + path);
  } else {
    // The same path that the operator uses: below the namespace's folder of the first root.
    pod.add_flag("--migrations", source.path.starts_with('/')
                                     ? source.path
                                     : resource.folder + "/" + resource.metadata.name_space + "/" + source.path);
  }
  if (source.recursive) {
    pod.add_setting("recursive_version_locations", "true");
  }
  return {};
}

void add_lint(const DatabaseMigration& resource, JobPod& pod) {
  const auto& lint = resource.spec.policy.lint;
  if (!lint) {
    return;
  }
  pod.add_argument("--lint");
  pod.add_setting("lint.small_table_rows", std::to_string(lint->small_table_rows));
  for (const auto& [rule, level] : lint->levels) {
    pod.add_setting("lint." + rule, std::string(severity_name(level)));
  }
}

void add_settings(const DatabaseMigration& resource, JobPod& pod) {
  const DatabaseSpec& database = resource.spec.database;
  const ExecutionSpec& execution = resource.spec.execution;
  pod.add_setting("version_table", database.version_table);
  if (!database.schema.empty()) {
    pod.add_setting("version_table_schema", database.schema);
    pod.add_setting("search_path", quote_identifier(database.schema) + ", public");
  }
  if (!database.role.empty()) {
    pod.add_setting("role", database.role);
  }
  // A worker of the operator does not wait for a lock but serves other databases meanwhile. A pod has nothing else to do and
  // may wait.
  pod.add_setting("lock_wait", duration_text(std::max(execution.lock_wait, execution.lock_retry_budget)));
  pod.add_setting("lock_timeout", duration_text(execution.lock_timeout));
  pod.add_setting("lock_retry_budget", duration_text(execution.lock_retry_budget));
  pod.add_setting("statement_timeout", duration_text(execution.statement_timeout));
  if (resource.spec.policy.drift != DriftPolicy::Ignore) {
    pod.add_setting("keep_catalog", "true");
  }
  pod.add_setting("application_name", "athanor-job");
  pod.add_setting("header_cache", "false");  // the pod's files are lost when it ends
}

}  // namespace athanor::controller
