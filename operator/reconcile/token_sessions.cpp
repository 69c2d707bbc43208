#include "operator/reconcile/token_sessions.hpp"

#include <utility>

#include "migrations/text/database_url.hpp"

namespace athanor::controller {
namespace {

// An observer connects while the run waits for its answer.
constexpr milliseconds kObserverWaits{3'000};

// What a database needs to take the token of a provider.
const char* way_in(CloudProvider provider) {
  switch (provider) {
    case CloudProvider::Aws:
      return "grant rds_iam to the user, and let the policy of the role allow rds-db:connect as this user; host and region "
             "must "
             "be the database's own";
    case CloudProvider::Gcp:
      return "add the user to the instance as cloud_iam_service_account, and give it roles/cloudsql.instanceUser";
    case CloudProvider::Azure:
      break;
  }
  return "make the user with pgaadauth_create_principal, with the name of the identity";
}

class TokenSessions final : public SessionFactory {
 public:
  TokenSessions(const DatabaseTarget& target, const SessionFactoryMaker& connect, ExecutionSettings settings, StopToken stop,
                std::unique_ptr<SessionFactory> without)
      : url_(target.url),
        token_(*target.token),
        connect_(connect),
        settings_(std::move(settings)),
        stop_(stop),
        without_(std::move(without)) {}

  Result<std::unique_ptr<Session>> open() override {
    return connect<Session>([](SessionFactory& factory) { return factory.open(); }, TokenTerms{.stop = stop_});
  }
  Result<std::unique_ptr<ReadSession>> open_observer() override {
    return connect<ReadSession>([](SessionFactory& factory) { return factory.open_observer(); },
                                TokenTerms{.deadline = kObserverWaits, .stop = stop_});
  }
  [[nodiscard]] std::string describe() const override { return without_->describe(); }

 private:
  template <typename T, typename Open>
  Result<std::unique_ptr<T>> connect(const Open& open, TokenTerms terms) {
    TRY_ASSIGN(const DatabaseToken token, token_.source->token(token_.wanted, terms));
    auto session = connect_with<T>(open, token);
    if (session || session.error().code != ErrorCode::AuthenticationFailed || !token.cached) {
      return session;
    }
    terms.renew = true;
    TRY_ASSIGN(const DatabaseToken renewed, token_.source->token(token_.wanted, terms));
    return connect_with<T>(open, renewed);
  }

  template <typename T, typename Open>
  Result<std::unique_ptr<T>> connect_with(const Open& open, const DatabaseToken& token) {
    HiddenValues hidden;
    hidden.add_password(token.value);
    auto factory = connect_(with_parameter(url_, "password", token.value), settings_, stop_);
    if (!factory) {
      return fail(hidden.hide(std::move(factory).error()));
    }
    auto session = open(**factory);
    if (!session) {
      Error error = hidden.hide(std::move(session).error());
      if (error.code == ErrorCode::AuthenticationFailed) {
        error.hint = way_in(token_.wanted.auth.provider);
      }
      return fail(std::move(error));
    }
    return session;
  }

  std::string url_;
  TargetToken token_;
  const SessionFactoryMaker& connect_;
  ExecutionSettings settings_;
  StopToken stop_;
  std::unique_ptr<SessionFactory> without_;  // never opened: it has no password
};

}  // namespace

Result<std::unique_ptr<SessionFactory>> sessions_of(const DatabaseTarget& target, const SessionFactoryMaker& connect,
                                                    const ExecutionSettings& settings, const StopToken& stop) {
  TRY_ASSIGN(auto factory, connect(target.url, settings, stop));
  if (!target.token) {
    return factory;
  }
  return std::make_unique<TokenSessions>(target, connect, settings, stop, std::move(factory));
}

Result<std::string> token_password(const DatabaseTarget& target, const StopToken& stop) {
  TRY_ASSIGN(DatabaseToken token, target.token->source->token(target.token->wanted, TokenTerms{.stop = stop}));
  return std::move(token.value);
}

std::string token_identity(const DatabaseTarget& target) {
  if (!target.token) {
    return {};
  }
  const TokenWanted& wanted = target.token->wanted;
  const DatabaseAuth& auth = wanted.auth;
  std::string identity = wanted.name_space;
  for (const auto& part : {auth.service_account, std::string(provider_name(auth.provider)), auth.region, auth.role,
                           auth.workload_provider, auth.google_account, auth.tenant, auth.client}) {
    identity += '\n' + part;
  }
  return identity;
}

}  // namespace athanor::controller
