#include <mutex>
#include <utility>

#include "operator/kube/access_file.hpp"
#include "operator/kube/base64.hpp"
#include "operator/kube/exec_plugin.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kReadAgain(60);
constexpr std::chrono::seconds kBeforeExpiry(10);
// Requests that were refused together ask for new credentials one after the other; the first one's are new enough for all.
constexpr std::chrono::seconds kRenewAtMostEvery(1);
constexpr milliseconds kPluginTimeout(60'000);

class RefreshedCredentials final : public CredentialProvider {
 public:
  RefreshedCredentials(ClusterAccess access, Clock& clock, EnvironmentLookup environment, StopToken stop)
      : access_(std::move(access)), clock_(clock), environment_(std::move(environment)), stop_(stop) {
    now_.client_certificate_pem = access_.client_certificate_pem;
    now_.client_key_pem = access_.client_key_pem;
    now_.version = 1;
    if (!access_.token.empty()) {
      now_.authorization = "Bearer " + access_.token;
    } else if (!access_.username.empty()) {
      now_.authorization = "Basic " + base64_encode(access_.username + ":" + access_.password);
    }
  }

  Result<Credentials> current() override {
    const std::lock_guard lock(mutex_);
    if (due()) {
      TRY(renew());
    }
    return now_;
  }

  void refused() override {
    const std::lock_guard lock(mutex_);
    refused_ = !renewed_ || clock_.steady_now() - *renewed_ >= kRenewAtMostEvery;
  }

 private:
  [[nodiscard]] bool changes() const {
    return !access_.token_file.empty() || !access_.client_certificate_file.empty() || !access_.client_key_file.empty() ||
           access_.exec;
  }
  [[nodiscard]] bool due() const {
    if (!renewed_ || refused_) {
      return changes() || !renewed_;
    }
    const bool files =
        !access_.token_file.empty() || !access_.client_certificate_file.empty() || !access_.client_key_file.empty();
    return (files && clock_.steady_now() - *renewed_ >= kReadAgain) || expired();
  }
  [[nodiscard]] bool expired() const { return expires_ && clock_.wall_now() + kBeforeExpiry >= *expires_; }

  // What was good stays in use while a file is away: it is being replaced, or the server will say 401.
  Result<void> renew() {
    Credentials next = now_;
    auto read = read_files(next);
    if (!read && !renewed_) {
      return read;
    }
    if (access_.exec && (!renewed_ || refused_ || expired())) {
      TRY_ASSIGN(auto credential, run_exec_plugin(access_, environment_, clock_, stop_, kPluginTimeout));
      // A token that the user wrote down goes before the plugin's.
      if (!credential.token.empty() && access_.token.empty() && access_.token_file.empty() && access_.username.empty()) {
        next.authorization = "Bearer " + credential.token;
      }
      if (!credential.client_certificate_pem.empty()) {
        next.client_certificate_pem = std::move(credential.client_certificate_pem);
        next.client_key_pem = std::move(credential.client_key_pem);
      }
      expires_ = credential.expires;
    }
    if (next.client_certificate_pem != now_.client_certificate_pem || next.client_key_pem != now_.client_key_pem) {
      ++next.version;
    }
    now_ = std::move(next);
    renewed_ = clock_.steady_now();
    refused_ = false;
    return {};
  }

  Result<void> read_files(Credentials& next) const {
    if (!access_.token_file.empty()) {
      TRY_ASSIGN(const auto text, read_access_file(access_.token_file, "the token file"));
      const std::string token = trimmed(text);
      if (token.empty()) {
        return fail(Error(ErrorCode::ApiUnauthorized, "the token file is empty").at(access_.token_file));
      }
      next.authorization = "Bearer " + token;
    }
    std::string certificate = next.client_certificate_pem;
    std::string key = next.client_key_pem;
    if (!access_.client_certificate_file.empty()) {
      TRY_ASSIGN(certificate, read_access_file(access_.client_certificate_file, "the client certificate"));
    }
    if (!access_.client_key_file.empty()) {
      TRY_ASSIGN(key, read_access_file(access_.client_key_file, "the client key"));
    }
    next.client_certificate_pem = std::move(certificate);
    next.client_key_pem = std::move(key);
    return {};
  }

  const ClusterAccess access_;
  Clock& clock_;
  const EnvironmentLookup environment_;
  const StopToken stop_;
  std::mutex mutex_;
  Credentials now_;
  std::optional<SteadyTime> renewed_;
  std::optional<WallTime> expires_;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<CredentialProvider> make_credentials(const ClusterAccess& access, Clock& clock, EnvironmentLookup environment,
                                                     StopToken stop) {
  return std::make_unique<RefreshedCredentials>(access, clock, std::move(environment), stop);
}

}  // namespace athanor::controller
