#include "tests/support/scripted_session.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace athanor::test {
namespace {

std::string text_of(std::string_view sql, const Parameters& parameters) {
  std::string text(sql);
  for (const auto& parameter : parameters) {
    text += &parameter == parameters.data() ? " [" : ", ";
    text += parameter.value_or("NULL");
  }
  return parameters.empty() ? text : text + "]";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) {
    all += (all.empty() ? "" : "\n    ") + text;
  }
  return all;
}

// Shortens a long statement in the middle: the parameters are at its end.
std::string shown(const std::vector<std::string>& texts) {
  std::vector<std::string> cut = texts;
  for (auto& text : cut) {
    if (text.size() > 200) {
      text.replace(100, text.size() - 200, " … ");
    }
  }
  return joined(cut);
}

std::string_view name_of(Exchange::Kind kind) {
  switch (kind) {
    case Exchange::Kind::Query:
      return "query";
    case Exchange::Kind::QueryEach:
      return "query_each";
    case Exchange::Kind::Autocommit:
      return "autocommit";
    case Exchange::Kind::Transaction:
      return "submit";
    case Exchange::Kind::RollBack:
      return "roll_back";
    case Exchange::Kind::Recover:
      return "recover";
  }
  return "";
}

Error gone() {
  return Error(ErrorCode::ConnectionLost, "the connection was lost");
}

Error not_expected() {
  return Error(ErrorCode::Internal, "not in the dialogue");
}

}  // namespace

Rows rows(std::initializer_list<std::vector<Parameter>> cells) {
  Rows made;
  made.rows.assign(cells.begin(), cells.end());
  made.affected = static_cast<std::int64_t>(cells.size());
  return made;
}

Error server_error(const std::string& sqlstate, const std::string& message) {
  return Error(ErrorCode::StatementFailed, message).with_sqlstate(sqlstate);
}

Exchange& Exchange::answers(Rows answer) {
  return answers("", std::move(answer));
}
Exchange& Exchange::answers(std::string part, Rows answer) {
  rows_of.emplace_back(std::move(part), std::move(answer));
  return *this;
}
Exchange& Exchange::answers_each(std::vector<Result<Rows>> answers) {
  each = std::move(answers);
  return *this;
}
Exchange& Exchange::fails(Error with) {
  error = std::move(with);
  return *this;
}
Exchange& Exchange::fails_at(std::string part, Error with) {
  failing_part = std::move(part);
  return fails(std::move(with));
}
Exchange& Exchange::is_lost(bool were_answered) {
  lost = true;
  answered = were_answered;
  return *this;
}
Exchange& Exchange::without(std::string part) {
  forbidden.push_back(std::move(part));
  return *this;
}
Exchange& Exchange::meanwhile(std::function<void()> does) {
  action = std::move(does);
  return *this;
}

Dialogue::~Dialogue() {
  for (; at_ < script_.size(); ++at_) {
    ADD_FAILURE() << "never sent: " << name_of(script_[at_]->kind) << "\n    " << joined(script_[at_]->parts);
  }
}

Exchange& Dialogue::add(Exchange::Kind kind, std::vector<std::string> parts) {
  script_.push_back(std::unique_ptr<Exchange>(new Exchange(kind, std::move(parts))));
  return *script_.back();
}

Exchange* Dialogue::next(Exchange::Kind kind, const std::vector<std::string>& texts) {
  sent.push_back(std::string(name_of(kind)) + (texts.empty() ? "" : " ") + joined(texts));
  const std::string what = std::string(name_of(kind)) + "\n    " + shown(texts);
  if (at_ == script_.size()) {
    ADD_FAILURE() << "sent behind the end of the dialogue: " << what;
    return nullptr;
  }
  Exchange& expected = *script_[at_++];
  auto part = expected.parts.begin();
  for (const auto& text : texts) {
    while (part != expected.parts.end() && holds(text, *part)) {
      ++part;
    }
    for (const auto& forbidden : expected.forbidden) {
      if (holds(text, forbidden)) {
        ADD_FAILURE() << "sent with '" << forbidden << "': " << what;
        return nullptr;
      }
    }
  }
  if (expected.kind != kind || part != expected.parts.end()) {
    ADD_FAILURE() << "expected: " << name_of(expected.kind) << "\n    " << joined(expected.parts)
                  << (part == expected.parts.end() ? "" : "\n  without: " + *part) << "\n  sent: " << what;
    return nullptr;
  }
  return &expected;
}

class ScriptedSession final : public Session {
 public:
  explicit ScriptedSession(Dialogue& dialogue) : dialogue_(dialogue) {}
  ~ScriptedSession() override { dialogue_.sent.emplace_back("close"); }
  ScriptedSession(const ScriptedSession&) = delete;
  ScriptedSession& operator=(const ScriptedSession&) = delete;

  Result<Rows> query(std::string_view sql, const Parameters& parameters) override {
    return single(Exchange::Kind::Query, text_of(sql, parameters));
  }
  Result<Rows> execute_autocommit(std::string_view sql) override {
    return single(Exchange::Kind::Autocommit, std::string(sql));
  }

  Result<std::vector<Result<Rows>>> query_each(const std::vector<Command>& commands) override {
    if (!alive_) {
      return fail(gone());
    }
    Exchange* const exchange = dialogue_.next(Exchange::Kind::QueryEach, texts_of(commands));
    if (exchange == nullptr) {
      return fail(not_expected());
    }
    play(*exchange);
    if (exchange->lost) {
      return fail(gone());
    }
    auto answers = exchange->each;
    while (answers.size() < commands.size()) {
      answers.emplace_back(Rows{});
    }
    return answers;
  }

  Result<void> submit(const Transaction& transaction) override {
    if (!alive_) {
      return fail(gone());
    }
    Flight flight{dialogue_.next(Exchange::Kind::Transaction, texts_of(transaction.commands)), texts_of(transaction.commands)};
    if (flight.exchange == nullptr) {
      return fail(not_expected());
    }
    flights_.push_back(std::move(flight));
    return {};
  }

  Result<TransactionOutcome> collect() override {
    if (flights_.empty()) {
      return fail(ErrorCode::Internal, "no transaction is in flight");
    }
    const Flight flight = std::move(flights_.front());
    flights_.pop_front();
    dialogue_.sent.emplace_back("collect");
    TransactionOutcome outcome;
    if (alive_ && aborted_) {
      outcome.skipped = true;
      outcome.error = server_error("25P02", "current transaction is aborted");
      return outcome;
    }
    if (alive_) {
      play(*flight.exchange);
    }
    if (!alive_) {
      outcome.lost = true;
      outcome.error = gone();
      if (flight.exchange->lost && flight.exchange->answered) {
        outcome.answers = answers_of(flight, flight.texts.size());
      }
      return outcome;
    }
    outcome.failed_command = flight.texts.size();
    if (flight.exchange->error) {
      aborted_ = true;
      outcome.error = flight.exchange->error;
      const auto failing = std::ranges::find_if(
          flight.texts, [&](const std::string& text) { return holds(text, flight.exchange->failing_part); });
      outcome.failed_command = flight.exchange->failing_part == "COMMIT"
                                   ? flight.texts.size()
                                   : static_cast<std::size_t>(failing - flight.texts.begin());
      EXPECT_TRUE(failing != flight.texts.end() || flight.exchange->failing_part == "COMMIT")
          << "no command holds '" << flight.exchange->failing_part << "'";
    }
    outcome.answers = answers_of(flight, outcome.failed_command);
    return outcome;
  }

  Result<void> roll_back() override { return leave(Exchange::Kind::RollBack); }
  Result<void> recover() override { return leave(Exchange::Kind::Recover); }

  std::size_t in_flight() const override { return flights_.size(); }
  int backend_pid() const override { return 4711; }
  int server_version() const override { return dialogue_.version; }
  bool alive() const override { return alive_; }
  void set_wait_listener(WaitListener listener) override { dialogue_.listener = std::move(listener); }
  void cancel() override { dialogue_.sent.emplace_back("cancel"); }

 private:
  struct Flight {
    Exchange* exchange;
    std::vector<std::string> texts;
  };

  static std::vector<std::string> texts_of(const std::vector<Command>& commands) {
    std::vector<std::string> texts;
    texts.reserve(commands.size());
    for (const auto& command : commands) {
      texts.push_back(text_of(command.sql, command.parameters));
    }
    return texts;
  }

  static std::vector<Rows> answers_of(const Flight& flight, std::size_t count) {
    std::vector<Rows> answers(count);
    for (std::size_t i = 0; i < count; ++i) {
      for (const auto& [part, answer] : flight.exchange->rows_of) {
        if (holds(flight.texts[i], part)) {
          answers[i] = answer;
        }
      }
    }
    return answers;
  }

  void play(const Exchange& exchange) {
    if (exchange.action) {
      exchange.action();
    }
    alive_ = alive_ && !exchange.lost;
  }

  Result<Rows> single(Exchange::Kind kind, const std::string& text) {
    if (!alive_) {
      return fail(gone());
    }
    const Exchange* const exchange = dialogue_.next(kind, {text});
    if (exchange == nullptr) {
      return fail(not_expected());
    }
    play(*exchange);
    if (exchange->lost) {
      return fail(gone());
    }
    if (exchange->error) {
      return fail(*exchange->error);
    }
    return exchange->rows_of.empty() ? Rows{} : exchange->rows_of.front().second;
  }

  Result<void> leave(Exchange::Kind kind) {
    EXPECT_TRUE(flights_.empty()) << "transactions in flight are not collected";
    if (!alive_) {
      return fail(gone());
    }
    const Exchange* const exchange = dialogue_.next(kind, {});
    if (exchange == nullptr) {
      return fail(not_expected());
    }
    play(*exchange);
    aborted_ = false;
    if (exchange->lost) {
      return fail(gone());
    }
    return exchange->error ? Result<void>(fail(*exchange->error)) : Result<void>();
  }

  Dialogue& dialogue_;
  std::deque<Flight> flights_;
  bool alive_ = true;
  bool aborted_ = false;
};

std::unique_ptr<Session> Dialogue::session() {
  return std::make_unique<ScriptedSession>(*this);
}

Result<std::unique_ptr<Session>> ScriptedFactory::open() {
  ++opened;
  if (opens_.empty()) {
    ADD_FAILURE() << "no further session was expected";
    return fail(not_expected());
  }
  const Opening opening = std::move(opens_.front());
  opens_.pop_front();
  if (opening.dialogue == nullptr) {
    return fail(opening.error);
  }
  return opening.dialogue->session();
}

Result<std::unique_ptr<ReadSession>> ScriptedFactory::open_observer() {
  if (observer == nullptr) {
    return fail(ErrorCode::DatabaseUnreachable, "no observer");
  }
  return std::unique_ptr<ReadSession>(observer->session());
}

}  // namespace athanor::test
