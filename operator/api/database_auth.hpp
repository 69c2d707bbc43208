// spec.database.auth: the database takes a token of a cloud's identity service instead of a password.
//
// The token belongs to a ServiceAccount in the namespace of the resource. Values that become part of a host name, a path or a
// form are restricted to the characters that they have in the provider's own documentation, wherever they come from.
//
// Threads: plain value, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace athanor::controller {

enum class CloudProvider : std::uint8_t { Aws, Gcp, Azure };

// Empty texts of the providers are read from annotations of the ServiceAccount (operator/identity/cloud_identity.hpp).
struct DatabaseAuth {
  CloudProvider provider = CloudProvider::Aws;
  std::string service_account;  // name, in the namespace of the resource
  // AWS: RDS and Aurora with IAM authentication.
  std::string region;
  std::string role;
  // Google Cloud: Cloud SQL with IAM authentication.
  std::string workload_provider;  // full resource name of a workload identity provider, or of a GKE cluster
  std::string google_account;     // e-mail of the service account to impersonate
  // Azure: Azure Database for PostgreSQL with Microsoft Entra authentication.
  std::string tenant;
  std::string client;
  bool operator==(const DatabaseAuth&) const = default;
};

// "AWS", "Google Cloud", "Azure".
[[nodiscard]] std::string_view provider_name(CloudProvider provider);

// "eu-central-1".
[[nodiscard]] bool is_aws_region(std::string_view text);
// "arn:aws:iam::123456789012:role/orders".
[[nodiscard]] bool is_aws_role(std::string_view text);
// "projects/123/locations/global/workloadIdentityPools/POOL/providers/PROVIDER".
[[nodiscard]] bool is_workload_provider(std::string_view text);
// "projects/PROJECT/locations/LOCATION/clusters/CLUSTER".
[[nodiscard]] bool is_gke_cluster(std::string_view text);
// "orders@project.iam.gserviceaccount.com".
[[nodiscard]] bool is_google_account(std::string_view text);
// A GUID or a domain.
[[nodiscard]] bool is_azure_tenant(std::string_view text);
// A GUID.
[[nodiscard]] bool is_azure_client(std::string_view text);

}  // namespace athanor::controller
