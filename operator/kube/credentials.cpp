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

constexpr std::chrono::seconds kReloadInterval(60);
constexpr std::chrono::seconds kExpiryMargin(10);
// Several requests often receive a 401 at the same time. The first one renews the credentials for all of them.
constexpr std::chrono::seconds kMinRenewInterval(1);
constexpr milliseconds kPluginTimeout(60'000);
constexpr milliseconds kStopPollInterval(20);

class RefreshedCredentials final : public CredentialProvider {
 public:
  RefreshedCredentials(ClusterAccess access, Clock& clock, EnvironmentLookup environment)
      : access_(std::move(access)), clock_(clock), environment_(std::move(environment)) {
    current_.client_certificate_pem = access_.client_certificate_pem;
    current_.client_key_pem = access_.client_key_pem;
    current_.version = 1;
    if (!access_.token.empty()) {
      current_.authorization = "Bearer " + access_.token;
    } else if (!access_.username.empty()) {
      current_.authorization = "Basic " + base64_encode(access_.username + ":" + access_.password);
    }
  }

  ~RefreshedCredentials() override {
    shutdown_.request(StopLevel::Now);
    if (plugin_.joinable()) {
      plugin_.join();
    }
  }
  RefreshedCredentials(const RefreshedCredentials&) = delete;
  RefreshedCredentials& operator=(const RefreshedCredentials&) = delete;

  using CredentialProvider::current;
  Result<Credentials> current(const StopToken& stop, SteadyTime deadline) override {
    std::unique_lock lock(mutex_);
    if (!needs_renewal()) {
      return current_;
    }
    if (!needs_plugin()) {
      TRY(renew(std::nullopt));
      return current_;
    }
    // Wait for the end of this run by number. A flag would not do: a waiter that wakes late would miss the end of this run and
    // wait for the next one.
    const std::uint64_t this_run = start_plugin();
    // The plugin was started ahead of the expiry; until then requests go on with the old token.
    if (still_valid()) {
      return current_;
    }
    while (completed_runs_ < this_run) {
      if (stop.requested()) {
        return fail(ErrorCode::Interrupted, "stopped while a credential plugin ran");
      }
      if (clock_.steady_now() >= deadline) {
        return fail(
            Error(ErrorCode::ApiUnauthorized, "the credential plugin `" + access_.exec->command + "` did not respond in time"));
      }
      plugin_ended_.wait_for(lock, kStopPollInterval);
    }
    if (failure_) {
      return fail(*failure_);
    }
    return current_;
  }

  void refused() override {
    const std::lock_guard lock(mutex_);
    // Credentials renewed a moment ago are newer than the ones this 401 refers to.
    refused_ = !renewed_ || clock_.steady_now() - *renewed_ >= kMinRenewInterval;
  }

 private:
  [[nodiscard]] bool renewable() const {
    return !access_.token_file.empty() || !access_.client_certificate_file.empty() || !access_.client_key_file.empty() ||
           access_.exec;
  }
  [[nodiscard]] bool needs_renewal() const {
    if (!renewed_ || refused_) {
      return renewable() || !renewed_;
    }
    const bool files =
        !access_.token_file.empty() || !access_.client_certificate_file.empty() || !access_.client_key_file.empty();
    return (files && clock_.steady_now() - *renewed_ >= kReloadInterval) || expired();
  }
  [[nodiscard]] bool expired() const { return expires_ && clock_.wall_now() + kExpiryMargin >= *expires_; }

  [[nodiscard]] bool needs_plugin() const { return access_.exec && (!renewed_ || refused_ || expired()); }
  // The credentials are about to expire but may still be sent.
  [[nodiscard]] bool still_valid() const { return renewed_ && !refused_ && expires_ && clock_.wall_now() < *expires_; }

  // Starts the plugin unless it is running. Returns the value of completed_runs_ that marks the end of that run.
  std::uint64_t start_plugin() {
    if (!plugin_running_) {
      // run_plugin() clears plugin_running_ in its last critical section, so this join waits only for the thread to exit and
      // cannot deadlock on the mutex.
      if (plugin_.joinable()) {
        plugin_.join();
      }
      plugin_running_ = true;
      plugin_ = std::thread([this] { run_plugin(); });
    }
    return completed_runs_ + 1;
  }

  void run_plugin() {
    std::optional<Error> failure;
    std::optional<ExecCredential> credential;
    try {
      auto answer = run_exec_plugin(access_, environment_, clock_, shutdown_.token(), kPluginTimeout);
      if (answer) {
        credential = std::move(*answer);
      } else {
        failure = std::move(answer).error();
      }
    } catch (const std::exception&) {  // an exception must not leave the thread
      failure = Error(ErrorCode::Internal, "the credential plugin `" + access_.exec->command + "` could not be run");
    }
    const std::lock_guard lock(mutex_);
    if (credential) {
      if (auto renewed = renew(std::move(credential)); !renewed) {
        failure = std::move(renewed).error();
      }
    }
    failure_ = std::move(failure);
    plugin_running_ = false;
    ++completed_runs_;
    plugin_ended_.notify_all();
  }

  // When a file cannot be read, the previous credentials stay in use: the file is probably being replaced, and if it is not,
  // the server answers 401.
  Result<void> renew(std::optional<ExecCredential> credential) {
    Credentials next = current_;
    auto read = read_files(next);  // all of them or none: `next` changes only when every file was readable
    if (!read && !renewed_) {
      return read;
    }
    if (credential) {
      // As in client-go, a token or user name in the kubeconfig wins over the plugin's token.
      if (!credential->token.empty() && access_.token.empty() && access_.token_file.empty() && access_.username.empty()) {
        next.authorization = "Bearer " + credential->token;
      }
      if (!credential->client_certificate_pem.empty()) {
        next.client_certificate_pem = std::move(credential->client_certificate_pem);
        next.client_key_pem = std::move(credential->client_key_pem);
      }
      expires_ = credential->expires;
    }
    if (next.client_certificate_pem != current_.client_certificate_pem || next.client_key_pem != current_.client_key_pem) {
      ++next.version;
    }
    current_ = std::move(next);
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
  StopSource shutdown_;
  std::mutex mutex_;
  std::condition_variable plugin_ended_;
  std::thread plugin_;
  bool plugin_running_ = false;
  std::uint64_t completed_runs_ = 0;
  std::optional<Error> failure_;  // of the last run
  Credentials current_;
  std::optional<SteadyTime> renewed_;
  std::optional<WallTime> expires_;
  bool refused_ = false;
};

}  // namespace

std::unique_ptr<CredentialProvider> make_credentials(const ClusterAccess& access, Clock& clock, EnvironmentLookup environment) {
  return std::make_unique<RefreshedCredentials>(access, clock, std::move(environment));
}

}  // namespace athanor::controller
