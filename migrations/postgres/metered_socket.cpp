#include "migrations/postgres/metered_socket.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "migrations/postgres/replaced_socket.hpp"

namespace athanor::postgres {
namespace {

constexpr std::size_t kPortion = std::size_t{32} << 10U;

bool try_later() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

std::unique_ptr<MeteredSocket> MeteredSocket::take_over(PGconn* connection) {
  auto ends = replace_socket(connection);
  return std::unique_ptr<MeteredSocket>(ends ? new MeteredSocket(std::move(ends->server), std::move(ends->libpq)) : nullptr);
}

MeteredSocket::MeteredSocket(UniqueFd server, UniqueFd libpq) : server_(std::move(server)), libpq_(std::move(libpq)) {
  inward_.bytes.resize(kPortion);
  outward_.bytes.resize(kPortion);
}

// Runs after PQfinish, which has written its last bytes into the pair.
MeteredSocket::~MeteredSocket() {
  move_outward();  // the Terminate message of PQfinish
}

bool MeteredSocket::has_unsent() const {
  pollfd descriptor{libpq_.get(), POLLIN, 0};
  return !server_deaf_ && (!outward_.empty() || (::poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLIN) != 0));
}

bool MeteredSocket::turn(milliseconds timeout) {
  // Report "readable" until libpq has read the end, or its caller would wait for it.
  if (end_passed_) {
    move_outward();
    return true;  // libpq has yet to read the end
  }
  // In each direction: read into an empty buffer, write from a full one.
  const short from_libpq = outward_.empty() || server_deaf_ ? POLLIN : 0;
  const short to_libpq = inward_.empty() ? 0 : POLLOUT;
  const short from_server = inward_.empty() && !server_ended_ ? POLLIN : 0;
  const short to_server = outward_.empty() || server_deaf_ ? 0 : POLLOUT;
  std::array<pollfd, 2> descriptors{pollfd{libpq_.get(), static_cast<short>(from_libpq | to_libpq), 0},
                                    pollfd{server_.get(), static_cast<short>(from_server | to_server), 0}};
  if (server_ended_ && to_server == 0) {
    descriptors[1].fd = -1;  // poll() would report its end again and again
  }
  if (::poll(descriptors.data(), descriptors.size(), static_cast<int>(timeout.count())) <= 0) {
    return false;
  }
  if (descriptors[0].revents != 0 || (descriptors[1].revents & POLLOUT) != 0) {
    move_outward();
  }
  return move_inward();
}

bool MeteredSocket::move_inward() {
  if (inward_.empty() && !server_ended_) {
    const ssize_t got = ::recv(server_.get(), inward_.bytes.data(), inward_.bytes.size(), MSG_DONTWAIT);
    if (got > 0) {
      inward_.begin = 0;
      inward_.end = static_cast<std::size_t>(got);
    } else if (got == 0 || !try_later()) {
      server_ended_ = true;
    }
  }
  bool moved = false;
  if (!inward_.empty()) {
    const ssize_t given =
        ::send(libpq_.get(), inward_.bytes.data() + inward_.begin, inward_.end - inward_.begin, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (given > 0) {
      inward_.begin += static_cast<std::size_t>(given);
      received_ += static_cast<std::size_t>(given);
      moved = true;
    }
  }
  if (server_ended_ && inward_.empty() && !end_passed_) {
    end_inward();
    moved = true;
  }
  return moved;
}

void MeteredSocket::end_inward() {
  end_passed_ = true;
  ::shutdown(libpq_.get(), SHUT_WR);
}

void MeteredSocket::move_outward() {
  while (true) {
    if (outward_.empty()) {
      const ssize_t got = ::recv(libpq_.get(), outward_.bytes.data(), outward_.bytes.size(), MSG_DONTWAIT);
      if (got <= 0) {
        return;
      }
      outward_.begin = 0;
      outward_.end = static_cast<std::size_t>(got);
    }
    const ssize_t sent = server_deaf_ ? -1
                                      : ::send(server_.get(), outward_.bytes.data() + outward_.begin,
                                               outward_.end - outward_.begin, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      outward_.begin += static_cast<std::size_t>(sent);
    } else if (server_deaf_ || !try_later()) {
      // What the server sent before it hung up must still be read; discard what libpq writes from now on.
      server_deaf_ = true;
      outward_.begin = outward_.end;
    } else {
      return;
    }
  }
}

void MeteredSocket::cut() {
  ::shutdown(server_.get(), SHUT_RDWR);
  server_ended_ = true;
  server_deaf_ = true;
  // Discard what was received: after a cut, nothing more may reach libpq.
  inward_.begin = inward_.end;
  if (!end_passed_) {
    end_inward();
  }
}

}  // namespace athanor::postgres
