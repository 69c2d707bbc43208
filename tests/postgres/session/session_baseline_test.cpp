// What a role, a database or the environment sets must not change what our statements and a revision's text mean.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "migrations/postgres/connect.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor {
namespace {

using postgres::PostgresFactory;

std::string setting(Session& session, const std::string& name) {
  const auto rows = session.query("SELECT current_setting($1)", {name});
  return rows ? rows->text(0, 0) : rows.error().describe();
}

// A variable of the environment, for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

class SessionBaseline : public ::testing::Test {
 protected:
  std::unique_ptr<Session> open(const std::string& options = {}, const ExecutionSettings& settings = {}) {
    factory_ = PostgresFactory::create(database.url() + (options.empty() ? "" : "?options=" + options), settings).value();
    auto session = factory_->open();
    EXPECT_TRUE(session) << session.error().describe();
    return std::move(*session);
  }
  // As ALTER ROLE ... SET would: for every new session of the database.
  void set_default(const std::string& assignment) { database.run("ALTER DATABASE " + database.name() + " SET " + assignment); }

  test::TestDatabase database;

 private:
  std::unique_ptr<PostgresFactory> factory_;
};

TEST_F(SessionBaseline, IsTheSameWhateverTheDatabaseSets) {
  const std::vector<std::pair<std::string, std::string>> baseline{{"standard_conforming_strings", "on"},
                                                                  {"DateStyle", "ISO, MDY"},
                                                                  {"IntervalStyle", "postgres"},
                                                                  {"TimeZone", "UTC"},
                                                                  {"extra_float_digits", "1"},
                                                                  {"bytea_output", "hex"},
                                                                  {"row_security", "off"},
                                                                  {"synchronous_commit", "on"},
                                                                  {"default_transaction_read_only", "off"},
                                                                  {"default_transaction_deferrable", "off"},
                                                                  {"default_transaction_isolation", "read committed"},
                                                                  {"idle_in_transaction_session_timeout", "0"},
                                                                  {"client_encoding", "UTF8"},
                                                                  {"tcp_keepalives_idle", "30"}};
  for (const char* assignment :
       {"standard_conforming_strings = off", "DateStyle = 'German, DMY'", "IntervalStyle = iso_8601", "TimeZone = 'Asia/Tokyo'",
        "extra_float_digits = -15", "bytea_output = escape", "row_security = on", "synchronous_commit = off",
        "default_transaction_read_only = on", "default_transaction_deferrable = on",
        "default_transaction_isolation = serializable", "idle_in_transaction_session_timeout = '1s'",
        "client_encoding = LATIN1", "backslash_quote = on"}) {
    set_default(assignment);
  }
  const auto session = open();
  for (const auto& [name, value] : baseline) {
    EXPECT_EQ(setting(*session, name), value) << name;
  }
  ASSERT_TRUE(session->query("RESET ALL"));
  for (const auto& [name, value] : baseline) {
    EXPECT_EQ(setting(*session, name), value) << name << " after RESET ALL";
  }
}

TEST_F(SessionBaseline, LimitsNoTransactionWhereTheServerCould) {
  const bool can = database.value("SELECT current_setting('server_version_num')::int >= 170000") == "t";
  if (can) {
    set_default("transaction_timeout = '2s'");
  }
  const auto session = open();
  const std::string shown = "SELECT coalesce(current_setting('transaction_timeout', true), 'unknown')";
  ASSERT_TRUE(session->query("RESET ALL"));
  EXPECT_EQ(session->query(shown)->text(0, 0), can ? "0" : "unknown");
  if (can) {
    const auto chosen = open("-c%20transaction_timeout%3D7s");
    EXPECT_EQ(chosen->query(shown)->text(0, 0), "7s");
  }
}

TEST_F(SessionBaseline, GivesWayToWhatTheUrlAsksFor) {
  const auto session = open("-c%20TimeZone%3DAsia/Tokyo%20-c%20synchronous_commit%3Doff%20-c%20lock_timeout%3D7s");
  EXPECT_EQ(setting(*session, "TimeZone"), "Asia/Tokyo");
  EXPECT_EQ(setting(*session, "synchronous_commit"), "off");
  EXPECT_EQ(setting(*session, "lock_timeout"), "7s");
}

TEST_F(SessionBaseline, HonoursPgoptionsBelowTheUrl) {
  const Variable options("PGOPTIONS", "-c search_path=app -c TimeZone=Asia/Tokyo");
  const auto session = open("-c%20TimeZone%3DEurope/Berlin");
  EXPECT_EQ(setting(*session, "search_path"), "app");
  EXPECT_EQ(setting(*session, "TimeZone"), "Europe/Berlin");
}

TEST_F(SessionBaseline, RefusesPgoptionsThatDecideHowTextIsRead) {
  for (const char* const options : {"-c client_encoding=LATIN1", "--standard-conforming-strings=off", "-c bogus", "-B 10"}) {
    const Variable variable("PGOPTIONS", options);
    const auto made = PostgresFactory::create(database.url(), {});
    ASSERT_FALSE(made) << options;
    EXPECT_EQ(made.error().code, ErrorCode::Configuration);
    EXPECT_NE(made.error().message.find("PGOPTIONS"), std::string::npos) << made.error().message;
  }
}

TEST_F(SessionBaseline, ConfiguredSearchPathAndRoleComeLast) {
  ExecutionSettings settings;
  settings.search_path = "mine";
  const Variable options("PGOPTIONS", "-c search_path=app");
  EXPECT_EQ(setting(*open({}, settings), "search_path"), "mine");
}

}  // namespace
}  // namespace athanor
