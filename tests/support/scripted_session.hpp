// A session that plays a recorded dialogue: the test says what must be sent, in which order, and what the server answers.
//
// A statement is told by a part of its text, which is followed by its parameters in brackets: "SELECT 1 [a, NULL]". Of a
// transaction the test names the commands that matter, in their order; others may stand between them. What is sent and not
// expected, or expected and never sent, fails the test, and the message says which.
//
// Behaves as PostgreSQL does behind a failure, which a test proves for both (tests/postgres/session): transactions in flight
// behind one that failed are skipped, and everything in flight is lost with the connection.
//
// Threads: the test's. Ownership: a Dialogue outlives the sessions that play it.
#pragma once

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "migrations/session/session.hpp"

namespace athanor::test {

// "a" and NULL are cells; every inner list is a row.
[[nodiscard]] Rows rows(std::initializer_list<std::vector<Parameter>> cells);
// An error as the server would say it.
[[nodiscard]] Error server_error(const std::string& sqlstate, const std::string& message = "no");

// One message to the server and its answer. Unless told otherwise it succeeds without a row.
class Exchange {
 public:
  enum class Kind { Query, QueryEach, Autocommit, Transaction, RollBack, Recover };

  // A query's rows, or those of the transaction's command that holds `part`.
  Exchange& answers(Rows answer);
  Exchange& answers(std::string part, Rows answer);
  // The answers of query_each(), in order.
  Exchange& answers_each(std::vector<Result<Rows>> answers);
  Exchange& fails(Error error);
  // The transaction's command that holds `part` fails; for the COMMIT that follows them all: "COMMIT".
  Exchange& fails_at(std::string part, Error error);
  // The connection is gone. A transaction's answers arrived before that if `answered`, and its COMMIT was not answered.
  Exchange& is_lost(bool answered = true);
  // No command of the transaction may hold `part`.
  Exchange& without(std::string part);
  // What the world does before the answer comes.
  Exchange& meanwhile(std::function<void()> action);

 private:
  friend class Dialogue;
  friend class ScriptedSession;
  Exchange(Kind what, std::vector<std::string> expected) : kind(what), parts(std::move(expected)) {}

  Kind kind;
  std::vector<std::string> parts;
  std::vector<std::string> forbidden;
  std::vector<std::pair<std::string, Rows>> rows_of;  // by a part of the command; "" for a query
  std::vector<Result<Rows>> each;
  std::optional<Error> error;
  std::string failing_part;
  bool lost = false;
  bool answered = true;
  std::function<void()> action;
};

class Dialogue {
 public:
  Dialogue() = default;
  ~Dialogue();  // fails the test when something expected was not sent
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  // What is expected next. The references stay valid.
  Exchange& query(std::string part) { return add(Exchange::Kind::Query, {std::move(part)}); }
  Exchange& query_each(std::vector<std::string> parts) { return add(Exchange::Kind::QueryEach, std::move(parts)); }
  Exchange& autocommit(std::string part) { return add(Exchange::Kind::Autocommit, {std::move(part)}); }
  Exchange& transaction(std::vector<std::string> parts) { return add(Exchange::Kind::Transaction, std::move(parts)); }
  Exchange& roll_back() { return add(Exchange::Kind::RollBack, {}); }
  Exchange& recover() { return add(Exchange::Kind::Recover, {}); }

  // A session that plays it.
  [[nodiscard]] std::unique_ptr<Session> session();

  std::vector<std::string> sent;  // "query …", "autocommit …", "submit …", "collect", "roll_back", "recover", "close"
  int version = 150'000;
  WaitListener listener;  // as the session was given it last

 private:
  friend class ScriptedSession;
  Exchange& add(Exchange::Kind kind, std::vector<std::string> parts);
  // The next exchange if this is what it expects; otherwise nothing, and the test has failed.
  Exchange* next(Exchange::Kind kind, const std::vector<std::string>& texts);

  std::deque<std::unique_ptr<Exchange>> script_;
  std::size_t at_ = 0;
};

// Opens the sessions of the dialogues in the order in which they were added.
class ScriptedFactory final : public SessionFactory {
 public:
  // The next open() gives a session that plays `dialogue`, which the test keeps.
  void then(Dialogue& dialogue) { opens_.emplace_back(&dialogue); }
  // The next open() fails.
  void then(Error error) { opens_.emplace_back(std::move(error)); }

  [[nodiscard]] Result<std::unique_ptr<Session>> open() override;
  // Fails unless `observer` is set.
  [[nodiscard]] Result<std::unique_ptr<ReadSession>> open_observer() override;
  [[nodiscard]] std::string describe() const override { return "scripted:5432/app"; }

  Dialogue* observer = nullptr;
  int opened = 0;  // calls of open()

 private:
  struct Opening {
    explicit Opening(Dialogue* plays) : dialogue(plays) {}
    explicit Opening(Error refusal) : error(std::move(refusal)) {}
    Dialogue* dialogue = nullptr;
    Error error;
  };
  std::deque<Opening> opens_;
};

}  // namespace athanor::test
