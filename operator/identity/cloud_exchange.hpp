// Exchanges the token of a ServiceAccount for credentials of a provider.
//
// AWS: AssumeRoleWithWebIdentity of the security token service. Google Cloud: the token exchange of its security token service,
// then generateAccessToken when a service account is to be impersonated. Azure: the client credentials grant of Microsoft Entra
// with the token as client assertion.
//
// Threads: pure functions apart from the requests. Secrets: tokens and credentials; an error contains the provider's error code
// only.
#pragma once

#include <string>

#include "operator/identity/aws_signature.hpp"
#include "operator/identity/cloud_endpoints.hpp"
#include "operator/identity/cloud_identity.hpp"
#include "operator/identity/https_caller.hpp"

namespace athanor::controller {

// Of AWS the keys, of the others the access token, which is the password.
struct CloudCredential {
  AwsCredentials aws;
  std::string access_token;
  WallTime expires_at;
};

struct ExchangeTools {
  HttpsCaller& caller;
  const CloudEndpoints& endpoints;
  WallTime now;
  milliseconds deadline;  // for each request
  StopToken stop;
};

// `subject`: the ServiceAccount's token for identity.audience. Errors: MissingDatabaseUrl (transient) with the ServiceAccount
// and the provider's error code; those of HttpsCaller.
[[nodiscard]] Result<CloudCredential> exchange(const CloudIdentity& identity, const std::string& subject,
                                               const ExchangeTools& tools);

}  // namespace athanor::controller
