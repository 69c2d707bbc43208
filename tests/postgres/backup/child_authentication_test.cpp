// What pg_dump sends to servers that ask for a password.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <thread>

#include "migrations/backup/child_connection.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "tests/support/client_folder.hpp"
#include "tests/support/misbehaving_server.hpp"
#include "tests/support/own_server.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_certificates.hpp"

namespace athanor {
namespace {

using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string request(char code, const std::string& rest = "") {
  return std::string("R\0\0\0", 4) + static_cast<char>(rest.size() + 8) + std::string("\0\0\0", 3) + code + rest;
}

const std::string kPassword = request(3);
const std::string kMd5 = request(5, "salt");
const std::string kScram = request(10, std::string("SCRAM-SHA-256\0\0", 15));
const std::string kVersion = std::string("v\0\0\0\x0c\0\x03\0\0\0\0\0\0", 13);

// pg_dump with this URL: how it ended.
struct Dump {
  std::string out;
  Error error;
};
Dump dump(const std::string& url, const std::vector<std::string>& more = {}) {
  Dump result;
  const auto keywords = postgres::connection_keywords(url);
  EXPECT_TRUE(keywords) << keywords.error().describe();
  const auto connection = ChildConnection::create(*keywords, {}, "test", {"PATH=/usr/bin:/bin"});
  if (!connection) {
    result.error = connection.error();
    return result;
  }
  std::vector<std::string> arguments{test::client_folder() + "/pg_dump", "--no-password"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const ProcessCommand command = connection->command(arguments);
  const auto end = run_process(command, {{}, keep_first(result.out, std::string::npos), {}}, {});
  EXPECT_TRUE(end) << end.error().describe();
  if (end->exit_code != 0) {
    result.error = connection->error_of("pg_dump", command, *end, ErrorCode::BackupFailed);
  }
  return result;
}

// What a server hears that offers no TLS and then sends these texts, one after the other.
struct Talk {
  std::string heard;
  Error error;
};
Talk talk(const std::vector<std::string>& says, const std::string& list, const std::string& ssl_mode = "disable") {
  Talk talk;
  std::mutex mutex;
  MisbehavingServer server([&](ServerConnection& connection) {
    std::string first = connection.receive();
    if (first.size() == 8) {  // SSLRequest
      connection.send("N");
      first = connection.receive();
    }
    const std::lock_guard lock(mutex);
    talk.heard += first;
    for (const auto& text : first.empty() ? std::vector<std::string>() : says) {
      connection.send(text);
      talk.heard += connection.receive();
    }
  });
  talk.error = dump("postgresql://u:CANARY@127.0.0.1:" + std::to_string(server.port()) + "/db?sslmode=" + ssl_mode +
                    "&require_auth=" + list)
                   .error;
  return talk;
}

TEST(ChildAuthentication, SendsNoPasswordInPlainTextUnlessThatIsAllowed) {
  const Talk refused = talk({kPassword}, "!password,!md5");
  EXPECT_THAT(refused.heard, HasSubstr("user"));
  EXPECT_THAT(refused.heard, Not(HasSubstr("CANARY")));
  EXPECT_EQ(refused.error.code, ErrorCode::AuthenticationFailed);
  EXPECT_THAT(refused.error.message, HasSubstr("password"));
  EXPECT_THAT(refused.error.hint, HasSubstr("verify-full"));
  EXPECT_THAT(talk({kPassword}, "password").heard, HasSubstr("CANARY")) << "allowed by name";
}

TEST(ChildAuthentication, SendsNoMd5HashUnlessThatIsAllowed) {
  EXPECT_THAT(talk({kMd5}, "!password,!md5").heard, Not(HasSubstr("md5")));
  EXPECT_THAT(talk({kMd5}, "md5").heard, HasSubstr("md5"));
}

TEST(ChildAuthentication, ChecksEveryRequestOfTheServer) {
  const Talk second = talk({kScram, kPassword}, "!password,!md5");
  EXPECT_THAT(second.heard, HasSubstr("SCRAM-SHA-256"));
  EXPECT_THAT(second.heard, Not(HasSubstr("CANARY")));
  EXPECT_THAT(talk({kScram + kPassword}, "!password,!md5").heard, Not(HasSubstr("CANARY"))) << "in one packet";
  EXPECT_THAT(talk({kVersion + kPassword}, "!password,!md5").heard, Not(HasSubstr("CANARY"))) << "libpq 17 reads on";
}

TEST(ChildAuthentication, ChecksAServerThatDeclinesTls) {
  const Talk refused = talk({kPassword}, "!password,!md5", "prefer");
  EXPECT_THAT(refused.heard, Not(HasSubstr("CANARY")));
  EXPECT_EQ(refused.error.code, ErrorCode::AuthenticationFailed);
  EXPECT_THAT(talk({kPassword}, "!password,!md5", "require").heard, Not(HasSubstr("CANARY")));
}

TEST(ChildAuthentication, NamesAServerThatIsNotThere) {
  const std::string there = "postgresql://u:CANARY@127.0.0.1:" + std::to_string(test::closed_port()) + "/db?sslmode=disable";
  const Error refused = dump(there + "&require_auth=scram-sha-256").error;
  EXPECT_EQ(refused.code, ErrorCode::DatabaseUnreachable) << refused.describe();
  const Error nowhere = dump("postgresql://u:CANARY@no-such-host.invalid/db?sslmode=disable&require_auth=scram-sha-256").error;
  EXPECT_EQ(nowhere.code, ErrorCode::DatabaseUnreachable) << nowhere.describe();
  const Error unnamed = dump("dbname=db password=CANARY sslmode=disable require_auth=scram-sha-256").error;
  EXPECT_EQ(unnamed.code, ErrorCode::BackupRefused) << unnamed.describe();
}

// A real server: one user for each method, and TLS with a certificate that nobody verifies.
class ChildOfRealServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    own_server = std::make_unique<test::OwnServer>();
    test::Client admin(own_server->url());
    admin.run(
        "CREATE ROLE scram_user LOGIN SUPERUSER PASSWORD 'CANARY'; CREATE ROLE plain_user LOGIN SUPERUSER PASSWORD 'CANARY';"
        "CREATE TABLE numbers AS SELECT g, md5(g::text) AS text FROM generate_series(1, 200000) g;"
        "CREATE TABLE more AS TABLE numbers; CREATE TABLE again AS TABLE numbers");
    const auto authority = test::make_authority();
    const auto certificate = test::issue_certificate(authority, {.common_name = "server", .names = {"IP:127.0.0.1"}});
    write_file(admin, "server.key", certificate.key_pem);
    write_file(admin, "server.crt", certificate.certificate_pem);
    write_file(admin, "pg_hba.conf",
               "local all all trust\n"
               "host all scram_user 127.0.0.1/32 scram-sha-256\n"
               "host all plain_user 127.0.0.1/32 password\n"
               "host all all 127.0.0.1/32 trust\n");
    admin.run("ALTER SYSTEM SET ssl = on");
    admin.run("ALTER SYSTEM SET work_mem = '5MB'");
    admin.run("SELECT pg_reload_conf()");
    while (test::Client(own_server->url()).value("SHOW work_mem") != "5MB") {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  static void TearDownTestSuite() { own_server.reset(); }
  static void write_file(test::Client& admin, const std::string& name, const std::string& text) {
    admin.run("COPY (SELECT unnest(string_to_array($$" + text + "$$, E'\\n'))) TO PROGRAM 'umask 077; cat > " + name + "'");
  }
  static std::string url(const std::string& user, const std::string& ssl_mode, const std::string& host = "127.0.0.1") {
    const std::string port = own_server->url().substr(own_server->url().rfind(':') + 1);
    return "host=" + host + " port=" + port.substr(0, port.find_first_of("/?")) + " dbname=postgres user=" + user +
           " password=CANARY sslmode=" + ssl_mode + " require_auth=!password,!md5";
  }
  static inline std::unique_ptr<test::OwnServer> own_server;
};

TEST_F(ChildOfRealServer, IsDumpedWithScramWithAndWithoutTls) {
  const std::string direct = dump(own_server->url()).out;
  ASSERT_GT(direct.size(), std::size_t{20} << 20U);
  for (const char* mode : {"disable", "prefer", "require"}) {
    const Dump made = dump(url("scram_user", mode));
    EXPECT_EQ(made.error.message, "") << mode;
    EXPECT_EQ(made.out.size(), direct.size()) << mode;
  }
}

TEST_F(ChildOfRealServer, GetsNoPlainTextPasswordWithUnverifiedTls) {
  const Error over_tls = dump(url("plain_user", "require")).error;
  EXPECT_THAT(over_tls.message, HasSubstr("channel binding required"));
  const Error plain = dump(url("plain_user", "disable")).error;
  EXPECT_EQ(plain.code, ErrorCode::AuthenticationFailed) << plain.describe();
}

TEST_F(ChildOfRealServer, SaysTheSameEveryTimeWhenThePasswordIsWrong) {
  std::string wrong = url("scram_user", "disable");
  wrong.replace(wrong.find("CANARY"), 6, "OTHER");
  const std::string message = dump(wrong).error.message;
  EXPECT_THAT(message, HasSubstr("password authentication failed"));
  EXPECT_EQ(dump(wrong).error.message, message);
}

TEST_F(ChildOfRealServer, TriesTheHostsInTheirOrder) {
  std::string both = url("scram_user", "disable", "127.0.0.2,127.0.0.1");
  const auto port = both.find("port=") + 5;
  both.insert(port, std::to_string(test::closed_port()) + ",");
  const Dump made = dump(both);
  EXPECT_EQ(made.error.describe(), Error().describe());
  EXPECT_GT(made.out.size(), std::size_t{20} << 20U);
}

}  // namespace
}  // namespace athanor
