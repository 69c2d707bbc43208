// What a ServiceAccount is at a provider: the role, account or application that spec.database.auth or an annotation of the
// ServiceAccount names.
//
// The annotations are those of the providers' own workload identity: eks.amazonaws.com/role-arn,
// iam.gke.io/gcp-service-account, azure.workload.identity/client-id and azure.workload.identity/tenant-id.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "operator/identity/database_token.hpp"
#include "operator/identity/service_accounts.hpp"

namespace athanor::controller {

struct CloudIdentity {
  DatabaseAuth auth;     // with the values of the annotations
  std::string account;   // "ServiceAccount shop/orders", for messages
  std::string audience;  // of the token that the API server issues
};

// Error: MissingDatabaseUrl (transient) when a value is missing or malformed, with the field and the annotation.
[[nodiscard]] Result<CloudIdentity> identify(const TokenWanted& wanted, const ServiceAccountFacts& account);

// The audience that Google's token service is asked for.
[[nodiscard]] std::string google_audience(const std::string& workload_provider);

}  // namespace athanor::controller
