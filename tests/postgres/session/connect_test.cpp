#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "migrations/postgres/connect.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "migrations/postgres/server_error.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor {
namespace {

using postgres::PostgresFactory;

Error refusal(const std::string& url, ExecutionSettings settings = {}) {
  auto factory = PostgresFactory::create(url, settings);
  if (!factory) {
    return factory.error();
  }
  auto session = (*factory)->open();
  EXPECT_FALSE(session) << "connected";
  return session ? Error() : session.error();
}

void expect_no_secret(const Error& error) {
  EXPECT_EQ((error.describe() + error.hint).find("hunter2"), std::string::npos) << error.describe();
}

TEST(Connect, NamesTheVariableWhenThereIsNoUrl) {
  const Error error = refusal("");
  EXPECT_EQ(error.code, ErrorCode::MissingDatabaseUrl);
  EXPECT_NE(error.hint.find("DATABASE_URL"), std::string::npos);
}

TEST(Connect, NeverRepeatsAUrlThatItCannotRead) {
  const Error error = refusal("postgresql://user:hunter2%@localhost/db");
  EXPECT_EQ(error.code, ErrorCode::Configuration);
  EXPECT_NE(error.hint.find("percent-encode other special characters"), std::string::npos);
  expect_no_secret(error);
}

TEST(Connect, RefusesOtherDatabases) {
  const Error error = refusal("mysql://user:hunter2@localhost/db");
  EXPECT_EQ(error.code, ErrorCode::Configuration);
  expect_no_secret(error);
}

TEST(Connect, SaysWhichSettingToCheckWhenNothingListens) {
  const Error error = refusal("postgresql://user:hunter2@127.0.0.1:1/db");
  EXPECT_EQ(error.code, ErrorCode::DatabaseUnreachable);
  EXPECT_EQ(error.message, "cannot connect to 127.0.0.1:1/db: connection refused");
  EXPECT_NE(error.hint.find("host and port"), std::string::npos);
  EXPECT_EQ(error.retry, RetryClass::Transient);
  expect_no_secret(error);
}

TEST(Connect, SaysThatAHostNameCannotBeResolved) {
  const Error error = refusal("postgresql://user:hunter2@no-such-host.invalid/db");
  EXPECT_EQ(error.message, "cannot connect to no-such-host.invalid/db: the host name cannot be resolved");
  expect_no_secret(error);
}

TEST(Connect, RefusesAWrongPasswordWithoutShowingIt) {
  const Error error = refusal(test::url_of("postgres", "postgres", "hunter2"));
  EXPECT_EQ(error.code, ErrorCode::AuthenticationFailed);
  EXPECT_EQ(error.sqlstate, "28P01");
  expect_no_secret(error);
}

TEST(Connect, SaysThatTheDatabaseDoesNotExist) {
  const Error error = refusal(test::url_of("no_such_database"));
  EXPECT_EQ(error.code, ErrorCode::DatabaseUnreachable);
  EXPECT_EQ(error.sqlstate, "3D000");
  EXPECT_NE(error.message.find("does not exist"), std::string::npos);
}

TEST(Connect, GivesUpAfterTheConnectTimeout) {
  ExecutionSettings settings;
  settings.connect_timeout = milliseconds(300);
  // A listener that never answers: the kernel completes the handshake, nobody speaks.
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const auto start = std::chrono::steady_clock::now();
  const Error error = refusal("postgresql://u@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/db", settings);
  ::close(listener);
  EXPECT_NE(error.message.find("timeout expired"), std::string::npos) << error.message;
  EXPECT_EQ(error.code, ErrorCode::DatabaseUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST(Connect, UnderstandsUrlsThatSqlAlchemyWrites) {
  std::string url = test::server_url();
  url.replace(0, url.find("://"), "postgresql+psycopg2");
  auto factory = PostgresFactory::create(url, {});
  ASSERT_TRUE(factory) << factory.error().describe();
  EXPECT_TRUE((*factory)->open());
}

TEST(Connect, SaysWhatTheServerRefusedOfTheUsersOwnOptions) {
  const Error error = refusal(test::server_url() + "?options=-c%20no_such_setting%3D1");
  EXPECT_EQ(error.code, ErrorCode::Configuration);
  EXPECT_EQ(error.retry, RetryClass::Terminal);
  EXPECT_EQ(error.sqlstate, "42704");
  EXPECT_NE(error.hint.find("`options`"), std::string::npos) << error.hint;
  EXPECT_NE(error.message.find("no_such_setting"), std::string::npos) << error.message;
}

TEST(Connect, NamesTheFileOrTheServiceThatIsMissing) {
  const std::vector<std::pair<std::string, std::string>> missing{
      {"?service=no_such_service", "the service named by `service` or PGSERVICE"},
      {"?sslmode=verify-full&sslrootcert=/no/such/file", "the file that `sslrootcert` of the database URL names"},
      {"?sslmode=require&sslcert=/no/such/file", "the file that `sslcert` of the database URL names"},
  };
  for (const auto& [query, says] : missing) {
    const Error error = refusal(test::server_url() + query);
    EXPECT_EQ(error.code, ErrorCode::Configuration) << error.describe();
    EXPECT_NE(error.message.find(says), std::string::npos) << error.message;
  }
}

TEST(Connect, SaysWhenTheServerIsNotOfTheKindThatIsAskedFor) {
  const Error error = refusal(test::server_url() + "?target_session_attrs=standby");
  EXPECT_EQ(error.code, ErrorCode::DatabaseUnreachable);
  EXPECT_NE(error.message.find("target_session_attrs"), std::string::npos) << error.message;
}

TEST(Connect, OpensAnObserverThatCannotWrite) {
  auto factory = PostgresFactory::create(test::server_url(), {}).value();
  auto observer = factory->open_observer();
  ASSERT_TRUE(observer) << observer.error().describe();
  EXPECT_EQ((*observer)->query("SELECT $1::int + 1", {"41"})->text(0, 0), "42");
  const auto refused = (*observer)->query("CREATE TABLE t (id int)");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sqlstate, "25006");
}

TEST(ServerError, FindsTheSqlstateOfARefusedConnection) {
  EXPECT_EQ(
      postgres::sqlstate_of("connection to server at \"x\", port 1 failed: FATAL:  28P01: password authentication failed"),
      "28P01");
  EXPECT_EQ(postgres::sqlstate_of("could not translate host name"), "");
}

TEST(ConnectionString, DescribesThePlaceWithoutTheUser) {
  const auto parsed = postgres::parse_connection_string("postgresql://alice:hunter2@db.example.org:6432/shop").value();
  EXPECT_EQ(parsed.place, "db.example.org:6432/shop");
}

TEST(ConnectionString, EscapesSpacesInOptions) {
  ExecutionSettings settings;
  settings.search_path = "\"my app\", public";
  EXPECT_NE(postgres::session_options(settings, "", 150000).find("-c search_path=\"my\\ app\",\\ public"), std::string::npos);
}

}  // namespace
}  // namespace athanor
