// One connection of the HTTP server: TLS handshake, one request, one response, close.
//
// Never blocks: advance() does what is possible now, and wanted() returns what to poll for. The cost of a client is bounded: it
// keeps at most kMostHead bytes and kMostLines lines of a head, and discards everything that follows the head.
//
// Threads: one thread. Ownership: owns the socket and the TLS state; shares the page it sends.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor::controller {

class HttpConnection {
 public:
  static constexpr std::size_t kMostHead = std::size_t{8} << 10U;
  static constexpr std::size_t kMostLines = 64;

  enum class State : std::uint8_t {
    Reading,   // the handshake, or a head that is not complete
    Asked,     // head() is a whole request
    Refused,   // the head is too large
    Waiting,   // the request is accepted; answer() follows
    Writing,   // the answer
    Draining,  // written; reads what the client still sends, because closing a socket with unread bytes sends a reset
    Over,
  };

  // `socket` must be non-blocking. `context`: for TLS, or null.
  HttpConnection(std::uint64_t number, UniqueFd socket, SSL_CTX* context, SteadyTime now);

  // Continues as far as the socket allows.
  void advance(SteadyTime now);
  // Call it in state Asked when the response comes later.
  void wait() { state_ = State::Waiting; }
  // Sends `head`, then `page`. Call it in state Asked, Refused or Waiting.
  void answer(std::string head, std::shared_ptr<const std::string> page, SteadyTime now);
  // Drops the connection without a response.
  void end() { state_ = State::Over; }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] State state() const { return state_; }
  // When the current state was entered.
  [[nodiscard]] SteadyTime since() const { return since_; }
  [[nodiscard]] bool sends_page() const { return page_ != nullptr; }
  [[nodiscard]] const std::string& head() const { return head_; }
  [[nodiscard]] int socket() const { return socket_.get(); }
  // What to poll for: POLLIN or POLLOUT; 0 while the client waits for us.
  [[nodiscard]] short wanted() const;

 private:
  using Tls = std::unique_ptr<SSL, decltype(&::SSL_free)>;
  void enter(State state, SteadyTime now);
  [[nodiscard]] bool shake_hands();
  void read(SteadyTime now);
  void write(SteadyTime now);
  void drain();
  // The number of bytes read or written; 0: would block; -1: closed or broken.
  [[nodiscard]] ssize_t receive(char* bytes, std::size_t size);
  [[nodiscard]] ssize_t send(const char* bytes, std::size_t size);
  [[nodiscard]] ssize_t not_now(int result);

  std::uint64_t number_;
  UniqueFd socket_;
  Tls tls_{nullptr, &::SSL_free};
  State state_ = State::Reading;
  SteadyTime since_;
  bool shaken_ = true;
  short tls_wants_ = 0;
  std::string head_;
  std::string out_;
  std::shared_ptr<const std::string> page_;
  std::size_t sent_ = 0;  // of out_ and page_ together
  std::size_t drained_ = 0;
};

}  // namespace athanor::controller
