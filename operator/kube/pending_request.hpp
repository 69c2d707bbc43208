// One HTTP request in progress, shared by cpprest's threads, which push the response, and the one thread that waits for it.
//
// cpprest writes the response body into a stream buffer of ours. The buffer accepts up to a window of bytes ahead of the reader
// and then makes cpprest wait, so that TCP's flow control slows down a fast server instead of our memory filling up. The reader
// polls an eventfd together with the stop token.
//
// Threads: the first group of methods is called from cpprest's threads, the second from the waiting thread. Ownership: shared
// by the waiting thread and cpprest's stream, so an abandoned request lives until cpprest drops it.
#pragma once

#include <sys/types.h>
#include <utility>  // before cpprest: Boost 1.74 leaves it out

#include <cpprest/astreambuf.h>
#include <cpprest/streams.h>
#include <pplx/pplxtasks.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "operator/kube/rest_tls.hpp"
#include "operator/kube/transport.hpp"

namespace athanor::controller {

// Why there is no complete response.
struct RequestFailure {
  enum class Kind : std::uint8_t {
    Stale,       // the idle connection was closed before anything was sent on it
    NotSent,     // a reused connection broke while the request was being written: the server cannot have all of it
    Unanswered,  // a reused connection broke after the request was written: it may have been carried out
    Broken,      // everything else
  };
  Kind kind = Kind::Broken;
  std::string reason;
};

class PendingRequest {
 public:
  struct Progress {
    std::optional<int> status;  // set when the response's head has arrived
    std::optional<milliseconds> retry_after;
    bool ended = false;
    bool released = false;  // cpprest no longer refers to the request, and its connection is back in the pool
    std::optional<RequestFailure> failure;
    bool overrun = false;  // the server sent more than max_undelivered
  };

  // `repeatable`: the request may be sent twice (GET, HEAD). `max_undelivered`: how many bytes may arrive before cpprest
  // delivers any; more is an overrun. The limit is needed because cpprest buffers heads and whole chunks of any size.
  PendingRequest(bool repeatable, std::size_t max_undelivered);
  ~PendingRequest();
  PendingRequest(const PendingRequest&) = delete;
  PendingRequest& operator=(const PendingRequest&) = delete;

  // Called from cpprest's threads.
  // Takes bytes of the body. The task completes when cpprest may continue, and fails when the request was abandoned.
  [[nodiscard]] pplx::task<std::size_t> arrived(const std::uint8_t* bytes, std::size_t count);
  // Records the response's head.
  void answered(int status, std::optional<milliseconds> retry_after);
  // Records the end of the response; nullopt: it is complete.
  void ended(std::optional<RequestFailure> failure);
  // Records that cpprest has released the request.
  void released();
  // Counts a TLS record of this size, in bytes, that is arriving.
  void receiving(std::size_t bytes);
  // Asks whether to send over the connection that cpprest chose. False when this would repeat a request that must not be
  // repeated, or when the request was abandoned.
  [[nodiscard]] bool may_send(bool reused);
  // Records the connection's socket. It is duplicated, so that abandon() can shut it down regardless of what cpprest does with
  // its own.
  void connected(int socket);
  [[nodiscard]] bool on_reused_connection() const { return reused_; }

  // Called from the waiting thread.
  // An eventfd, readable when receive() has something new.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] pplx::cancellation_token token() const { return cancellation_.get_token(); }
  // Replaces `bytes` with the bytes that arrived since the last call, and lets cpprest continue.
  [[nodiscard]] Progress receive(std::string& bytes);
  // Gives up: shuts the connection down and discards everything that still arrives. It shuts down the socket because cpprest's
  // cancellation token closes the socket object while another thread may be using it, which can crash. The token is used only
  // while there is no connection yet.
  void abandon();
  // Whether the response is complete and its connection may carry another request.
  [[nodiscard]] bool reusable() const;

 private:
  void signal() const;
  // Lets cpprest continue. Must be called without the mutex, because continuations may run synchronously.
  static void resume(std::optional<std::pair<pplx::task_completion_event<std::size_t>, std::size_t>> held);

  const bool repeatable_;
  const std::size_t max_undelivered_;
  int descriptor_ = -1;
  int socket_ = -1;  // under the mutex
  pplx::cancellation_token_source cancellation_;
  std::atomic<bool> reused_{false};
  std::atomic<bool> overrun_{false};
  std::atomic<std::uint64_t> undelivered_{0};

  mutable std::mutex mutex_;
  Progress progress_;
  std::string pending_;
  std::optional<std::pair<pplx::task_completion_event<std::size_t>, std::size_t>> held_;
  bool abandoned_ = false;
  bool sent_before_ = false;
};

// The stream that cpprest writes a response body into. `on_release` is called when cpprest has released the request and its
// connection.
[[nodiscard]] Concurrency::streams::ostream make_sink(std::shared_ptr<PendingRequest> request,
                                                      std::function<void()> on_release);

}  // namespace athanor::controller
