// Connects pg_dump and pg_restore to a server without TLS, and refuses what the server must not request.
//
// A client program with libpq 15 answers any request for a password. So it connects to a Unix socket of ours instead, and a
// thread passes its bytes to the server and back. Until the server has authenticated the program, AuthenticationExchange judges
// each of its messages. Server names are resolved once, when the relay is made.
//
// The sockets have abstract names: nothing remains on disk. Only processes of our own user are served.
//
// Threads: owns one; use from one thread. Ownership: the destructor closes all connections.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/text/allowed_authentication.hpp"

namespace athanor {

// One server of a connection that may name several.
struct RelayedServer {
  std::string host;  // a name, an address, or the folder of a Unix socket
  std::string port;  // empty: 5432
};

class AuthenticationRelay {
 public:
  // Errors: DatabaseUnreachable if no host can be resolved; Io.
  [[nodiscard]] static Result<std::unique_ptr<AuthenticationRelay>> open(const std::vector<RelayedServer>& servers,
                                                                         const AllowedAuthentication& allowed);
  ~AuthenticationRelay();
  AuthenticationRelay(const AuthenticationRelay&) = delete;
  AuthenticationRelay& operator=(const AuthenticationRelay&) = delete;

  // What a program must use as libpq's `host`, for each server. Its `port` is kPort.
  [[nodiscard]] const std::vector<std::string>& hosts() const;
  static constexpr const char* kPort = "5432";
  // Why a connection was refused; empty if none was.
  [[nodiscard]] std::optional<Error> refusal() const;

 private:
  struct Impl;
  explicit AuthenticationRelay(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether one of the servers, in their order, accepts TLS: asks the first that answers. True if none answers.
[[nodiscard]] bool offers_tls(const std::vector<RelayedServer>& servers);

}  // namespace athanor
