#include <algorithm>
#include <charconv>

#include "migrations/text/allowed_authentication.hpp"
#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxIdentifierBytes = 63;

bool is_variable_name(std::string_view text) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::ranges::all_of(text, is_word);
}

void read_identifier(YamlFields& fields, std::string_view key, std::string& value) {
  read_text(fields, key, value);
  if (value.size() > kMaxIdentifierBytes) {
    fields.refuse(key, "is longer than 63 bytes; PostgreSQL would truncate it", "choose a shorter name");
  }
}

void read_cluster_reference(YamlFields& from, SecretReference& reference) {
  refuse_fields(from, {"env"}, "is for standalone mode: use secretKeyRef",
                "name a Secret; resources may not read the operator's environment");
  from.mapping("secretKeyRef", [&reference](YamlFields& secret) {
    reference.kind = SecretReference::Kind::SecretKey;
    secret.required_text("name", reference.value);
    secret.required_text("key", reference.key);
    if (!reference.value.empty() && !is_resource_name(reference.value)) {
      secret.refuse("name", "is not a valid Secret name");
    }
  });
  std::string file;
  read_text(from, "file", file);
  if (from.has("secretKeyRef") == !file.empty()) {
    from.refuse("secretKeyRef", "exactly one of secretKeyRef and file must be set");
  }
  if (!file.empty()) {
    reference = {SecretReference::Kind::File, file, ""};
  }
}

void read_local_reference(YamlFields& from, SecretReference& reference) {
  refuse_fields(from, {"secretKeyRef"}, "needs a cluster; use env or file in standalone mode");
  std::string variable;
  std::string file;
  read_text(from, "env", variable);
  read_text(from, "file", file);
  if (variable.empty() == file.empty()) {
    from.refuse("env", "exactly one of env and file must be set");
  }
  if (!variable.empty() && !is_variable_name(variable)) {
    from.refuse("env", "is not a valid name of an environment variable");
  }
  using Kind = SecretReference::Kind;
  reference = variable.empty() ? SecretReference{Kind::File, file, ""} : SecretReference{Kind::Environment, variable, ""};
}

void read_checked(YamlFields& fields, std::string_view key, std::string& value, bool (*is_valid)(std::string_view),
                  const std::string& example) {
  read_text(fields, key, value);
  if (!value.empty() && !is_valid(value)) {
    fields.refuse(key, "is not of the form " + example);
  }
}

void read_auth(YamlFields& fields, DatabaseAuth& auth) {
  fields.required_text("serviceAccountName", auth.service_account);
  if (!auth.service_account.empty() && !is_resource_name(auth.service_account)) {
    fields.refuse("serviceAccountName", "is not the name of a ServiceAccount");
  }
  const int providers = int{fields.has("aws")} + int{fields.has("gcp")} + int{fields.has("azure")};
  fields.mapping("aws", [&auth](YamlFields& aws) {
    auth.provider = CloudProvider::Aws;
    if (!aws.has("region")) {
      aws.refuse("region", "is required", "name the region of the database: eu-central-1");
    }
    read_checked(aws, "region", auth.region, is_aws_region, "eu-central-1");
    read_checked(aws, "roleARN", auth.role, is_aws_role, "arn:aws:iam::123456789012:role/NAME");
  });
  fields.mapping("gcp", [&auth](YamlFields& gcp) {
    auth.provider = CloudProvider::Gcp;
    if (!gcp.has("workloadIdentityProvider")) {
      gcp.refuse("workloadIdentityProvider", "is required");
    }
    read_checked(
        gcp, "workloadIdentityProvider", auth.workload_provider,
        [](std::string_view text) { return is_workload_provider(text) || is_gke_cluster(text); },
        "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, or "
        "projects/PROJECT/locations/LOCATION/clusters/CLUSTER");
    read_checked(gcp, "serviceAccountEmail", auth.google_account, is_google_account, "NAME@PROJECT.iam.gserviceaccount.com");
  });
  fields.mapping("azure", [&auth](YamlFields& azure) {
    auth.provider = CloudProvider::Azure;
    read_checked(azure, "tenantID", auth.tenant, is_azure_tenant, "a GUID or a domain");
    read_checked(azure, "clientID", auth.client, is_azure_client, "a GUID");
  });
  if (providers != 1) {
    fields.refuse("aws", "exactly one of aws, gcp and azure must be set");
  }
}

// A token is a password for as long as it is valid, so only a verified server may receive it.
void check_auth(YamlFields& fields, const DatabaseSpec& database) {
  if (database.host.empty() && !database.host_from) {
    fields.refuse("auth", "needs host, name and user, not a URL");
  }
  for (const auto* const key : {"password", "passwordFrom"}) {
    if (fields.has(key)) {
      fields.refuse(key, "only one of auth and a password may be set");
    }
  }
  const std::string& mode = database.ssl_mode;
  if (mode == "verify-ca" && !database.root_certificate_from) {
    fields.refuse("sslMode", "verify-ca with auth needs tls.rootCertificateFrom",
                  "public authorities sign certificates for any host: use verify-full");
  } else if (!mode.empty() && mode != "verify-ca" && mode != "verify-full") {
    fields.refuse("sslMode", "auth needs verify-full, or verify-ca with tls.rootCertificateFrom",
                  "a token is a password, and any other server could read it");
  }
}

void check_parts(YamlFields& fields, const DatabaseSpec& database) {
  if (database.name.empty() && !database.name_from) {
    fields.refuse("name", "is required with host");
  }
  if (database.user.empty() && !database.user_from) {
    fields.refuse("user", "is required with host");
  }
}

void check_database_way(YamlFields& fields, const DatabaseSpec& database) {
  const bool by_url = !database.url.empty();
  const bool by_reference = database.url_from.has_value();
  const bool by_parts = !database.host.empty() || database.host_from;
  const int ways = int{by_url} + int{by_reference} + int{by_parts};
  if (ways == 0) {
    fields.refuse("url", "no database is specified", "set url, urlFrom, or host with name and user");
  } else if (ways > 1) {
    fields.refuse(by_url ? "url" : "urlFrom", "only one of url, urlFrom and host may be set");
  }
  if (by_parts) {
    check_parts(fields, database);
  } else {
    for (const auto* const key :
         {"port", "portFrom", "name", "nameFrom", "user", "userFrom", "password", "passwordFrom", "sslMode", "requireAuth"}) {
      if (fields.has(key)) {
        fields.refuse(key, "may only be set with host; put it in the URL instead");
      }
    }
  }
  for (const auto* const key : {"host", "port", "name", "user", "password"}) {
    const std::string from = std::string(key) + "From";
    if (fields.has(key) && fields.has(from)) {
      fields.refuse(key, "only one of " + std::string(key) + " and " + from + " may be set");
    }
  }
}

}  // namespace

void read_reference(YamlFields& fields, std::string_view key, std::optional<SecretReference>& reference,
                    OperatorMode operator_mode) {
  if (!fields.has(key)) {
    return;
  }
  fields.mapping(key, [&reference, operator_mode](YamlFields& from) {
    reference.emplace();
    if (operator_mode == OperatorMode::Cluster) {
      read_cluster_reference(from, *reference);
    } else {
      read_local_reference(from, *reference);
    }
  });
}

void read_database(YamlFields& fields, DatabaseSpec& database, OperatorMode operator_mode) {
  read_text(fields, "url", database.url);
  read_reference(fields, "urlFrom", database.url_from, operator_mode);
  read_text(fields, "host", database.host);
  read_reference(fields, "hostFrom", database.host_from, operator_mode);
  fields.integer("port", database.port, 1, 65'535);
  read_reference(fields, "portFrom", database.port_from, operator_mode);
  read_identifier(fields, "name", database.name);
  read_reference(fields, "nameFrom", database.name_from, operator_mode);
  read_identifier(fields, "user", database.user);
  read_reference(fields, "userFrom", database.user_from, operator_mode);
  read_text(fields, "password", database.password);
  read_reference(fields, "passwordFrom", database.password_from, operator_mode);
  fields.choice("sslMode", database.ssl_mode, {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"});
  read_text(fields, "requireAuth", database.require_auth);
  if (const auto allowed = parse_require_auth(database.require_auth); !allowed) {
    fields.refuse("requireAuth", allowed.error().hint);
  }
  fields.mapping("tls", [&database, operator_mode](YamlFields& tls) {
    read_reference(tls, "rootCertificateFrom", database.root_certificate_from, operator_mode);
    read_reference(tls, "clientCertificateFrom", database.client_certificate_from, operator_mode);
    read_reference(tls, "clientKeyFrom", database.client_key_from, operator_mode);
    if (database.client_certificate_from.has_value() != database.client_key_from.has_value()) {
      tls.refuse("clientCertificateFrom", "must be set together with clientKeyFrom");
    }
  });
  if (operator_mode == OperatorMode::Standalone) {
    refuse_fields(fields, {"auth"}, "needs a cluster, which issues the token of a ServiceAccount");
  }
  fields.mapping("auth", [&database](YamlFields& auth) { read_auth(auth, database.auth.emplace()); });
  read_identifier(fields, "role", database.role);
  read_identifier(fields, "schema", database.schema);
  read_identifier(fields, "versionTable", database.version_table);
  check_database_way(fields, database);
  if (database.auth) {
    check_auth(fields, database);
  }
  if (fields.has("tls") && database.ssl_mode == "disable") {
    fields.refuse("sslMode", "tls needs an sslMode other than disable");
  }
}

}  // namespace athanor::controller
