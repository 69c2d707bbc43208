// The answers of one connection, in the order of what was sent; and every wait for them.
//
// Whoever sends a command says so here (expect_…), and takes its answer later. While one waits, whether for answers or for
// room to send, four things are bounded, whatever the server does:
//
//   - The listener is asked four times a second, even while bytes keep arriving.
//   - A server that was asked to cancel, and does not answer for kPatience while the stop is still wanted, is left.
//   - Our own questions are answered within their time limit; a migration's statements take the time that the server grants.
//   - One message of the server is at most kLargestMessage long, and a kept answer at most kMostKept; rows that nobody
//     wants are dropped one by one (libpq's single-row mode). libpq buffers whole messages, so the bytes are portioned
//     (MeteredSocket).
//
// Leaving a server means to cut the connection: what was in flight has an unknown outcome, every later call fails, and the
// reason is told by each of them.
//
// Threads: one thread, cancel() excepted. Ownership: borrows the connection; destroyed after PQfinish.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "migrations/base/stop.hpp"
#include "migrations/postgres/metered_socket.hpp"
#include "migrations/postgres/server_error.hpp"
#include "migrations/session/session.hpp"

namespace athanor::postgres {

inline constexpr milliseconds kListenEvery{250};                        // between two questions to the listener
inline constexpr milliseconds kPatience{3'000};                         // for the answer to a cancellation
inline constexpr std::size_t kLargestMessage = std::size_t{64} << 20U;  // bytes of one row
inline constexpr std::size_t kMostKept = std::size_t{64} << 20U;        // bytes of the rows of one kept answer
inline constexpr std::size_t kMostKeptRows = 1'000'000;
inline constexpr std::size_t kMostNoticeBytes = std::size_t{1} << 30U;  // of NOTICEs within one answer
inline constexpr int kMostMessages = 100;                               // told of one statement

struct StreamSettings {
  std::string place;  // for messages
  // For questions of ours, the server's own limits included.
  milliseconds answer_timeout{0};
  milliseconds stop_grace{0};  // for a migration's statements without a listener
  milliseconds listen_every = kListenEvery;
  StopToken stop;  // heard when there is no listener
  bool show_values = false;
};

class AnswerStream {
 public:
  struct Answer {
    Rows rows;
    std::optional<Error> error;
    bool aborted = false;  // not run, because an earlier command of the pipeline failed
  };
  struct Handling {
    bool keep_rows = true;
    bool hurried = false;  // a question of ours with the time limit
    std::string sql = {};  // of a migration's statement: what its messages may name
  };

  AnswerStream(PGconn* connection, std::unique_ptr<MeteredSocket> socket, StreamSettings settings);
  ~AnswerStream();
  AnswerStream(const AnswerStream&) = delete;
  AnswerStream& operator=(const AnswerStream&) = delete;

  // One command was sent; one synchronisation point was sent.
  void expect_answer(Handling handling);
  void expect_synchronisation();

  // Until everything is sent. Answers that arrive meanwhile are kept for take_answer().
  [[nodiscard]] Result<void> flush();
  // The next answer; waits for it. An error is the connection's.
  [[nodiscard]] Result<Answer> take_answer();
  // The end of an implicit transaction. An answer with an error: the server could not commit what it had said yes to, as when a
  // deferred constraint fails. The outer error is the connection's.
  [[nodiscard]] Result<Answer> take_synchronisation();

  [[nodiscard]] bool alive() const;
  // Why the connection is of no use any more.
  [[nodiscard]] Error lost() const;
  void set_wait_listener(WaitListener listener) { listener_ = std::move(listener); }
  void set_message_listener(MessageListener listener) { message_listener_ = std::move(listener); }
  // From any thread. Connecting for it may take minutes on a dead network, so a thread of its own does it; it ends by itself.
  void cancel();

 private:
  struct Expected {
    bool synchronisation = false;
    Handling handling;
  };
  struct Arrived {
    bool synchronisation = false;
    Answer answer;
  };
  // One wait of a caller.
  struct Wait {
    SteadyTime since;
    SteadyTime next_question;
    std::optional<SteadyTime> stop_seen = {};
    std::optional<SteadyTime> cancelled = {};
  };
  struct Canceller;

  [[nodiscard]] Result<Arrived> take();
  [[nodiscard]] Result<void> exchange(milliseconds timeout);
  [[nodiscard]] bool read_portion();
  [[nodiscard]] Result<void> ask(Wait& wait);
  [[nodiscard]] bool stop_wanted(Wait& wait, SteadyTime now);
  void take_arrived();
  void absorb(const PGresult* result);
  void keep_rows(const PGresult* result);
  void drop_copied();
  void end_answer();
  void hear(const PGresult* notice);
  void leave(Error reason);

  PGconn* connection_;
  std::unique_ptr<MeteredSocket> socket_;
  StreamSettings settings_;
  std::shared_ptr<Canceller> canceller_;
  WaitListener listener_;
  MessageListener message_listener_;
  std::deque<Expected> expected_;
  std::deque<Arrived> arrived_;
  // The answer that is being received.
  Answer current_;
  bool begun_ = false;  // libpq was told how to receive it
  bool any_result_ = false;
  bool copying_ = false;
  bool complete_ = false;  // a further result is that of a further statement of the same text
  std::size_t kept_ = 0;   // bytes of its rows
  std::size_t notice_bytes_ = 0;
  int messages_ = 0;
  std::size_t mark_ = 0;  // socket_->received() when libpq last had something whole
  std::optional<Error> reason_;
};

}  // namespace athanor::postgres
