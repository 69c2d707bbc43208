// A session that forwards every call to another one. Subclasses override the calls that they observe or refuse.
//
// Threads: those of Session. Ownership: owns the session that it forwards to.
#pragma once

#include <memory>
#include <utility>

#include "migrations/session/session.hpp"

namespace athanor {

class ForwardedSession : public Session {
 public:
  explicit ForwardedSession(std::unique_ptr<Session> session) : session_(std::move(session)) {}

  [[nodiscard]] Result<Rows> query(std::string_view sql, const Parameters& parameters) override {
    return session_->query(sql, parameters);
  }
  [[nodiscard]] int backend_pid() const override { return session_->backend_pid(); }
  [[nodiscard]] int server_version() const override { return session_->server_version(); }
  [[nodiscard]] Result<std::vector<Result<Rows>>> query_each(const std::vector<Command>& commands) override {
    return session_->query_each(commands);
  }
  [[nodiscard]] Result<Rows> execute_autocommit(std::string_view sql) override { return session_->execute_autocommit(sql); }
  [[nodiscard]] Result<void> submit(const Transaction& transaction) override { return session_->submit(transaction); }
  [[nodiscard]] Result<TransactionOutcome> collect() override { return session_->collect(); }
  [[nodiscard]] std::size_t in_flight() const override { return session_->in_flight(); }
  [[nodiscard]] Result<void> roll_back() override { return session_->roll_back(); }
  [[nodiscard]] Result<void> recover() override { return session_->recover(); }
  [[nodiscard]] bool alive() const override { return session_->alive(); }
  void set_wait_listener(WaitListener listener) override { session_->set_wait_listener(std::move(listener)); }
  void set_message_listener(MessageListener listener) override { session_->set_message_listener(std::move(listener)); }
  [[nodiscard]] bool pinned() const override { return session_->pinned(); }
  void cancel() override { session_->cancel(); }

 protected:
  std::unique_ptr<Session> session_;
};

}  // namespace athanor
