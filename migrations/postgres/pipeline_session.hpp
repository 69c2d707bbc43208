// The migration session over libpq: non-blocking, pipelined, cancellable.
//
// Threads: one thread, cancel() excepted. Ownership: owns the connection.
#pragma once

#include <libpq-fe.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "migrations/session/session.hpp"

namespace athanor::postgres {

struct ConnectionCloser {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Connection = std::unique_ptr<PGconn, ConnectionCloser>;

class PipelineSession final : public Session {
 public:
  PipelineSession(Connection connection, std::string place);
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
  void set_wait_listener(WaitListener listener) override { listener_ = std::move(listener); }
  void cancel() override;

 private:
  // What was sent between two synchronisation points, and so what will be answered.
  struct Flight {
    std::vector<std::string> prepared;  // statements prepared ahead of it, in order
    std::size_t commands = 0;           // without BEGIN and COMMIT
  };
  struct Answer {
    Rows rows;
    std::optional<Error> error;
    bool aborted = false;  // not run, because an earlier command of the pipeline failed
  };

  [[nodiscard]] Result<void> enter_pipeline();
  [[nodiscard]] Result<void> leave_pipeline();
  [[nodiscard]] Result<void> send_command(const Command& command, bool prepared = true);
  [[nodiscard]] Result<void> prepare(const std::string& name, const std::string& sql, Flight& flight);
  [[nodiscard]] Result<void> synchronise();
  [[nodiscard]] Result<void> flush();
  // Waits until a result can be taken without blocking.
  [[nodiscard]] Result<void> wait_for_result();
  [[nodiscard]] Result<Answer> take_answer();
  [[nodiscard]] Result<void> take_synchronisation();
  [[nodiscard]] Result<Rows> single_answer();
  [[nodiscard]] Error lost() const;

  Connection connection_;
  std::string place_;
  std::deque<Flight> flights_;
  std::map<std::string, std::string, std::less<>> prepared_;  // name → statement
  WaitListener listener_;
};

}  // namespace athanor::postgres
