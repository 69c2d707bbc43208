#include "operator/identity/cloud_exchange.hpp"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "migrations/base/timestamp.hpp"
#include "migrations/text/percent_encoding.hpp"
#include "operator/identity/provider_answer.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kGoogleScope = "https://www.googleapis.com/auth/sqlservice.login";
constexpr const char* kGoogleImpersonation = "https://www.googleapis.com/auth/cloud-platform";  // for generateAccessToken
constexpr const char* kAzureScope = "https://ossrdbms-aad.database.windows.net/.default";
constexpr std::size_t kMaxSessionName = 64;
constexpr std::chrono::hours kLongestKept{1};
constexpr int kServerError = 500;
constexpr int kThrottled = 429;

std::string form(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    text += (text.empty() ? "" : "&") + percent_encoded(name) + "=" + percent_encoded(value);
  }
  return text;
}

Error no_token(const CloudIdentity& identity, const std::string& reason, const std::string& hint) {
  return Error(ErrorCode::MissingDatabaseUrl, std::string(provider_name(identity.auth.provider)) + " gives " +
                                                  identity.account + " no token for the database: " + reason)
      .with_retry(RetryClass::Transient)
      .at("spec.database.auth")
      .advise(hint);
}

std::string way_out_of(const CloudIdentity& identity) {
  switch (identity.auth.provider) {
    case CloudProvider::Aws:
      return "let the trust policy of " + identity.auth.role + " name this ServiceAccount and the audience " +
             identity.audience;
    case CloudProvider::Gcp:
      return identity.auth.google_account.empty()
                 ? "allow this ServiceAccount in the conditions of the workload identity provider"
                 : "give this ServiceAccount the role roles/iam.workloadIdentityUser on " + identity.auth.google_account;
    case CloudProvider::Azure:
      break;
  }
  return "add a federated credential for this ServiceAccount to the application " + identity.auth.client;
}

Result<std::string> answer_to(const CloudIdentity& identity, HttpsCall call, const ExchangeTools& tools) {
  call.deadline = tools.deadline;
  TRY_ASSIGN(HttpsAnswer answer, tools.caller.post(call, tools.stop));
  if (answer.status == 200) {
    return std::move(answer.body);
  }
  const std::string code = refusal_code(answer.body);
  const std::string status = "status " + std::to_string(answer.status);
  const bool later = answer.status >= kServerError || answer.status == kThrottled;
  return fail(no_token(identity, code.empty() ? status : code + " (" + status + ")",
                       later ? "the next attempt is made by itself" : way_out_of(identity)));
}

Error unreadable(const CloudIdentity& identity) {
  return no_token(identity, "its answer holds none", "look whether the endpoint is the provider's");
}

// Appears in CloudTrail: which ServiceAccount connected.
std::string session_name(const CloudIdentity& identity) {
  std::string name = "athanor-" + identity.account.substr(identity.account.find(' ') + 1);
  std::ranges::replace(name, '/', '.');
  name.resize(std::min(name.size(), kMaxSessionName));
  return name;
}

Result<CloudCredential> exchange_at_aws(const CloudIdentity& identity, const std::string& subject, const ExchangeTools& tools) {
  HttpsCall call;
  call.server = tools.endpoints.aws_sts_of(identity.auth.region);
  call.body = form({{"Action", "AssumeRoleWithWebIdentity"},
                    {"Version", "2011-06-15"},
                    {"RoleArn", identity.auth.role},
                    {"RoleSessionName", session_name(identity)},
                    {"WebIdentityToken", subject}});
  TRY_ASSIGN(const std::string body, answer_to(identity, std::move(call), tools));
  const auto key = xml_text(body, "AccessKeyId");
  const auto secret = xml_text(body, "SecretAccessKey");
  const auto session = xml_text(body, "SessionToken");
  const auto expires = parse_rfc3339(xml_text(body, "Expiration").value_or(""));
  if (!key || key->empty() || !secret || secret->empty() || !session || session->empty() || !expires) {
    return fail(unreadable(identity));
  }
  return CloudCredential{{*key, *secret, *session}, {}, std::min<WallTime>(*expires, tools.now + kLongestKept)};
}

Result<CloudCredential> credential_of(const CloudIdentity& identity, Result<AccessToken> token) {
  if (!token) {
    return fail(unreadable(identity));
  }
  return CloudCredential{{}, std::move(token->value), token->expires_at};
}

Result<CloudCredential> exchange_at_google(const CloudIdentity& identity, const std::string& subject,
                                           const ExchangeTools& tools) {
  const std::string& account = identity.auth.google_account;
  HttpsCall call;
  call.server = tools.endpoints.gcp_sts;
  call.path = "/v1/token";
  call.body = form({{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                    {"audience", google_audience(identity.auth.workload_provider)},
                    {"scope", account.empty() ? kGoogleScope : kGoogleImpersonation},
                    {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                    {"subject_token", subject},
                    {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"}});
  TRY_ASSIGN(const std::string body, answer_to(identity, std::move(call), tools));
  auto federated = oauth_token(body, tools.now);
  if (account.empty() || !federated) {
    return credential_of(identity, std::move(federated));
  }
  HttpsCall impersonation;
  impersonation.server = tools.endpoints.gcp_iam;
  impersonation.path = "/v1/projects/-/serviceAccounts/" + percent_encoded(account) + ":generateAccessToken";
  impersonation.content_type = "application/json";
  impersonation.bearer = federated->value;
  impersonation.body = nlohmann::json{{"scope", nlohmann::json::array({kGoogleScope})}}.dump();
  TRY_ASSIGN(const std::string generated, answer_to(identity, std::move(impersonation), tools));
  return credential_of(identity, google_token(generated, tools.now));
}

Result<CloudCredential> exchange_at_azure(const CloudIdentity& identity, const std::string& subject,
                                          const ExchangeTools& tools) {
  HttpsCall call;
  call.server = tools.endpoints.azure_login;
  call.path = "/" + percent_encoded(identity.auth.tenant) + "/oauth2/v2.0/token";
  call.body = form({{"grant_type", "client_credentials"},
                    {"client_id", identity.auth.client},
                    {"scope", kAzureScope},
                    {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
                    {"client_assertion", subject}});
  TRY_ASSIGN(const std::string body, answer_to(identity, std::move(call), tools));
  return credential_of(identity, oauth_token(body, tools.now));
}

}  // namespace

Result<CloudCredential> exchange(const CloudIdentity& identity, const std::string& subject, const ExchangeTools& tools) {
  switch (identity.auth.provider) {
    case CloudProvider::Aws:
      return exchange_at_aws(identity, subject, tools);
    case CloudProvider::Gcp:
      return exchange_at_google(identity, subject, tools);
    case CloudProvider::Azure:
      break;
  }
  return exchange_at_azure(identity, subject, tools);
}

}  // namespace athanor::controller
