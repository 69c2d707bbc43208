#include "migrations/postgres/authentication_gate.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "migrations/postgres/replaced_socket.hpp"

namespace athanor::postgres {
std::unique_ptr<AuthenticationGate> AuthenticationGate::stand_before(PGconn* connection, const AllowedAuthentication& allowed) {
  auto ends = replace_socket(connection);
  return std::unique_ptr<AuthenticationGate>(
      ends ? new AuthenticationGate(std::move(ends->server), std::move(ends->libpq), allowed) : nullptr);
}

bool AuthenticationGate::read_until(std::size_t length) {
  while (message_.size() < length && !ended_) {
    std::array<char, 4096> bytes{};
    const std::size_t wanted = std::min(length - message_.size(), bytes.size());
    const ssize_t got = ::recv(server_.get(), bytes.data(), wanted, MSG_DONTWAIT);
    if (got > 0) {
      message_.append(bytes.data(), static_cast<std::size_t>(got));
    } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      return false;
    } else {
      ended_ = true;
    }
  }
  return message_.size() >= length;
}

// The buffer of a socket pair is larger than the longest message, so a short write means that libpq closed its end.
bool AuthenticationGate::give() {
  const ssize_t given = ::send(libpq_.get(), message_.data(), message_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const bool whole = given == static_cast<ssize_t>(message_.size());
  message_.clear();
  if (ended_ || !whole) {
    ::shutdown(libpq_.get(), SHUT_WR);
  }
  return true;
}

Result<bool> AuthenticationGate::pass_inward() {
  // Reads no byte past the end of a message: after the exchange libpq reads from its own descriptor.
  for (std::size_t wanted = 0;;) {
    TRY_ASSIGN(wanted, exchange_.judge(message_));
    if (wanted <= message_.size()) {
      return give();
    }
    if (!read_until(wanted)) {
      return ended_ && give();
    }
  }
}

bool AuthenticationGate::pass_outward() {
  std::array<char, 4096> bytes{};
  while (true) {
    const ssize_t got = ::recv(libpq_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got <= 0) {
      return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
    // A few hundred bytes always fit into the send buffer at this point.
    if (::send(server_.get(), bytes.data(), static_cast<std::size_t>(got), MSG_DONTWAIT | MSG_NOSIGNAL) != got) {
      return false;
    }
  }
}

void AuthenticationGate::step_aside(PGconn* connection) {
  static_cast<void>(::dup3(server_.get(), PQsocket(connection), O_CLOEXEC));
}

}  // namespace athanor::postgres
