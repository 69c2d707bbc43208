#include "operator/serve/http_connection.hpp"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace athanor::controller {
namespace {

// A client that sends more than this after its request gets a reset.
constexpr std::size_t kMostDrained = std::size_t{256} << 10U;
// The largest TLS record.
constexpr std::size_t kPiece = std::size_t{16} << 10U;

}  // namespace

HttpConnection::HttpConnection(std::uint64_t number, UniqueFd socket, SSL_CTX* context, SteadyTime now)
    : number_(number), socket_(std::move(socket)), since_(now) {
  if (context != nullptr) {
    tls_.reset(::SSL_new(context));
    shaken_ = false;
    if (!tls_ || ::SSL_set_fd(tls_.get(), socket_.get()) != 1) {
      state_ = State::Over;
      return;
    }
    ::SSL_set_accept_state(tls_.get());
  }
}

void HttpConnection::enter(State state, SteadyTime now) {
  state_ = state;
  since_ = now;
}

short HttpConnection::wanted() const {
  switch (state_) {
    case State::Reading:
    case State::Draining:
      return tls_wants_ != 0 ? tls_wants_ : POLLIN;
    case State::Writing:
      return tls_wants_ != 0 ? tls_wants_ : POLLOUT;
    default:
      return 0;  // poll() reports a hang-up even so
  }
}

ssize_t HttpConnection::not_now(int result) {
  const int reason = ::SSL_get_error(tls_.get(), result);
  ::ERR_clear_error();
  // During a handshake SSL_read() may have to write and SSL_write() may have to read; poll for what OpenSSL asks for.
  tls_wants_ = reason == SSL_ERROR_WANT_READ ? POLLIN : reason == SSL_ERROR_WANT_WRITE ? POLLOUT : short{0};
  return tls_wants_ != 0 ? 0 : -1;
}

ssize_t HttpConnection::receive(char* bytes, std::size_t size) {
  if (tls_) {
    // The error queue belongs to the thread: SSL_get_error() would attribute an earlier connection's error to this one.
    ::ERR_clear_error();
    const int got = ::SSL_read(tls_.get(), bytes, static_cast<int>(size));
    if (got <= 0) {
      return not_now(got);
    }
    tls_wants_ = 0;
    return got;
  }
  const ssize_t got = ::recv(socket_.get(), bytes, size, 0);
  if (got > 0) {
    return got;
  }
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

ssize_t HttpConnection::send(const char* bytes, std::size_t size) {
  if (tls_) {
    ::ERR_clear_error();
    const int put = ::SSL_write(tls_.get(), bytes, static_cast<int>(std::min(size, kPiece)));
    if (put <= 0) {
      return not_now(put);
    }
    tls_wants_ = 0;
    return put;
  }
  const ssize_t put = ::send(socket_.get(), bytes, size, MSG_NOSIGNAL);
  if (put >= 0) {
    return put;
  }
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

bool HttpConnection::shake_hands() {
  if (shaken_) {
    return true;
  }
  ::ERR_clear_error();
  const int done = ::SSL_do_handshake(tls_.get());
  if (done == 1) {
    shaken_ = true;
    tls_wants_ = 0;
    return true;
  }
  if (not_now(done) < 0) {
    state_ = State::Over;
  }
  return false;
}

void HttpConnection::advance(SteadyTime now) {
  if (state_ == State::Reading && shake_hands()) {
    read(now);
  } else if (state_ == State::Writing) {
    write(now);
  } else if (state_ == State::Draining) {
    drain();
  }
}

void HttpConnection::read(SteadyTime now) {
  std::array<char, 4096> bytes;
  while (state_ == State::Reading) {
    const std::size_t room = std::min(bytes.size(), kMostHead - head_.size());
    const ssize_t got = receive(bytes.data(), room);
    if (got <= 0) {
      // `since_` stays: a client that sends a byte at a time must still complete its request before the deadline.
      state_ = got < 0 ? State::Over : state_;
      return;
    }
    // The empty line may be split between two reads: search from three bytes before the new ones.
    const std::size_t before = head_.size();
    head_.append(bytes.data(), static_cast<std::size_t>(got));
    const std::size_t end = head_.find("\r\n\r\n", before - std::min<std::size_t>(before, 3));
    if (end != std::string::npos) {
      head_.resize(end + 2);
      const bool few = static_cast<std::size_t>(std::ranges::count(head_, '\n')) <= kMostLines;
      enter(few ? State::Asked : State::Refused, now);
    } else if (head_.size() >= kMostHead) {
      enter(State::Refused, now);
    }
  }
}

void HttpConnection::answer(std::string head, std::shared_ptr<const std::string> page, SteadyTime now) {
  out_ = std::move(head);
  page_ = std::move(page);
  head_ = {};
  enter(State::Writing, now);
  write(now);
}

void HttpConnection::write(SteadyTime now) {
  const std::size_t whole = out_.size() + (page_ ? page_->size() : 0);
  while (sent_ < whole) {
    const bool of_page = sent_ >= out_.size();
    const std::string& text = of_page ? *page_ : out_;
    const std::size_t at = of_page ? sent_ - out_.size() : sent_;
    const ssize_t put = send(text.data() + at, text.size() - at);
    if (put <= 0) {
      // As in read(): the deadline applies to the whole response, also for a client that reads slowly.
      state_ = put < 0 ? State::Over : state_;
      return;
    }
    sent_ += static_cast<std::size_t>(put);
  }
  page_.reset();
  if (tls_) {
    ::ERR_clear_error();
    ::SSL_shutdown(tls_.get());  // tells the client that the response is complete; its reply is not awaited
    ::ERR_clear_error();
    tls_wants_ = 0;
  }
  // Half-close and drain. Closing a socket with unread bytes sends a reset, and the client could lose the response.
  ::shutdown(socket_.get(), SHUT_WR);
  enter(State::Draining, now);
  drain();
}

// Reads from the socket below TLS, because the bytes are discarded.
void HttpConnection::drain() {
  std::array<char, kPiece> bytes;
  while (drained_ <= kMostDrained) {
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (got <= 0) {
      break;
    }
    drained_ += static_cast<std::size_t>(got);
  }
  state_ = State::Over;
}

}  // namespace athanor::controller
