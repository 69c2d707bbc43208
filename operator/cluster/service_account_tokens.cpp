#include "operator/cluster/service_account_tokens.hpp"

#include <utility>

#include "operator/kube/object_fields.hpp"
#include "operator/kube/secret_label.hpp"

namespace athanor::controller {
namespace {

constexpr int kValidSeconds = 600;  // the least that the API server issues

// The error of a request about a ServiceAccount. The cluster may create it at any time, and it is not watched.
Error error_about(const std::string& named, Error error) {
  if (error.code == ErrorCode::ApiNotFound) {
    return Error(ErrorCode::MissingDatabaseUrl, named + " does not exist")
        .with_retry(RetryClass::Transient)
        .advise("create it in the namespace of the resource");
  }
  return std::move(error).at(named);
}

}  // namespace

Result<ServiceAccountFacts> ServiceAccountTokens::find(const std::string& name_space, const std::string& name) {
  const std::string named = "ServiceAccount " + name_space + "/" + name;
  auto account = reader_.get(kube::kServiceAccounts, name_space, name);
  if (!account) {
    return fail(error_about(named, std::move(account).error()));
  }
  if (!is_allowed(*account)) {
    return fail(Error(ErrorCode::MissingDatabaseUrl,
                      named + " does not have the label " + kAllowLabel + ": \"true\", without which no token is made of it")
                    .with_retry(RetryClass::Transient)
                    .advise("label the ServiceAccount if resources of its namespace may use it"));
  }
  ServiceAccountFacts facts;
  const auto* const metadata = part_of(*account, "metadata");
  facts.uid = text_of(*metadata, "uid");
  if (const auto* const annotations = part_of(*metadata, "annotations")) {
    for (const auto& [key, value] : annotations->items()) {
      if (value.is_string()) {
        facts.annotations.emplace(key, value.get<std::string>());
      }
    }
  }
  return facts;
}

Result<std::string> ServiceAccountTokens::token(const std::string& name_space, const std::string& name,
                                                const std::string& audience) {
  const std::string named = "ServiceAccount " + name_space + "/" + name;
  CreateOptions options;
  options.name = name;
  options.subresource = "token";
  const KubeObject request{{"apiVersion", "authentication.k8s.io/v1"},
                           {"kind", "TokenRequest"},
                           {"spec", {{"audiences", KubeObject::array({audience})}, {"expirationSeconds", kValidSeconds}}}};
  auto issued = writer_.create(kube::kServiceAccounts, name_space, request, options);
  if (!issued) {
    return fail(error_about(named, std::move(issued).error()));
  }
  const auto* const status = part_of(*issued, "status");
  std::string token = status == nullptr ? std::string() : text_of(*status, "token");
  if (token.empty()) {
    return fail(Error(ErrorCode::ApiUnreachable, "the API server issued no token").at(named));
  }
  return token;
}

}  // namespace athanor::controller
