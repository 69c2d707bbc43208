// The operator's HTTP listener: /metrics, /healthz, /readyz, and nothing else.
//
// GET only; a request with a body, another method or another path gets its short refusal. Every answer ends its connection.
// What a client may take of the process is limited in http_server.hpp. With a certificate it speaks TLS alone; with `review`
// only those read the metrics whom the API server vouches for. The probes are open to everybody.
//
// Threads: `metrics` and `review` are called on threads of the listener's own, one each; `healthy` and `ready` on the one that
// serves the sockets, so they may not wait for anything. Ownership: owns sockets and threads; all end with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "operator/serve/http_server.hpp"
#include "operator/serve/metrics_access.hpp"

namespace athanor::controller {

struct ListenerHandlers {
  std::function<std::string()> metrics;
  std::function<bool()> healthy;
  std::function<bool()> ready;
};

struct ListenerOptions {
  std::string address;        // "127.0.0.1:8080", "0.0.0.0:8080", "localhost:8080"
  std::string certificate{};  // PEM files, read again when they change; empty: no TLS
  std::string key{};
  ReviewToken review{};                          // empty: everybody may read the metrics
  std::function<void(const Error&)> complain{};  // of what goes wrong later
  HttpLimits limits{};
};

class Listener {
 public:
  // Usage, Io or Configuration: see check_listen_address() and HttpServer::open(). Borrows the clock.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(ListenerOptions options, ListenerHandlers handlers, Clock& clock);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Splits "host:port"; port 1 to 65535.
[[nodiscard]] Result<void> check_listen_address(const std::string& address);

}  // namespace athanor::controller
