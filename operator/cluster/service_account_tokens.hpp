// ServiceAccounts from the API server, and tokens of them (the TokenRequest API).
//
// Whoever may write a DatabaseMigration names a ServiceAccount and the server that the token for the database goes to. So only
// a ServiceAccount with the label of secret_label.hpp may be named: setting it takes the right to write ServiceAccounts.
//
// Threads: as ServiceAccounts. Ownership: borrows reader and writer.
#pragma once

#include "operator/identity/service_accounts.hpp"
#include "operator/kube/api_client.hpp"

namespace athanor::controller {

class ServiceAccountTokens final : public ServiceAccounts {
 public:
  ServiceAccountTokens(KubeReader& reader, KubeWriter& writer) : reader_(reader), writer_(writer) {}

  [[nodiscard]] Result<ServiceAccountFacts> find(const std::string& name_space, const std::string& name) override;
  [[nodiscard]] Result<std::string> token(const std::string& name_space, const std::string& name,
                                          const std::string& audience) override;

 private:
  KubeReader& reader_;
  KubeWriter& writer_;
};

}  // namespace athanor::controller
