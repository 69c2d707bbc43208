#include "operator/kube/rest_fetcher.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "operator/kube/host_addresses.hpp"
#include "operator/kube/request_threads.hpp"
#include "operator/kube/rest_connection.hpp"

namespace athanor::controller {
namespace {

using web::http::http_request;

constexpr std::size_t kMaxUndelivered = std::size_t{64} << 20U;  // one chunk of a chunked answer
constexpr milliseconds kLongestPoll{60'000};

struct ArtifactUrl {
  std::string server;  // "http://source-controller.flux-system.svc.cluster.local."
  std::string path;
};

Result<ArtifactUrl> parse_artifact_url(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t slash = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  if (slash == std::string::npos || url.find_first_of(" \t\r\n") != std::string::npos) {
    return fail(
        Error(ErrorCode::Io, "the artifact's address is not an http:// or https:// URL").with_retry(RetryClass::Terminal));
  }
  return ArtifactUrl{url.substr(0, slash), url.substr(slash)};
}

class RestFetcher final : public ArtifactFetcher {
 public:
  RestFetcher(Clock& clock, ProxySettings proxies) : clock_(clock), proxies_(std::move(proxies)) {}

  Result<void> fetch(const std::string& url, milliseconds deadline, const BytesHandler& on_bytes,
                     const StopToken& stop) override {
    TRY_ASSIGN(const ArtifactUrl artifact, parse_artifact_url(url));
    const SteadyTime until = clock_.steady_now() + deadline;
    const auto pending = std::make_shared<PendingRequest>(true, kMaxUndelivered);
    // On every path that leaves before the end of the response, the connection must be closed.
    struct AbandonUnlessReusable {
      PendingRequest& pending;
      ~AbandonUnlessReusable() {
        if (!pending.reusable()) {
          pending.abandon();
        }
      }
    } guard{*pending};
    TRY(start(artifact, pending));
    std::string bytes;
    while (true) {
      TRY(wait(*pending, artifact.server, until, stop));
      const PendingRequest::Progress progress = pending->receive(bytes);
      if (progress.failure || progress.overrun) {
        return fail(unavailable(artifact.server, progress.failure ? progress.failure->reason : "a chunk is too large"));
      }
      if (progress.status && *progress.status != 200) {
        return fail(unavailable(artifact.server, "it returned status " + std::to_string(*progress.status)));
      }
      // Deliver before the check for the end: the last bytes arrive together with it.
      if (!bytes.empty()) {
        TRY(on_bytes(bytes));
      }
      if (progress.ended) {
        return {};
      }
    }
  }

 private:
  static Error unavailable(const std::string& server, const std::string& reason) {
    return Error(ErrorCode::Io, "the artifact cannot be fetched from " + server + ": " + reason);
  }

  // Uses a new connection each time: artifacts are fetched rarely.
  Result<void> start(const ArtifactUrl& artifact, const std::shared_ptr<PendingRequest>& pending) const {
    auto server = Server::parse(artifact.server);
    if (!server) {
      return fail(
          Error(ErrorCode::Io, "the artifact's address is not an http:// or https:// URL").with_retry(RetryClass::Terminal));
    }
    TRY_ASSIGN(const auto proxy, proxies_.proxy_for(server->tls, server->host, server->port));
    if (auto addresses = addresses_of(server->host); !addresses) {
      const bool unknown = addresses.error().retry == RetryClass::Transient;
      if (!unknown || !proxy) {
        return fail(std::move(addresses).error());
      }
    }
    std::shared_ptr<const TlsIdentity> identity;
    if (server->tls) {
      TlsSettings settings;
      settings.server_name = server->host;
      TRY_ASSIGN(identity, TlsIdentity::make(settings));
    }
    try {
      http_request message("GET");
      message.set_request_uri(web::uri(artifact.path));
      message.headers().add("User-Agent", "athanor-operator/" ATHANOR_VERSION);
      message.headers().add("Host", server->authority());
      std::make_shared<Connection>(*server, identity, proxy)->send(message, pending, [pending](const auto&) {
        pending->released();
      });
    } catch (const std::exception&) {
      return fail(unavailable(artifact.server, "the request could not be started"));
    }
    return {};
  }

  Result<void> wait(const PendingRequest& pending, const std::string& server, SteadyTime until, const StopToken& stop) const {
    while (true) {
      if (stop.requested()) {
        return fail(Error(ErrorCode::Interrupted, "stopped while an artifact was fetched"));
      }
      const auto left = std::chrono::ceil<milliseconds>(until - clock_.steady_now());
      if (left.count() <= 0) {
        return fail(unavailable(server, "no complete response in time"));
      }
      pollfd descriptors[2] = {{pending.descriptor(), POLLIN, 0}, {stop.descriptor(), POLLIN, 0}};
      const int ready = ::poll(descriptors, 2, static_cast<int>(std::min(left, kLongestPoll).count()));
      if (ready > 0 && (descriptors[0].revents & POLLIN) != 0) {
        return {};
      }
    }
  }

  Clock& clock_;
  const ProxySettings proxies_;
};

}  // namespace

std::unique_ptr<ArtifactFetcher> make_rest_fetcher(Clock& clock, ProxySettings proxies) {
  start_request_threads();
  return std::make_unique<RestFetcher>(clock, std::move(proxies));
}

}  // namespace athanor::controller
