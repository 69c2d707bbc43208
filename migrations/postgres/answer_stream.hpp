// Receives the answers of one connection, in the order of the commands sent, and does all waiting for them.
//
// A caller that sends a command announces it here (expect_…) and takes its answer later. While a caller waits, for answers or
// for room to send, four limits apply whatever the server does:
//
//   - The listener is called at least four times a second, even while bytes keep arriving.
//   - A server that does not answer a cancellation within kPatience is abandoned, if the stop is still wanted.
//   - Our own queries have a time limit; a migration's statements may take as long as the server allows.
//   - A message from the server is at most kLargestMessage bytes long and a kept answer at most kMostKept. Rows that nobody
//     reads are dropped one by one (libpq's single-row mode). libpq buffers whole messages, so MeteredSocket feeds it bytes in
//     portions.
//
// Abandoning a server means cutting the connection: the outcome of what was in flight is unknown, and every later call fails
// with the reason.
//
// Threads: one thread, except cancel(). Ownership: borrows the connection; must be destroyed after PQfinish.
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/stop.hpp"
#include "migrations/postgres/metered_socket.hpp"
#include "migrations/postgres/server_error.hpp"
#include "migrations/session/session.hpp"

namespace athanor::postgres {

inline constexpr milliseconds kListenEvery{250};                        // between two calls of the listener
inline constexpr milliseconds kPatience{3'000};                         // for the answer to a cancellation
inline constexpr std::size_t kLargestMessage = std::size_t{64} << 20U;  // bytes of one row
inline constexpr std::size_t kMostKept = std::size_t{64} << 20U;        // bytes of the rows of one kept answer
inline constexpr std::size_t kMostKeptRows = 1'000'000;
inline constexpr std::size_t kMostNoticeBytes = std::size_t{1} << 30U;  // of NOTICEs within one answer
inline constexpr int kMostMessages = 100;                               // of the server per statement; the rest is counted only

struct StreamSettings {
  std::string place;  // for messages
  // The time limit of our own queries, which must include lock_timeout and statement_timeout.
  milliseconds answer_timeout{0};
  milliseconds stop_grace{0};  // for a migration's statements without a listener
  milliseconds listen_every = kListenEvery;
  StopToken stop;  // used when there is no listener
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
    bool hurried = false;  // one of our own queries, with the time limit
    std::string sql = {};  // text of a migration's statement: the names in it may appear in messages
  };

  AnswerStream(PGconn* connection, std::unique_ptr<MeteredSocket> socket, StreamSettings settings);
  ~AnswerStream();
  AnswerStream(const AnswerStream&) = delete;
  AnswerStream& operator=(const AnswerStream&) = delete;

  // Announces one command, or one synchronisation point, that was sent.
  void expect_answer(Handling handling);
  void expect_synchronisation();

  // Blocks until everything is sent. Answers that arrive meanwhile are kept for take_answer().
  [[nodiscard]] Result<void> flush();
  // Waits for the next answer. The outer error is the connection's; an error of the statement is in the answer.
  [[nodiscard]] Result<Answer> take_answer();
  // Waits for the end of an implicit transaction. An error in the answer means that the server could not commit what it had
  // accepted, for example because a deferred constraint failed. The outer error is the connection's.
  [[nodiscard]] Result<Answer> take_synchronisation();

  // False once the connection is lost or was abandoned.
  [[nodiscard]] bool alive() const;
  // Why the connection is no longer usable.
  [[nodiscard]] Error lost() const;
  void set_wait_listener(WaitListener listener) { listener_ = std::move(listener); }
  void set_message_listener(MessageListener listener) { message_listener_ = std::move(listener); }
  // Safe from any thread. Opens a connection, which may take minutes on a dead network, so it runs on a detached thread.
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

  // Waits for the next arrived item.
  [[nodiscard]] Result<Arrived> take();
  // Moves bytes in both directions and takes complete answers; waits at most `timeout`.
  [[nodiscard]] Result<void> exchange(milliseconds timeout);
  [[nodiscard]] bool read_portion();
  // Calls the listener if it is due, and enforces the limits of a wait.
  [[nodiscard]] Result<void> ask(Wait& wait);
  [[nodiscard]] bool stop_wanted(Wait& wait, SteadyTime now);
  // Takes every result that libpq can return without waiting.
  void take_arrived();
  // Adds a result to the answer that is being received.
  void absorb(const PGresult* result);
  void keep_rows(const PGresult* result);
  void drop_copied();
  // The current command has no further results: its answer is complete.
  void end_answer();
  void hear(const PGresult* notice);
  // Abandons the server: cuts the connection and keeps the first reason.
  void leave(Error reason);
  // Of a statement that failed: Interrupted when it was cancelled because of our own stop.
  [[nodiscard]] MessageSource source(std::string_view sql) const;
  [[nodiscard]] Error with_stop_reason(Error error) const;

  PGconn* connection_;
  std::unique_ptr<MeteredSocket> socket_;
  StreamSettings settings_;
  std::shared_ptr<Canceller> canceller_;
  bool cancelled_by_stop_ = false;
  WaitListener listener_;
  MessageListener message_listener_;
  std::deque<Expected> expected_;
  std::deque<Arrived> arrived_;
  // The answer that is being received:
  Answer current_;
  bool begun_ = false;  // libpq knows how to receive it (single-row mode)
  bool any_result_ = false;
  bool copying_ = false;
  bool complete_ = false;  // a further result belongs to another statement of the same text
  std::size_t kept_ = 0;   // bytes of its rows
  std::size_t notice_bytes_ = 0;
  int messages_ = 0;
  std::size_t mark_ = 0;  // socket_->received() when libpq last returned something complete
  std::optional<Error> reason_;
};

}  // namespace athanor::postgres
