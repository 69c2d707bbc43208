// A small HTTP server that untrusted clients cannot exhaust.
//
// One thread polls a bounded number of connections. Each client has one deadline for its whole request and another for taking
// the response, no matter how slowly it sends or reads. When all connections are in use, a new client replaces the one that has
// been sending its request the longest. So many half-open connections neither lock out other clients nor use up the descriptors
// of the process. All clients of a page share one copy of it, and only a few receive one at the same time.
//
// Threads: its own thread calls the route and `complain`; neither may block. reply() is safe from any thread; call the other
// methods from the owner's thread. Ownership: owns sockets and thread, and ends both in its destructor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "operator/serve/http_exchange.hpp"

namespace athanor::controller {

// What clients may use at most.
struct HttpLimits {
  std::size_t connections = 64;          // and at most a quarter of the process's descriptor limit
  std::size_t pages = 4;                 // sent at the same time
  milliseconds request_deadline{5'000};  // from accept() to the end of the head, TLS handshake included
  milliseconds reply_deadline{10'000};   // for a reply that comes later
  milliseconds write_deadline{10'000};   // for the client to take the response
  milliseconds patience{1'000};          // before a client that is slow to take its response may be dropped for another
};

struct HttpServerOptions {
  std::string host;
  std::string port;
  std::string certificate{};  // PEM files; empty: no TLS
  std::string key{};
  HttpLimits limits{};
  std::function<void(const Error&)> complain{};  // called when a replaced certificate cannot be loaded
};

class HttpServer {
 public:
  using Number = std::uint64_t;
  // Returns the reply; nullopt: reply() follows with the same number.
  using Route = std::function<std::optional<ServerReply>(Number connection, const ServerRequest& request)>;

  // Binds the address; serves after start(). Errors: Io when the address cannot be bound, Configuration when the certificate
  // cannot be used. Borrows the clock.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> open(HttpServerOptions options, Clock& clock, Route route);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Starts accepting connections. Call it once.
  void start();
  // Ends all connections and the thread; reply() then does nothing.
  void close();
  // Sends the reply to a connection whose route returned nullopt. Does nothing when the connection is gone.
  void reply(Number connection, ServerReply reply);

 private:
  class Loop;
  explicit HttpServer(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace athanor::controller
