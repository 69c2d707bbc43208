#include "operator/identity/cloud_identity.hpp"

#include <utility>

namespace athanor::controller {
namespace {

struct Annotated {
  std::string DatabaseAuth::*value;
  const char* field;
  const char* annotation;
  bool (*is_valid)(std::string_view);
  bool required;
};

constexpr Annotated kRole{&DatabaseAuth::role, "aws.roleARN", "eks.amazonaws.com/role-arn", is_aws_role, true};
// Without one the federated identity itself logs in.
constexpr Annotated kGoogleAccount{&DatabaseAuth::google_account, "gcp.serviceAccountEmail", "iam.gke.io/gcp-service-account",
                                   is_google_account, false};
constexpr Annotated kClient{&DatabaseAuth::client, "azure.clientID", "azure.workload.identity/client-id", is_azure_client,
                            true};
constexpr Annotated kTenant{&DatabaseAuth::tenant, "azure.tenantID", "azure.workload.identity/tenant-id", is_azure_tenant,
                            true};

Result<void> complete(CloudIdentity& identity, const ServiceAccountFacts& account, const Annotated& annotated) {
  std::string& value = identity.auth.*(annotated.value);
  if (!value.empty()) {
    return {};
  }
  const auto found = account.annotations.find(annotated.annotation);
  if (found == account.annotations.end() || found->second.empty()) {
    if (!annotated.required) {
      return {};
    }
    return fail(Error(ErrorCode::MissingDatabaseUrl, identity.account + " has no annotation " + annotated.annotation)
                    .with_retry(RetryClass::Transient)
                    .at("spec.database.auth")
                    .advise(std::string("annotate it, or set spec.database.auth.") + annotated.field));
  }
  if (!annotated.is_valid(found->second)) {
    return fail(Error(ErrorCode::MissingDatabaseUrl,
                      "the annotation " + std::string(annotated.annotation) + " of " + identity.account + " is malformed")
                    .with_retry(RetryClass::Transient)
                    .at("spec.database.auth")
                    .advise("correct it"));
  }
  value = found->second;
  return {};
}

// "proj" of "projects/proj/locations/…".
std::string project_of(const std::string& cluster) {
  const std::size_t begin = cluster.find('/') + 1;
  return cluster.substr(begin, cluster.find('/', begin) - begin);
}

std::string audience_of(const DatabaseAuth& auth) {
  switch (auth.provider) {
    case CloudProvider::Aws:
      return auth.region.starts_with("cn-") ? "sts.amazonaws.com.cn" : "sts.amazonaws.com";
    case CloudProvider::Gcp:
      // The pool that every GKE cluster of a project shares; otherwise the default audience of a provider.
      return is_gke_cluster(auth.workload_provider) ? project_of(auth.workload_provider) + ".svc.id.goog"
                                                    : "https://iam.googleapis.com/" + auth.workload_provider;
    case CloudProvider::Azure:
      break;
  }
  return "api://AzureADTokenExchange";
}

}  // namespace

std::string google_audience(const std::string& workload_provider) {
  if (is_gke_cluster(workload_provider)) {
    return "identitynamespace:" + project_of(workload_provider) + ".svc.id.goog:https://container.googleapis.com/v1/" +
           workload_provider;
  }
  return "//iam.googleapis.com/" + workload_provider;
}

Result<CloudIdentity> identify(const TokenWanted& wanted, const ServiceAccountFacts& account) {
  CloudIdentity identity;
  identity.auth = wanted.auth;
  identity.account = "ServiceAccount " + wanted.name_space + "/" + wanted.auth.service_account;
  identity.audience = audience_of(wanted.auth);
  switch (wanted.auth.provider) {
    case CloudProvider::Aws:
      TRY(complete(identity, account, kRole));
      break;
    case CloudProvider::Gcp:
      TRY(complete(identity, account, kGoogleAccount));
      break;
    case CloudProvider::Azure:
      TRY(complete(identity, account, kClient));
      TRY(complete(identity, account, kTenant));
      break;
  }
  return identity;
}

}  // namespace athanor::controller
