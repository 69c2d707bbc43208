#include "operator/identity/cloud_tokens.hpp"

#include <algorithm>
#include <utility>

namespace athanor::controller {
namespace {

// Everything that decides what the provider answers. No part may contain a line end.
std::string key_of(const TokenWanted& wanted, const CloudIdentity& identity, const ServiceAccountFacts& account) {
  const DatabaseAuth& auth = identity.auth;
  std::string key = wanted.name_space;
  for (const auto& part : {auth.service_account, account.uid, std::string(provider_name(auth.provider)), auth.region, auth.role,
                           auth.workload_provider, auth.google_account, auth.tenant, auth.client}) {
    key += '\n' + part;
  }
  return key;
}

}  // namespace

bool CloudTokens::find_kept(const std::string& key, CloudCredential& credential) {
  const WallTime now = clock_.wall_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_, [now](const auto& entry) { return entry.second.expires_at - kMargin <= now; });
  const auto found = kept_.find(key);
  if (found == kept_.end()) {
    return false;
  }
  credential = found->second;
  return true;
}

void CloudTokens::keep(const std::string& key, const CloudCredential& credential) {
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMostKept) {
    kept_.clear();
  }
  kept_.insert_or_assign(key, credential);
}

Result<DatabaseToken> CloudTokens::token(const TokenWanted& wanted, const TokenTerms& terms) {
  const std::string& name = wanted.auth.service_account;
  TRY_ASSIGN(const ServiceAccountFacts account, accounts_.find(wanted.name_space, name));
  TRY_ASSIGN(const CloudIdentity identity, identify(wanted, account));
  const std::string key = key_of(wanted, identity, account);
  CloudCredential credential;
  const bool cached = !terms.renew && find_kept(key, credential);
  if (!cached) {
    TRY_ASSIGN(const std::string subject, accounts_.token(wanted.name_space, name, identity.audience));
    TRY_ASSIGN(credential, exchange(identity, subject, {caller_, endpoints_, clock_.wall_now(), terms.deadline, terms.stop}));
    keep(key, credential);
  }
  if (wanted.auth.provider != CloudProvider::Aws) {
    return DatabaseToken{std::move(credential.access_token), credential.expires_at, cached};
  }
  const WallTime now = clock_.wall_now();
  return DatabaseToken{rds_token(credential.aws, {wanted.host, wanted.port, wanted.user, wanted.auth.region}, now),
                       std::min<WallTime>(credential.expires_at, now + kRdsTokenLifetime), cached};
}

}  // namespace athanor::controller
