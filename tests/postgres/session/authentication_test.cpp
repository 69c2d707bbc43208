// An unverified server never receives a password that it could read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/postgres/connect.hpp"
#include "migrations/text/allowed_authentication.hpp"
#include "tests/support/misbehaving_server.hpp"

namespace athanor {
namespace {

using postgres::PostgresFactory;
using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string number(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xffU);
  }
  return text;
}

std::string request(std::uint32_t code, const std::string& rest = "") {
  const std::string body = number(code) + rest;
  return 'R' + number(static_cast<std::uint32_t>(body.size() + 4)) + body;
}

const std::string kPassword = request(3);
const std::string kMd5 = request(5, "salt");
const std::string kScram = request(10, std::string("SCRAM-SHA-256\0\0", 15));

// What a client with this require_auth sends to a server that sends `says`, one after the other.
struct Talk {
  std::string heard;
  Error error;
};
Talk talk(const std::vector<std::string>& says, const std::string& list, const std::string& ssl_mode = "disable") {
  Talk talk;
  MisbehavingServer server([&](ServerConnection& connection) {
    talk.heard += connection.receive();
    for (const auto& text : says) {
      connection.send(text);
      talk.heard += connection.receive();
    }
  });
  ExecutionSettings settings;
  settings.connect_timeout = milliseconds(3'000);
  const auto factory = PostgresFactory::create(
      "postgresql://u:CANARY@127.0.0.1:" + std::to_string(server.port()) + "/db?sslmode=" + ssl_mode + "&require_auth=" + list,
      settings);
  EXPECT_TRUE(factory) << factory.error().describe();
  const auto session = (*factory)->open();
  EXPECT_FALSE(session);
  talk.error = session.error();
  return talk;
}

TEST(Authentication, SendsNoPasswordInPlainTextUnlessThatIsAllowed) {
  const Talk refused = talk({kPassword}, "!password,!md5");
  EXPECT_THAT(refused.heard, Not(HasSubstr("CANARY")));
  EXPECT_EQ(refused.error.code, ErrorCode::AuthenticationFailed);
  EXPECT_THAT(refused.error.message, HasSubstr("password"));
  EXPECT_THAT(refused.error.hint, HasSubstr("verify-full"));
  EXPECT_THAT(talk({kPassword}, "password").heard, HasSubstr("CANARY")) << "allowed by name";
}

TEST(Authentication, SendsNoMd5HashUnlessThatIsAllowed) {
  EXPECT_THAT(talk({kMd5}, "!password,!md5").heard, Not(HasSubstr("md5")));
  EXPECT_THAT(talk({kMd5}, "md5").heard, HasSubstr("md5"));
}

TEST(Authentication, ChecksEveryRequestOfTheServer) {
  const Talk second = talk({kScram, kPassword}, "!password,!md5");
  EXPECT_THAT(second.heard, HasSubstr("SCRAM-SHA-256"));
  EXPECT_THAT(second.heard, Not(HasSubstr("CANARY")));
  const Talk together = talk({kScram + kPassword}, "!password,!md5");
  EXPECT_THAT(together.heard, Not(HasSubstr("CANARY"))) << "libpq reads both at once";
  EXPECT_THAT(talk({kScram + kPassword}, "scram-sha-256").heard, Not(HasSubstr("CANARY")));
}

TEST(Authentication, DoesNotFallBackToPlainTextWhenTheServerHasNoTls) {
  const Talk refused = talk({"N", kPassword}, "!password,!md5", "require");
  EXPECT_THAT(refused.heard, Not(HasSubstr("CANARY")));
  EXPECT_THAT(refused.error.message, HasSubstr("does not support TLS"));
}

TEST(Authentication, ReadsTheListAsLibpq16Does) {
  EXPECT_TRUE(parse_require_auth("")->all());
  EXPECT_FALSE(parse_require_auth("scram-sha-256")->password);
  EXPECT_TRUE(parse_require_auth("scram-sha-256,none")->none);
  EXPECT_TRUE(parse_require_auth("!md5")->scram);
  for (const char* const wrong : {"scram", "password,!md5", "!password,md5", "password,", ",", "!", "PASSWORD"}) {
    EXPECT_FALSE(parse_require_auth(wrong)) << wrong;
  }
}

// What a pod sends whose operator does not know the URL. `url` follows the host.
std::string sent_by_pod(const std::string& url, const std::vector<std::string>& says) {
  ::setenv("ATHANOR_UNVERIFIED_REQUIRE_AUTH", "!password,!md5", 1);
  std::string heard;
  MisbehavingServer server([&](ServerConnection& connection) {
    heard += connection.receive();
    for (const auto& text : says) {
      connection.send(text);
      heard += connection.receive();
    }
  });
  ExecutionSettings settings;
  settings.connect_timeout = milliseconds(3'000);
  const auto factory =
      PostgresFactory::create("postgresql://u:CANARY@127.0.0.1:" + std::to_string(server.port()) + "/db" + url, settings);
  EXPECT_TRUE(factory) << factory.error().describe();
  EXPECT_FALSE((*factory)->open());
  ::unsetenv("ATHANOR_UNVERIFIED_REQUIRE_AUTH");
  return heard;
}

TEST(Authentication, OfAPodSendsNoReadablePasswordWhateverTheUrlSays) {
  for (const std::string url : {"", "?sslmode=disable", "?sslmode=allow", "?sslmode=verify-full&sslmode=disable"}) {
    for (const auto& method : {kPassword, kMd5}) {
      // Without TLS a server answers the request for it with N.
      const std::string heard =
          sent_by_pod(url, url.empty() ? std::vector<std::string>{"N", method} : std::vector<std::string>{method});
      EXPECT_THAT(heard, Not(HasSubstr("CANARY"))) << url;
      EXPECT_THAT(heard, Not(HasSubstr("md5"))) << url;
    }
  }
}

TEST(Authentication, OfAPodAllowsWhatTheUrlAllows) {
  EXPECT_THAT(sent_by_pod("?sslmode=disable&require_auth=password", {kPassword}), HasSubstr("CANARY"));
}

TEST(Authentication, ShowsNoPasswordThatTheServerRepeats) {
  const std::string body = std::string("SFATAL\0CXX000\0Minternal CANARY end\0\0", 36);
  const Talk talk = ::athanor::talk({kPassword, 'E' + number(static_cast<std::uint32_t>(body.size() + 4)) + body}, "password");
  EXPECT_THAT(talk.heard, HasSubstr("CANARY"));
  EXPECT_THAT(talk.error.message, AllOf(HasSubstr("internal *** end"), Not(HasSubstr("CANARY"))));
}

}  // namespace
}  // namespace athanor
