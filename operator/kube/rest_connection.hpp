// Lanes: each is an http_client of cpprest that carries one request at a time over at most one kept connection.
//
// cpprest does not say which connection a request went out on, and sends a request again by itself when a kept connection
// turns out to be closed, whatever its method. With one request per client its hook "a connection was chosen" belongs to a
// known request: there the kept connection is looked at before anything is sent (a closed one is readable), and a second
// sending of what must not be sent twice is stopped.
//
// Threads: a ConnectionPool is safe from any thread. Ownership: lanes under way own themselves; the pool holds the idle ones.
#pragma once

#include "operator/kube/pending_request.hpp"

#include <cpprest/http_client.h>

#include <vector>

namespace athanor::controller {

struct Server {
  bool tls = true;
  std::string host;  // without brackets
  int port = 443;
  std::string prefix;  // "" or "/k8s/clusters/c-1"
  [[nodiscard]] static Result<Server> parse(const std::string& url);
  // As it stands in a Host header.
  [[nodiscard]] std::string authority() const;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const Server& server, const std::shared_ptr<const TlsIdentity>& identity);
  // Sends; the exchange is told everything that happens. `done` gets the lane when cpprest has let go of the exchange.
  void send(web::http::http_request request, const std::shared_ptr<PendingRequest>& exchange,
            std::function<void(const std::shared_ptr<Connection>&)> done);
  // What TLS said about the last failure; empty when it said nothing.
  [[nodiscard]] std::string trouble() const;

 private:
  class Hooks;
  std::shared_ptr<Hooks> hooks_;
  std::unique_ptr<web::http::client::http_client> client_;
};

class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(Server server, std::shared_ptr<const TlsIdentity> identity)
      : server_(std::move(server)), identity_(std::move(identity)) {}
  void send(const web::http::http_request& request, const std::shared_ptr<PendingRequest>& exchange, bool fresh);

 private:
  [[nodiscard]] std::shared_ptr<Connection> take(bool fresh);
  void put_back(const std::shared_ptr<Connection>& lane);

  const Server server_;
  const std::shared_ptr<const TlsIdentity> identity_;  // null without TLS
  std::mutex mutex_;
  std::vector<std::shared_ptr<Connection>> idle_;
};

}  // namespace athanor::controller
