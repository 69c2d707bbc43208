// A small HTTP server that strangers cannot use up.
//
// One thread polls a bounded number of connections. A client gets a deadline for its whole request and another for taking the
// answer, however it spreads its bytes. When all places are taken, the client that has gone longest without finishing its
// request gives way to the next one, so that a crowd of half-open connections neither shuts others out nor takes descriptors
// from the rest of the process. A page is shared by everybody it is sent to, and only a few are sent at a time.
//
// Threads: one of its own, which calls the route and `complain`; neither may block. reply() is safe from any thread, the others
// are for the owner's. Ownership: owns sockets and thread; both end with it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "operator/serve/http_exchange.hpp"

namespace athanor::controller {

struct HttpLimits {
  std::size_t connections = 64;          // and never more than a quarter of the descriptors the process may have
  std::size_t pages = 4;                 // sent at a time
  milliseconds request_deadline{5'000};  // from accept() to the end of the head, TLS handshake included
  milliseconds reply_deadline{10'000};   // for a reply that comes later
  milliseconds write_deadline{10'000};   // for the client to take the answer
  milliseconds patience{1'000};          // before a client that does not take its answer gives way to another
};

struct HttpServerOptions {
  std::string host;
  std::string port;
  std::string certificate{};  // PEM files; empty: no TLS
  std::string key{};
  HttpLimits limits{};
  std::function<void(const Error&)> complain{};  // of certificates that cannot be read again
};

class HttpServer {
 public:
  using Number = std::uint64_t;
  // Empty: reply() follows, with the number.
  using Route = std::function<std::optional<ServerReply>(Number connection, const ServerRequest& request)>;

  // Listens, and answers once it is started. Io when the address cannot be listened on; Configuration when the certificate
  // cannot be used. Borrows the clock.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> open(HttpServerOptions options, Clock& clock, Route route);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Begins to accept, once.
  void start();
  // Ends all connections and the thread; reply() does nothing from then on.
  void close();
  // To a connection whose route had none; one that is gone meanwhile is passed over.
  void reply(Number connection, ServerReply reply);

 private:
  class Loop;
  explicit HttpServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace athanor::controller
