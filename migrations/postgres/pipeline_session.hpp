// The migration session over libpq: non-blocking, pipelined, cancellable.
//
// This class sends; AnswerStream waits for the answers and decides when to abandon a server. Every command sent must be
// announced to the stream: use send_command(), send_text(), prepare() and synchronise(), and no blocking call of libpq.
//
// Threads: one thread, except cancel(). Ownership: owns the connection.
#pragma once

#include <libpq-fe.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "migrations/postgres/answer_stream.hpp"
#include "migrations/session/session.hpp"

namespace athanor::postgres {

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, ConnectionCloser>;

class PipelineSession final : public Session {
 public:
  // `socket` has already replaced the connection's descriptor. `pinned`: the run's settings are the session's defaults.
  PipelineSession(Connection connection, std::unique_ptr<MeteredSocket> socket, StreamSettings settings, bool pinned = true);
  ~PipelineSession() override;

  [[nodiscard]] int backend_pid() const override;
  [[nodiscard]] int server_version() const override;
  [[nodiscard]] Result<Rows> query(std::string_view sql, const Parameters& parameters) override;
  [[nodiscard]] Result<std::vector<Result<Rows>>> query_each(const std::vector<Command>& commands) override;
  [[nodiscard]] Result<Rows> execute_autocommit(std::string_view sql) override;
  [[nodiscard]] Result<void> submit(const Transaction& transaction) override;
  [[nodiscard]] Result<TransactionOutcome> collect() override;
  [[nodiscard]] std::size_t in_flight() const override { return flights_.size(); }
  [[nodiscard]] Result<void> roll_back() override;
  [[nodiscard]] Result<void> recover() override;
  [[nodiscard]] bool alive() const override;
  void set_wait_listener(WaitListener listener) override { stream_.set_wait_listener(std::move(listener)); }
  void set_message_listener(MessageListener listener) override { stream_.set_message_listener(std::move(listener)); }
  [[nodiscard]] bool pinned() const override { return pinned_; }
  void cancel() override { stream_.cancel(); }

 private:
  // What was sent between two synchronisation points, and therefore will be answered.
  struct Flight {
    std::vector<std::string> prepared;  // names of statements prepared before it, in order
    std::size_t commands = 0;           // without BEGIN and COMMIT
  };
  using Answer = AnswerStream::Answer;

  [[nodiscard]] Result<void> enter_pipeline();
  // Error: Internal while transactions are in flight.
  [[nodiscard]] Result<void> leave_pipeline();
  // `hurried`: one of our own queries, which has a time limit.
  struct SendAs {
    bool prepared = false;
    bool hurried = false;
  };
  [[nodiscard]] Result<void> send_command(const Command& command, SendAs as);
  // Uses the simple protocol, outside a pipeline.
  [[nodiscard]] Result<void> send_text(std::string_view sql);
  // Sends a PREPARE unless the name is prepared already.
  [[nodiscard]] Result<void> prepare(const std::string& name, const std::string& sql, Flight& flight);
  [[nodiscard]] Result<void> synchronise();
  [[nodiscard]] Result<void> flush() { return stream_.flush(); }
  [[nodiscard]] Result<Answer> take_answer() { return stream_.take_answer(); }
  [[nodiscard]] Result<AnswerStream::Answer> take_synchronisation() { return stream_.take_synchronisation(); }
  // The next answer as rows, or its error.
  [[nodiscard]] Result<Rows> single_answer();
  [[nodiscard]] Error lost() const { return stream_.lost(); }

  AnswerStream stream_;  // before the connection: PQfinish sends Terminate through its socket
  Connection connection_;
  bool pinned_;
  std::deque<Flight> flights_;
  std::map<std::string, std::string, std::less<>> prepared_;  // name → statement text
};

}  // namespace athanor::postgres
