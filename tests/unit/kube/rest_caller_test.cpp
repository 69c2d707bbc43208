// Calls to identity providers: who may be called, and what errors say.
#include "operator/kube/rest_caller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/misbehaving_server.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_certificates.hpp"

namespace athanor::controller {
namespace {

using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RestCaller : public ::testing::Test {
 protected:
  RestCaller() {
    const auto certificate = test::issue_certificate(authority_, {.names = {"IP:127.0.0.1"}});
    tls_ = {certificate.certificate_pem, certificate.key_pem, {}};
    ::setenv("SSL_CERT_FILE", folder_.write("authorities.crt", authority_.certificate_pem).c_str(), 1);
  }
  ~RestCaller() override { ::unsetenv("SSL_CERT_FILE"); }

  Result<HttpsAnswer> post(const std::string& server, milliseconds deadline = milliseconds(20'000)) {
    HttpsCall call;
    call.server = server;
    call.path = "/v1/token";
    call.body = "subject_token=SECRET";
    call.bearer = "BEARER-SECRET";
    call.deadline = deadline;
    return caller_->post(call, stop_.token());
  }

  SystemClock clock_;
  StopSource stop_;
  test::TempFolder folder_;
  test::TestCertificate authority_ = test::make_authority();
  test::ServerTls tls_;
  std::unique_ptr<HttpsCaller> caller_ = make_rest_caller(clock_);
};

TEST_F(RestCaller, PostsAFormAndReturnsAnyAnswer) {
  MisbehavingServer server(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.answer(403, R"({"error": "invalid_grant"})");
      },
      tls_);
  const auto answer = post(server.url());
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 403);
  EXPECT_EQ(answer->body, R"({"error": "invalid_grant"})");
  EXPECT_THAT(server.requests().at(0),
              AllOf(HasSubstr("POST /v1/token HTTP/1.1"), HasSubstr("application/x-www-form-urlencoded"),
                    HasSubstr("Authorization:Bearer BEARER-SECRET"), HasSubstr("\r\n\r\nsubject_token=SECRET")));
}

TEST_F(RestCaller, FollowsNoRedirect) {
  MisbehavingServer server(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.answer(307, "", "Location: https://127.0.0.1:1/\r\n");
      },
      tls_);
  EXPECT_EQ(post(server.url())->status, 307);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(RestCaller, SendsNothingWithoutVerifiedTls) {
  MisbehavingServer plain([](ServerConnection& connection) { connection.read_request(); });
  EXPECT_FALSE(post(plain.url()));
  EXPECT_TRUE(plain.requests().empty());
  ::setenv("SSL_CERT_FILE", folder_.write("others.crt", test::make_authority("another").certificate_pem).c_str(), 1);
  MisbehavingServer unknown([](ServerConnection& connection) { connection.read_request(); }, tls_);
  const auto refused = post(unknown.url());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("the identity provider https://127.0.0.1"), HasSubstr("certificate is not trusted"),
                    Not(HasSubstr("SECRET")), Not(HasSubstr("API server"))));
}

TEST_F(RestCaller, AnAnswerHasATimeLimitAndASizeLimit) {
  MisbehavingServer silent(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.read_request();
      },
      tls_);
  const auto late = post(silent.url(), milliseconds(300));
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error().message, AllOf(HasSubstr("no complete response within 300 ms"), Not(HasSubstr("SECRET"))));
  MisbehavingServer large(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.answer(200, std::string(300'000, 'x'));
      },
      tls_);
  EXPECT_FALSE(post(large.url()));
}

TEST_F(RestCaller, AStopEndsACall) {
  MisbehavingServer silent(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.read_request();
      },
      tls_);
  stop_.request(StopLevel::Now);
  const auto stopped = post(silent.url());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::Interrupted);
}

}  // namespace
}  // namespace athanor::controller
