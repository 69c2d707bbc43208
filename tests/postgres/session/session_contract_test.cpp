// What decisions of the core rely on in a session, asked of PostgreSQL and of the scripted one, which must not promise more.
#include <gtest/gtest.h>

#include "migrations/postgres/connect.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/scripted_session.hpp"

namespace athanor {
namespace {

using test::rows;
using test::server_error;

Transaction of(const std::vector<std::string>& statements) {
  Transaction transaction;
  for (const auto& sql : statements) {
    transaction.commands.push_back({sql, {}, ""});
  }
  return transaction;
}

class Server {
 public:
  virtual ~Server() = default;
  virtual std::unique_ptr<Session> open() = 0;
  // Called before what is described is sent; PostgreSQL needs no telling.
  virtual void will_query(const std::string&, const Rows&) {}
  virtual void will_fail_query(const std::string&, const Error&) {}
  virtual void will_commit(const std::string&) {}
  virtual void will_fail(const std::string&, const std::string&, const Error&) {}
  virtual void will_leave(bool) {}
  // Ends the session's connection while the transaction that is sent next runs.
  virtual void will_lose(const std::string& part) = 0;
  virtual void lose(Session& session) = 0;
};

class RealServer final : public Server {
 public:
  std::unique_ptr<Session> open() override {
    factory_ = postgres::PostgresFactory::create(database_.url(), {}).value();
    database_.run(
        "CREATE TABLE parent (id int PRIMARY KEY);"
        "CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
    return factory_->open().value();
  }
  void will_lose(const std::string&) override {}
  void lose(Session& session) override {
    database_.run("SELECT pg_terminate_backend(" + std::to_string(session.backend_pid()) + ")");
  }

 private:
  test::TestDatabase database_{"contract"};
  std::unique_ptr<postgres::PostgresFactory> factory_;
};

class ScriptedServer final : public Server {
 public:
  std::unique_ptr<Session> open() override { return dialogue_.session(); }
  void will_query(const std::string& part, const Rows& answer) override { dialogue_.query(part).answers(answer); }
  void will_fail_query(const std::string& part, const Error& error) override { dialogue_.query(part).fails(error); }
  void will_commit(const std::string& part) override { dialogue_.transaction({part}).answers(part, rows({{"1"}})); }
  void will_fail(const std::string& part, const std::string& where, const Error& error) override {
    dialogue_.transaction({part}).fails_at(where, error);
  }
  void will_leave(bool whole) override { whole ? dialogue_.recover() : dialogue_.roll_back(); }
  void will_lose(const std::string& part) override { dialogue_.transaction({part}).is_lost(false); }
  void lose(Session&) override {}

 private:
  test::Dialogue dialogue_;
};

template <class Made>
class SessionContract : public testing::Test {
 protected:
  Made server_;
  std::unique_ptr<Session> session_ = server_.open();
};
using Servers = testing::Types<RealServer, ScriptedServer>;
TYPED_TEST_SUITE(SessionContract, Servers);

TYPED_TEST(SessionContract, SkipsWhatIsInFlightBehindAFailure) {
  auto& session = *this->session_;
  this->server_.will_commit("SELECT 1");
  this->server_.will_fail("SELECT 2", "nosuch", server_error("42703"));
  this->server_.will_commit("SELECT 3");
  ASSERT_TRUE(session.submit(of({"SELECT 1"})));
  ASSERT_TRUE(session.submit(of({"SELECT 2", "SELECT nosuch", "SELECT 4"})));
  ASSERT_TRUE(session.submit(of({"SELECT 3"})));
  EXPECT_EQ(session.in_flight(), 3U);
  const auto first = session.collect().value();
  EXPECT_FALSE(first.error);
  ASSERT_EQ(first.answers.size(), 1U);
  EXPECT_EQ(first.answers[0].text(0, 0), "1");
  const auto failed = session.collect().value();
  ASSERT_TRUE(failed.error);
  EXPECT_EQ(failed.error->sqlstate, "42703");
  EXPECT_EQ(failed.failed_command, 1U);
  EXPECT_EQ(failed.answers.size(), 1U);
  EXPECT_FALSE(failed.skipped);
  EXPECT_FALSE(failed.lost);
  const auto skipped = session.collect().value();
  EXPECT_TRUE(skipped.skipped);
  ASSERT_TRUE(skipped.error);
  EXPECT_EQ(skipped.error->sqlstate, "25P02");
  EXPECT_EQ(session.in_flight(), 0U);
  EXPECT_TRUE(session.alive());
}

TYPED_TEST(SessionContract, WorksAgainOnceTheFailedTransactionIsLeft) {
  auto& session = *this->session_;
  for (const bool whole : {false, true}) {
    this->server_.will_fail("SELECT nosuch", "nosuch", server_error("42703"));
    this->server_.will_leave(whole);
    this->server_.will_commit("SELECT 1");
    ASSERT_TRUE(session.submit(of({"SELECT nosuch"})));
    ASSERT_TRUE(session.collect()->error);
    ASSERT_TRUE(whole ? session.recover() : session.roll_back());
    ASSERT_TRUE(session.submit(of({"SELECT 1"})));
    EXPECT_FALSE(session.collect()->error);
  }
}

TYPED_TEST(SessionContract, CountsCommitBehindTheLastCommand) {
  auto& session = *this->session_;
  this->server_.will_fail("INSERT INTO child", "COMMIT", server_error("23503"));
  ASSERT_TRUE(session.submit(of({"INSERT INTO child VALUES (1)"})));
  const auto outcome = session.collect().value();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->sqlstate, "23503");
  EXPECT_EQ(outcome.failed_command, 1U);
  EXPECT_EQ(outcome.answers.size(), 1U);
}

TYPED_TEST(SessionContract, IsNotHurtByAQueryThatFails) {
  auto& session = *this->session_;
  this->server_.will_fail_query("nosuch", server_error("42703"));
  this->server_.will_query("SELECT 1", rows({{"1"}}));
  const auto failed = session.query("SELECT nosuch");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().sqlstate, "42703");
  EXPECT_EQ(session.query("SELECT 1")->text(0, 0), "1");
}

TYPED_TEST(SessionContract, LosesEverythingInFlightWithItsConnection) {
  auto& session = *this->session_;
  this->server_.will_lose("pg_sleep");
  this->server_.will_commit("SELECT 1");
  ASSERT_TRUE(session.submit(of({"SELECT pg_sleep(60)"})));
  ASSERT_TRUE(session.submit(of({"SELECT 1"})));
  this->server_.lose(session);
  const auto first = session.collect().value();
  EXPECT_TRUE(first.lost);
  ASSERT_TRUE(first.error);
  EXPECT_TRUE(first.answers.empty());
  EXPECT_TRUE(session.collect()->lost);
  EXPECT_FALSE(session.alive());
  EXPECT_FALSE(session.query("SELECT 1"));
  EXPECT_FALSE(session.submit(of({"SELECT 1"})));
}

TYPED_TEST(SessionContract, HasNothingToCollectWhenNothingIsInFlight) {
  EXPECT_FALSE(this->session_->collect());
}

}  // namespace
}  // namespace athanor
