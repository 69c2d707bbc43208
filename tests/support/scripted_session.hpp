// A session that replays a scripted dialogue: the test lists what must be sent, in which order, and what the server answers.
//
// A statement is matched by a part of its text, followed by its parameters in brackets: "SELECT 1 [a, NULL]". For a transaction
// the test lists the commands that matter, in order; other commands may come between them. Sending something unexpected, or not
// sending something expected, fails the test with a message that names it.
//
// After a failure it behaves as PostgreSQL does, which tests/postgres/session checks for both: pipelined transactions behind a
// failed one are skipped, and a lost connection loses everything in flight.
//
// Threads: one thread. Ownership: the Dialogue must outlive the sessions that replay it.
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

// Each inner list is one row of cells, such as "a" or NULL.
[[nodiscard]] Rows rows(std::initializer_list<std::vector<Parameter>> cells);
// An error as the server would report it.
[[nodiscard]] Error server_error(const std::string& sqlstate, const std::string& message = "no");

// One message to the server and its answer. By default it succeeds and returns no rows.
class Exchange {
 public:
  enum class Kind { Query, QueryEach, Autocommit, Transaction, RollBack, Recover };

  // The rows of a query, or of the transaction's command that contains `part`.
  Exchange& answers(Rows answer);
  Exchange& answers(std::string part, Rows answer);
  // One answer per query of query_each(), in order.
  Exchange& answers_each(std::vector<Result<Rows>> answers);
  Exchange& fails(Error error);
  // The transaction's command that contains `part` fails. "COMMIT" means the COMMIT at the end.
  Exchange& fails_at(std::string part, Error error);
  // The connection is lost. If `answered`, the answers to a transaction's commands arrived before that; its COMMIT is never
  // answered.
  Exchange& is_lost(bool answered = true);
  // Fails the test if a command of the transaction contains `part`.
  Exchange& without(std::string part);
  // Runs `action` before the answer arrives, to simulate concurrent changes.
  Exchange& meanwhile(std::function<void()> action);

 private:
  friend class Dialogue;
  friend class ScriptedSession;
  Exchange(Kind what, std::vector<std::string> expected) : kind(what), parts(std::move(expected)) {}

  Kind kind;
  std::vector<std::string> parts;
  std::vector<std::string> forbidden;
  std::vector<std::pair<std::string, Rows>> rows_of;  // keyed by a part of the command; "" for a query
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
  ~Dialogue();  // fails the test if something expected was not sent
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  // Appends what must be sent next. The references stay valid.
  Exchange& query(std::string part) { return add(Exchange::Kind::Query, {std::move(part)}); }
  Exchange& query_each(std::vector<std::string> parts) { return add(Exchange::Kind::QueryEach, std::move(parts)); }
  Exchange& autocommit(std::string part) { return add(Exchange::Kind::Autocommit, {std::move(part)}); }
  Exchange& transaction(std::vector<std::string> parts) { return add(Exchange::Kind::Transaction, std::move(parts)); }
  Exchange& roll_back() { return add(Exchange::Kind::RollBack, {}); }
  Exchange& recover() { return add(Exchange::Kind::Recover, {}); }

  // A session that replays this dialogue.
  [[nodiscard]] std::unique_ptr<Session> session();

  std::vector<std::string> sent;  // "query …", "autocommit …", "submit …", "collect", "roll_back", "recover", "close"
  int version = 150'000;
  WaitListener listener;  // the last one that was set on the session

 private:
  friend class ScriptedSession;
  Exchange& add(Exchange::Kind kind, std::vector<std::string> parts);
  // The next exchange if it matches; otherwise fails the test and returns nullptr.
  Exchange* next(Exchange::Kind kind, const std::vector<std::string>& texts);

  std::deque<std::unique_ptr<Exchange>> script_;
  std::size_t at_ = 0;
};

// Opens one session per dialogue, in the order in which the dialogues were added.
class ScriptedFactory final : public SessionFactory {
 public:
  // The next open() returns a session that replays `dialogue`. The caller keeps ownership of `dialogue`.
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
