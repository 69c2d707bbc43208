#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
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
constexpr milliseconds kLookAtStop(20);

class RefreshedCredentials final : public CredentialProvider {
 public:
  RefreshedCredentials(ClusterAccess access, Clock& clock, EnvironmentLookup environment)
      : access_(std::move(access)), clock_(clock), environment_(std::move(environment)) {
    now_.client_certificate_pem = access_.client_certificate_pem;
    now_.client_key_pem = access_.client_key_pem;
    now_.version = 1;
    if (!access_.token.empty()) {
      now_.authorization = "Bearer " + access_.token;
    } else if (!access_.username.empty()) {
      now_.authorization = "Basic " + base64_encode(access_.username + ":" + access_.password);
    }
  }

  ~RefreshedCredentials() override {
    ending_.request(StopLevel::Now);
    if (plugin_.joinable()) {
      plugin_.join();
    }
  }
  RefreshedCredentials(const RefreshedCredentials&) = delete;
  RefreshedCredentials& operator=(const RefreshedCredentials&) = delete;

  using CredentialProvider::current;
  Result<Credentials> current(const StopToken& stop, SteadyTime deadline) override {
    std::unique_lock lock(mutex_);
    if (!due()) {
      return now_;
    }
    if (!wants_plugin()) {
      TRY(renew(std::nullopt));
      return now_;
    }
    const std::uint64_t round = ask_plugin();
    if (good()) {
      return now_;
    }
    while (answers_ < round) {
      if (stop.requested()) {
        return fail(ErrorCode::Interrupted, "stopped while a credential plugin ran");
      }
      if (clock_.steady_now() >= deadline) {
        return fail(
            Error(ErrorCode::ApiUnauthorized, "the credential plugin `" + access_.exec->command + "` did not answer in time"));
      }
      answered_.wait_for(lock, kLookAtStop);
    }
    if (failure_) {
      return fail(*failure_);
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

  [[nodiscard]] bool wants_plugin() const { return access_.exec && (!renewed_ || refused_ || expired()); }
  // What there is may still be sent, though it will expire soon.
  [[nodiscard]] bool good() const { return renewed_ && !refused_ && expires_ && clock_.wall_now() < *expires_; }

  // Begins a run unless one is under way; how many will have ended with it.
  std::uint64_t ask_plugin() {
    if (!asked_) {
      if (plugin_.joinable()) {
        plugin_.join();
      }
      asked_ = true;
      plugin_ = std::thread([this] { run_plugin(); });
    }
    return answers_ + 1;
  }

  void run_plugin() {
    std::optional<Error> failure;
    std::optional<ExecCredential> credential;
    try {
      auto answer = run_exec_plugin(access_, environment_, clock_, ending_.token(), kPluginTimeout);
      if (answer) {
        credential = std::move(*answer);
      } else {
        failure = std::move(answer).error();
      }
    } catch (const std::exception&) {  // a thread's boundary
      failure = Error(ErrorCode::Internal, "the credential plugin `" + access_.exec->command + "` could not be run");
    }
    const std::lock_guard lock(mutex_);
    if (credential) {
      if (auto renewed = renew(std::move(credential)); !renewed) {
        failure = std::move(renewed).error();
      }
    }
    failure_ = std::move(failure);
    asked_ = false;
    ++answers_;
    answered_.notify_all();
  }

  // What was good stays in use while a file is away: it is being replaced, or the server will say 401.
  Result<void> renew(std::optional<ExecCredential> credential) {
    Credentials next = now_;
    auto read = read_files(next);
    if (!read && !renewed_) {
      return read;
    }
    if (credential) {
      // A token that the user wrote down goes before the plugin's.
      if (!credential->token.empty() && access_.token.empty() && access_.token_file.empty() && access_.username.empty()) {
        next.authorization = "Bearer " + credential->token;
      }
      if (!credential->client_certificate_pem.empty()) {
        next.client_certificate_pem = std::move(credential->client_certificate_pem);
        next.client_key_pem = std::move(credential->client_key_pem);
      }
      expires_ = credential->expires;
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
  StopSource ending_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::thread plugin_;
  bool asked_ = false;  // the plugin runs
  std::uint64_t answers_ = 0;
  std::optional<Error> failure_;  // of the last run
  Credentials now_;
  std::optional<SteadyTime> renewed_;
  std::optional<WallTime> expires_;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<CredentialProvider> make_credentials(const ClusterAccess& access, Clock& clock, EnvironmentLookup environment) {
  return std::make_unique<RefreshedCredentials>(access, clock, std::move(environment));
}

}  // namespace athanor::controller
