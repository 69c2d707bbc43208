// The token source of a cluster: ServiceAccount, provider, database token.
//
// What the provider answers is kept until shortly before it expires, so a reconcile does not ask it again; a token for RDS is
// signed anew from it for every connection. The ServiceAccount is looked up for every token, so a removed label or a deleted
// ServiceAccount counts at once. A ServiceAccount that was deleted and created again is another one.
//
// Threads: safe from any thread; two threads may ask the provider for the same credential at the same time. Ownership: borrows
// everything. Secrets: keeps credentials in memory, at most kMostKept of them, and drops the expired ones.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "operator/identity/cloud_exchange.hpp"
#include "operator/identity/database_token.hpp"

namespace athanor::controller {

class CloudTokens final : public TokenSource {
 public:
  static constexpr std::size_t kMostKept = 10'000;
  // A credential that expires sooner is not used: making a connection and waiting in a queue takes time, and clocks differ.
  static constexpr std::chrono::minutes kMargin{2};

  CloudTokens(ServiceAccounts& accounts, HttpsCaller& caller, CloudEndpoints endpoints, Clock& clock)
      : accounts_(accounts), caller_(caller), endpoints_(std::move(endpoints)), clock_(clock) {}

  [[nodiscard]] Result<DatabaseToken> token(const TokenWanted& wanted, const TokenTerms& terms) override;

 private:
  [[nodiscard]] bool find_kept(const std::string& key, CloudCredential& credential);
  void keep(const std::string& key, const CloudCredential& credential);

  ServiceAccounts& accounts_;
  HttpsCaller& caller_;
  CloudEndpoints endpoints_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, CloudCredential> kept_;
};

}  // namespace athanor::controller
