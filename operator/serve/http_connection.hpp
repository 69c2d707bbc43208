// One connection of the HTTP server: handshake, one request, one answer, end.
//
// Never blocks: advance() does what can be done now and says what to wait for. What a client may cost is bounded here: a head
// of kMostHead bytes and kMostLines lines is kept, and what follows it is thrown away unread or read into nothing.
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
    Waiting,   // for answer()
    Writing,   // the answer
    Draining,  // written; what the client still sends is read, so that it gets the answer instead of a reset
    Over,
  };

  // `socket` does not block. `context`: for TLS, or null.
  HttpConnection(std::uint64_t number, UniqueFd socket, SSL_CTX* context, SteadyTime now);

  // Goes on as far as the socket lets it.
  void advance(SteadyTime now);
  // Asked, and the answer comes later.
  void wait() { state_ = State::Waiting; }
  // Sends this, then `page`. Asked, Refused or Waiting before.
  void answer(std::string head, std::shared_ptr<const std::string> page, SteadyTime now);
  void end() { state_ = State::Over; }

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] State state() const { return state_; }
  // When the state was entered.
  [[nodiscard]] SteadyTime since() const { return since_; }
  [[nodiscard]] bool sends_page() const { return page_ != nullptr; }
  [[nodiscard]] const std::string& head() const { return head_; }
  [[nodiscard]] int socket() const { return socket_.get(); }
  // For poll(): POLLIN or POLLOUT; 0 while it waits for us.
  [[nodiscard]] short wanted() const;

 private:
  using Tls = std::unique_ptr<SSL, decltype(&::SSL_free)>;
  void enter(State state, SteadyTime now);
  [[nodiscard]] bool shake_hands();
  void read(SteadyTime now);
  void write(SteadyTime now);
  void drain();
  // Bytes read or written; 0: not now; -1: the end.
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
