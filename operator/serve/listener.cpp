#include "operator/serve/listener.hpp"

#include <charconv>
#include <exception>
#include <optional>
#include <utility>

#include "operator/serve/metrics_pages.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kExposition = "text/plain; version=0.0.4; charset=utf-8";

ServerReply plain(int status, const std::string& text) {
  ServerReply reply;
  reply.status = status;
  reply.body = text + "\n";
  return reply;
}

ServerReply page_reply(const MetricsPages::Page& page) {
  if (!page) {
    return plain(500, "internal error");
  }
  ServerReply reply;
  reply.type = kExposition;
  reply.page = page;
  return reply;
}

ServerReply refused(Access access) {
  if (access == Access::Unauthenticated) {
    ServerReply reply = plain(401, "a token that the API server accepts is required");
    reply.challenge = "Bearer";
    return reply;
  }
  return access == Access::Forbidden ? plain(403, "the token's user is not allowed to get /metrics")
                                     : plain(503, "the API server cannot review the token now");
}

}  // namespace

struct Listener::Impl {
  explicit Impl(ListenerHandlers given)
      : handlers(std::move(given)),
        pages([this] { return handlers.metrics(); },
              [this](std::uint64_t client, const MetricsPages::Page& page) { server->reply(client, page_reply(page)); }) {}
  // `pages` and `access` are destroyed before `server`, because they call server->reply() from their threads. But the server's
  // thread uses them too, so end that thread first.
  ~Impl() {
    if (server) {
      server->close();
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::optional<ServerReply> serve(std::uint64_t client, const ServerRequest& request) {
    if (request.has_body) {
      return plain(413, "request bodies are not accepted");
    }
    // No access check: the kubelet's probes carry no token.
    if (request.path == "/healthz" || request.path == "/readyz") {
      const bool good = request.path == "/healthz" ? handlers.healthy() : handlers.ready();
      return good ? plain(200, "ok") : plain(503, "not ready");
    }
    if (request.path != "/metrics") {
      return plain(404, "not found");
    }
    const auto allowed = access ? access->check(client, request.authorization) : Access::Allowed;
    if (!allowed) {
      return std::nullopt;
    }
    return decide(client, *allowed);
  }

  std::optional<ServerReply> decide(std::uint64_t client, Access allowed) {
    if (allowed != Access::Allowed) {
      return refused(allowed);
    }
    pages.ask(client);
    return std::nullopt;
  }

  ListenerHandlers handlers;
  std::unique_ptr<HttpServer> server;
  MetricsPages pages;
  std::unique_ptr<MetricsAccess> access;
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

Result<void> check_listen_address(const std::string& address) {
  const auto colon = address.rfind(':');
  int port = 0;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    const char* end = address.data() + address.size();
    const auto [stopped, error] = std::from_chars(address.data() + colon + 1, end, port);
    good = error == std::errc() && stopped == end && port >= 1 && port <= 65'535;
  }
  if (!good || address.find('/') != std::string::npos || address.find('[') != std::string::npos) {
    return fail(Error(ErrorCode::Usage, "'" + address + "' is not an address to listen on")
                    .advise("write ADDRESS:PORT, for example 127.0.0.1:8080, or off"));
  }
  return {};
}

Result<std::unique_ptr<Listener>> Listener::open(ListenerOptions options, ListenerHandlers handlers, Clock& clock) {
  TRY(check_listen_address(options.address));
  auto impl = std::make_unique<Impl>(std::move(handlers));
  Impl* raw = impl.get();
  const auto colon = options.address.rfind(':');
  HttpServerOptions server{options.address.substr(0, colon), options.address.substr(colon + 1)};
  server.certificate = std::move(options.certificate);
  server.key = std::move(options.key);
  server.limits = options.limits;
  server.complain = std::move(options.complain);
  auto opened = HttpServer::open(std::move(server), clock, [raw](std::uint64_t client, const ServerRequest& request) {
    return raw->serve(client, request);
  });
  if (!opened && opened.error().code == ErrorCode::Io) {
    return fail(
        std::move(opened).error().advise("if the port is in use, choose another with --listen ADDRESS:PORT, or --listen off"));
  }
  if (!opened) {
    return fail(std::move(opened).error());
  }
  impl->server = std::move(*opened);
  if (options.review) {
    impl->access =
        std::make_unique<MetricsAccess>(std::move(options.review), clock, [raw](std::uint64_t client, Access access) {
          if (auto reply = raw->decide(client, access)) {
            raw->server->reply(client, std::move(*reply));
          }
        });
  }
  // Start only now: the route uses `server` and `access`.
  impl->server->start();
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

}  // namespace athanor::controller
