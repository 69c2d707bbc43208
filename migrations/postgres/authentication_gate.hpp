// Checks each authentication request of a server before libpq answers it.
//
// libpq 15 answers any request for a password. So while an unencrypted connection is being established, a socket pair replaces
// libpq's descriptor, as in MeteredSocket. The gate reads one server message at a time, never past its end, and passes it on
// only if AuthenticationExchange accepts it. After AuthenticationOk or an error, libpq gets its descriptor back.
//
// Threads: one thread. Ownership: owns the socket to the server while it is in place; use it only with the connection that it
// was created for.
#pragma once

#include <libpq-fe.h>

#include <array>
#include <memory>
#include <string>

#include "migrations/base/result.hpp"
#include "migrations/base/unique_fd.hpp"
#include "migrations/text/authentication_exchange.hpp"

namespace athanor::postgres {

class AuthenticationGate {
 public:
  // The connection must have sent its startup message and be unencrypted. Null if the process has no descriptors left.
  [[nodiscard]] static std::unique_ptr<AuthenticationGate> stand_before(PGconn* connection,
                                                                        const AllowedAuthentication& allowed);

  // The descriptor to poll for input.
  [[nodiscard]] int server() const { return server_.get(); }
  // Reads the next message, without blocking, and passes it to libpq once it is complete. True if libpq has something to read.
  // AuthenticationFailed if the server requests a method that is not allowed; libpq does not see that request.
  [[nodiscard]] Result<bool> pass_inward();
  // Sends libpq's output to the server. False if the connection broke.
  [[nodiscard]] bool pass_outward();
  // Whether the server sent AuthenticationOk or an error.
  [[nodiscard]] bool is_done() const { return exchange_.is_over(); }
  // Gives libpq its descriptor back. Call after PQconnectPoll() has read everything that was passed on.
  void step_aside(PGconn* connection);

 private:
  AuthenticationGate(UniqueFd server, UniqueFd libpq, const AllowedAuthentication& allowed)
      : server_(std::move(server)), libpq_(std::move(libpq)), exchange_(allowed) {}
  // Reads until the message has `length` bytes. True if it has them.
  [[nodiscard]] bool read_until(std::size_t length);
  [[nodiscard]] bool give();

  UniqueFd server_;
  UniqueFd libpq_;  // our end of the pair
  AuthenticationExchange exchange_;
  std::string message_;  // the part received so far
  bool ended_ = false;   // the server closed the connection
};

}  // namespace athanor::postgres
