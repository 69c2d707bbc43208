#include "migrations/postgres/authentication_gate.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "migrations/postgres/replaced_socket.hpp"

namespace athanor::postgres {
namespace {

constexpr std::size_t kHeader = 5;        // type, length
constexpr std::size_t kLongest = 65'536;  // libpq gives up on 2000 bytes of a request
constexpr char kAuthentication = 'R';

int number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    number = (number << 8U) | static_cast<unsigned char>(bytes[i]);
  }
  return static_cast<int>(number);
}

}  // namespace

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
  if (!read_until(kHeader)) {
    return ended_ && give();
  }
  if (message_.front() != kAuthentication) {
    // An error, or a message that libpq rejects. A server that cannot fork sends plain text without a length, so do not wait
    // for the rest: libpq reads it from its own descriptor. No password follows.
    done_ = true;
    return give();
  }
  const int length = number_at(message_, 1);
  if (length < 8 || static_cast<std::size_t>(length) > kLongest) {
    return fail(ErrorCode::DatabaseUnreachable, "invalid authentication request from the server");
  }
  if (!read_until(static_cast<std::size_t>(length) + 1)) {
    return ended_ && give();
  }
  const int code = number_at(message_, kHeader);
  const bool ends = code == 0 && asked_;
  if (!ends && !allowed_.allows(code)) {
    return fail(Error(ErrorCode::AuthenticationFailed, "the server requests an authentication method that is not allowed: " +
                                                           std::string(authentication_name(code)))
                    .advise("without verified TLS, any server could obtain the password: use sslmode=verify-full, set "
                            "password_encryption to scram-sha-256, or allow the method with require_auth"));
  }
  asked_ = true;
  done_ = code == 0;
  return give();
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
