// One request under way: what the pool's threads hand over and the waiting thread takes.
//
// The answer's bytes are pushed by cpprest into a stream buffer of ours. It takes up to a window ahead of the reader and lets
// cpprest wait beyond it, so a fast server meets TCP's flow control and not our memory. Whoever waits does so on a descriptor,
// together with the stop request; once it has given up (abandon) nothing more is kept.
//
// Threads: arrived(), answered(), ended() and receiving() from the pool; everything else from the one thread that waits.
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

// Why there is no (whole) answer.
struct RequestFailure {
  enum class Kind : std::uint8_t {
    Stale,       // the idle connection was dead before anything was sent on it
    NotSent,     // a reused connection broke while the request was written: nobody has the whole of it
    Unanswered,  // a reused connection broke after the request was written and before an answer: nobody knows
    Broken,      // everything else
  };
  Kind kind = Kind::Broken;
  std::string words;
};

class PendingRequest {
 public:
  struct Progress {
    std::optional<int> status;  // the head has come
    std::optional<milliseconds> retry_after;
    bool ended = false;
    bool let_go = false;  // cpprest holds nothing of it any more, and its connection may be used again
    std::optional<RequestFailure> failure;
    bool overrun = false;
  };

  // `most_undelivered`: bytes the server may send that are not yet handed over, before it counts as an overrun. cpprest gathers
  // heads and whole chunks of any size before it hands them over.
  PendingRequest(bool repeatable, std::size_t most_undelivered);
  ~PendingRequest();
  PendingRequest(const PendingRequest&) = delete;
  PendingRequest& operator=(const PendingRequest&) = delete;

  // The pool's side.
  [[nodiscard]] pplx::task<std::size_t> arrived(const std::uint8_t* bytes, std::size_t count);
  void answered(int status, std::optional<milliseconds> retry_after);
  void ended(std::optional<RequestFailure> failure);
  void let_go();
  void receiving(std::size_t bytes);
  // A connection was chosen. False: this would send a request again that must not be sent again.
  [[nodiscard]] bool may_send(bool reused);
  // The socket it goes over. It is duplicated, so that it can be cut whatever becomes of cpprest's own.
  void connected(int socket);
  [[nodiscard]] bool on_reused_connection() const { return reused_; }

  // The waiting side.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] pplx::cancellation_token token() const { return cancellation_.get_token(); }
  // Moves the bytes that came into `bytes` (replacing it) and lets the server go on.
  [[nodiscard]] Progress take(std::string& bytes);
  // Gives up: cuts the connection, forgets what comes. It is cut at the socket, and cpprest meets an end there. Its own way,
  // the cancellation token, closes the socket object under the feet of a thread that works on it, which can crash; it is
  // taken only while there is no connection to cut.
  void abandon();
  // The answer came whole and its connection may carry another request.
  [[nodiscard]] bool clean() const;

 private:
  void signal() const;
  // Lets cpprest go on; called without the mutex, because continuations may run at once.
  static void resume(std::optional<std::pair<pplx::task_completion_event<std::size_t>, std::size_t>> held);

  const bool repeatable_;
  const std::size_t most_undelivered_;
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

// The stream buffer that cpprest writes an answer into. `gone` is called when cpprest has let go of the request, its
// connection included.
[[nodiscard]] Concurrency::streams::ostream make_sink(std::shared_ptr<PendingRequest> exchange, std::function<void()> gone);

}  // namespace athanor::controller
