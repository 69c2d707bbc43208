// Servers that say nothing, too much or the wrong thing: each is left, within a time and a size.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "migrations/postgres/connect.hpp"
#include "tests/support/misbehaving_server.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor {
namespace {

using postgres::PostgresFactory;
using std::chrono::seconds;
using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::HasSubstr;
using ::testing::Not;

std::string in_network_order(std::size_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xffU);
  }
  return text;
}

// A message of the frontend/backend protocol.
std::string message(char type, const std::string& body) {
  return type + in_network_order(body.size() + 4, 4) + body;
}

const std::string kNul(1, '\0');

// All that a server says until a session is there.
void greet(ServerConnection& connection) {
  std::string text = message('R', in_network_order(0, 4));
  for (const char* const parameter : {"server_version=15.20", "client_encoding=UTF8", "standard_conforming_strings=on"}) {
    const std::string pair(parameter);
    const auto equals = pair.find('=');
    text += message('S', pair.substr(0, equals) + kNul + pair.substr(equals + 1) + kNul);
  }
  connection.send(text + message('K', in_network_order(4242, 4) + in_network_order(1, 4)) + message('Z', "I"));
}

// After the first query: the head of an answer with one text column.
void begin_answer(ServerConnection& connection) {
  greet(connection);
  while (connection.receive().find("SELECT") == std::string::npos) {
  }
  connection.send(message('1', "") + message('2', "") +
                  message('T', in_network_order(1, 2) + "a" + kNul + in_network_order(0, 6) + in_network_order(25, 4) +
                                   in_network_order(0xffff, 2) + in_network_order(0xffffffff, 4) + in_network_order(0, 2)));
}

std::string notice(std::size_t bytes) {
  return message('N', "SNOTICE" + kNul + "VNOTICE" + kNul + "C00000" + kNul + "M" + std::string(bytes, 'x') + kNul + kNul);
}

class BadServer : public testing::Test {
 protected:
  std::unique_ptr<Session> open(const MisbehavingServer& server) {
    auto session = factory(server)->open();
    EXPECT_TRUE(session) << session.error().describe();
    return std::move(session).value();
  }
  PostgresFactory* factory(const MisbehavingServer& server) {
    settings_.lock_timeout = milliseconds(0);
    factory_ = PostgresFactory::create("postgresql://u@127.0.0.1:" + std::to_string(server.port()) + "/db?sslmode=disable",
                                       settings_, stop_.token())
                   .value();
    return factory_.get();
  }
  [[nodiscard]] seconds elapsed() const {
    return std::chrono::duration_cast<seconds>(std::chrono::steady_clock::now() - start_);
  }

  ExecutionSettings settings_;
  StopSource stop_;
  std::unique_ptr<PostgresFactory> factory_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void silent(ServerConnection& connection) {
  greet(connection);
  connection.hold();
}

TEST_F(BadServer, ThatSaysNothingIsLeftAfterTheAnswerTimeout) {
  const MisbehavingServer server(silent);
  settings_.answer_timeout = milliseconds(600);
  const auto session = open(server);
  const auto answer = session->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ConnectionLost);
  EXPECT_THAT(answer.error().message, HasSubstr("did not respond"));
  EXPECT_FALSE(session->alive());
  EXPECT_LT(elapsed(), seconds(3));
}

TEST_F(BadServer, ThatSaysNothingHoldsUpNoStop) {
  const MisbehavingServer server(silent);
  const auto session = open(server);
  stop_.request();
  const auto answer = session->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Interrupted);
  EXPECT_LT(elapsed(), seconds(6));
}

// The server neither ends the statement nor answers the request to cancel it.
TEST_F(BadServer, ThatDoesNotCancelIsLeft) {
  const MisbehavingServer server(silent);
  const auto session = open(server);
  session->set_wait_listener([](milliseconds) { return true; });
  Transaction transaction;
  transaction.commands.push_back({"SELECT pg_sleep(60)", {}, ""});
  ASSERT_TRUE(session->submit(transaction));
  const auto outcome = session->collect();
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->lost);
  EXPECT_FALSE(session->alive());
  EXPECT_LT(elapsed(), seconds(6));
}

TEST_F(BadServer, DoesNotHoldUpACancellation) {
  const MisbehavingServer server(silent);
  const auto session = open(server);
  session->cancel();
  session->cancel();
  EXPECT_LT(elapsed(), seconds(1));
}

TEST_F(BadServer, ThatAnswersNoConnectionHoldsUpNoStop) {
  const MisbehavingServer server([](ServerConnection& connection) { connection.hold(); });
  stop_.request();
  const auto session = factory(server)->open();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::Interrupted);
  EXPECT_LT(elapsed(), seconds(4));
}

TEST_F(BadServer, DoesNotHoldUpTheRunByItsSecondConnection) {
  const MisbehavingServer deaf([](ServerConnection& connection) { connection.hold(); });
  EXPECT_FALSE(factory(deaf)->open_observer());
  const MisbehavingServer mute(silent);
  auto observer = factory(mute)->open_observer();
  if (observer) {  // libpqxx asks about the session before it is content: then it was left there
    EXPECT_FALSE((*observer)->query("SELECT 1"));
    EXPECT_FALSE((*observer)->query("SELECT 1")) << "one that was left answers nothing any more";
  }
  EXPECT_LT(elapsed(), seconds(6));
}

TEST_F(BadServer, ThatFloodsWithNoticesIsStillAskedToStop) {
  const MisbehavingServer server([](ServerConnection& connection) {
    greet(connection);
    const std::string flood = notice(20'000);
    while (connection.send(flood)) {
    }
  });
  const auto session = open(server);
  int asked = 0;
  int told = 0;
  session->set_wait_listener([&](milliseconds) { return ++asked >= 2; });
  session->set_message_listener([&](const ServerMessage& text) {
    ++told;
    EXPECT_LE(text.text.size(), 500U);
  });
  const auto answer = session->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_GE(asked, 2);
  EXPECT_GT(told, 0);
  EXPECT_LE(told, 100);
  EXPECT_LT(elapsed(), seconds(10));
}

TEST_F(BadServer, ThatFloodsWithNoticesForEverIsLeftWithAwayOut) {
  const MisbehavingServer server([](ServerConnection& connection) {
    greet(connection);
    const std::string flood = notice(std::size_t{1} << 20U);
    while (connection.send(flood)) {
    }
  });
  const auto session = open(server);
  const auto answer = session->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ConnectionLost);
  EXPECT_EQ(answer.error().retry, RetryClass::Terminal);
  EXPECT_THAT(answer.error().message, HasSubstr("sent more than 1 GiB of messages"));
  EXPECT_THAT(answer.error().hint, HasSubstr("client_min_messages = error"));
  EXPECT_FALSE(session->alive());
}

TEST_F(BadServer, ThatSendsOneEndlessRowIsLeftAfter64MiB) {
  const MisbehavingServer server([](ServerConnection& connection) {
    begin_answer(connection);
    constexpr std::size_t kSize = std::size_t{900} << 20U;
    connection.send("D" + in_network_order(kSize + 10, 4) + in_network_order(1, 2) + in_network_order(kSize, 4));
    const std::string chunk(std::size_t{1} << 20U, 'x');
    while (connection.send(chunk)) {
    }
  });
  const auto session = open(server);
  const auto answer = session->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("64 MiB"));
  EXPECT_LT(server.sent(), std::size_t{96} << 20U) << "what libpq takes at a time is limited";
}

TEST_F(BadServer, ThatSendsEndlesslyManyRowsIsLeftAfter64MiB) {
  const MisbehavingServer server([](ServerConnection& connection) {
    begin_answer(connection);
    const std::string row = message('D', in_network_order(1, 2) + in_network_order(100'000, 4) + std::string(100'000, 'x'));
    while (connection.send(row)) {
    }
  });
  const auto session = open(server);
  const auto answer = session->query("SELECT 1");
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("64 MiB"));
}

TEST_F(BadServer, MovesNoCursorWithItsRefusal) {
  const MisbehavingServer server([](ServerConnection& connection) {
    connection.send(message('E', "SFATAL" + kNul + "VFATAL" + kNul + "C53300" + kNul +
                                     "M\x1b[2J\x1b[31mPWNED\x1b]0;title\x07 \r \x9b"
                                     "31m\xc2\x9b"
                                     "31m" +
                                     kNul + kNul));
    connection.hold();
  });
  const auto session = factory(server)->open();
  ASSERT_FALSE(session);
  const std::string text = session.error().describe();
  EXPECT_THAT(text, HasSubstr("PWNED"));
  for (const char* const control : {"\x1b", "\x07", "\r", "\xc2\x9b"}) {
    EXPECT_THAT(text, Not(HasSubstr(control)));
  }
}

}  // namespace
}  // namespace athanor
