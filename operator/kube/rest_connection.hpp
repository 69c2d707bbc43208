// HTTP connections: each is an http_client of cpprest that carries one request at a time over at most one kept-alive
// connection.
//
// cpprest does not report which connection a request uses, and it silently resends a request of any method when a
// kept-alive connection turns out to be closed. With one request per client, the hook that cpprest calls when it has chosen a
// connection belongs to a known request. The hook checks that an idle connection is still open before anything is sent, and
// prevents a resend of a request that must not be repeated.
//
// Threads: ConnectionPool is safe from any thread. Ownership: a connection with a request in progress keeps itself alive; the
// pool owns the idle ones.
#pragma once

#include "operator/kube/pending_request.hpp"
#include "operator/kube/proxy_settings.hpp"

#include <cpprest/http_client.h>

#include <vector>

namespace athanor::controller {

// The parsed address of a server.
struct Server {
  bool tls = true;
  std::string host;  // an IPv6 address without brackets
  int port = 443;
  std::string prefix;  // "" or "/k8s/clusters/c-1"
  // Parses "http[s]://HOST[:PORT][/PREFIX]". Error: Configuration.
  [[nodiscard]] static Result<Server> parse(const std::string& url);
  // The value of the Host header.
  [[nodiscard]] std::string authority() const;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `proxy`: connects through it, to a TLS server with CONNECT. Such a connection carries one request only.
  Connection(const Server& server, const std::shared_ptr<const TlsIdentity>& identity,
             const std::optional<HttpProxy>& proxy = std::nullopt);
  // Sends `request` and reports its progress to `pending`. `done` is called with this connection, from one of cpprest's
  // threads, when cpprest has released the request.
  void send(web::http::http_request request, const std::shared_ptr<PendingRequest>& pending,
            std::function<void(const std::shared_ptr<Connection>&)> done);
  // Why the last TLS handshake failed; empty when it did not.
  [[nodiscard]] std::string tls_failure() const;

 private:
  class Hooks;
  std::shared_ptr<Hooks> hooks_;
  std::unique_ptr<web::http::client::http_client> client_;
};

class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(Server server, std::shared_ptr<const TlsIdentity> identity)
      : server_(std::move(server)), identity_(std::move(identity)) {}
  // Sends over an idle connection, or over a new one when there is none or `fresh` is set. Returns immediately.
  void send(const web::http::http_request& request, const std::shared_ptr<PendingRequest>& pending, bool fresh);

 private:
  [[nodiscard]] std::shared_ptr<Connection> acquire(bool fresh);
  void put_back(const std::shared_ptr<Connection>& connection);

  const Server server_;
  const std::shared_ptr<const TlsIdentity> identity_;  // null without TLS
  std::mutex mutex_;
  std::vector<std::shared_ptr<Connection>> idle_;
};

}  // namespace athanor::controller
