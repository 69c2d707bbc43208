// The operator's HTTP listener: /metrics, /healthz, /readyz, and nothing else.
//
// Serves GET only; a request with a body, another method or another path is refused with a short message. Every response closes
// its connection. http_server.hpp limits what clients may use. With a certificate it serves only TLS. With `review`, a client
// needs a token that the API server accepts to read the metrics. The probes need no token.
//
// Threads: the listener calls `metrics` and `review` on a separate thread each, and `healthy` and `ready` on the thread that
// serves the sockets, so these two must not block. Ownership: owns sockets and threads, and ends them in its destructor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "operator/serve/http_server.hpp"
#include "operator/serve/metrics_access.hpp"

namespace athanor::controller {

// What the three paths return.
struct ListenerHandlers {
  std::function<std::string()> metrics;
  std::function<bool()> healthy;
  std::function<bool()> ready;
};

struct ListenerOptions {
  std::string address;        // "127.0.0.1:8080", "0.0.0.0:8080", "localhost:8080"
  std::string certificate{};  // PEM files, reloaded when they change; empty: no TLS
  std::string key{};
  ReviewToken review{};                          // empty: no token is needed to read the metrics
  std::function<void(const Error&)> complain{};  // called with errors after open(), see HttpServerOptions
  HttpLimits limits{};
};

class Listener {
 public:
  // Binds the address and starts serving. Errors: Usage, see check_listen_address(); Io and Configuration, see
  // HttpServer::open(). Borrows the clock.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(ListenerOptions options, ListenerHandlers handlers, Clock& clock);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Checks that `address` is "host:port" with a port from 1 to 65535. Error: Usage.
[[nodiscard]] Result<void> check_listen_address(const std::string& address);

}  // namespace athanor::controller
