// Promises of the transport about TLS: whom it trusts, who it is, and what it says when it does not come about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <openssl/crypto.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"
#include "tests/unit/kube/transport_fixture.hpp"

namespace athanor::controller {
namespace {

using test::issue_certificate;
using test::make_authority;
using test::MisbehavingServer;
using test::ServerConnection;
using test::ServerTls;
using test::TestCertificate;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

void answer_all(ServerConnection& connection) {
  while (!connection.read_request().empty()) {
    connection.answer(200, "{}");
  }
}

class TransportTls : public TransportTest {
 protected:
  [[nodiscard]] ServerTls tls(const test::CertificateOptions& wishes) const {
    const auto certificate = issue_certificate(authority_, wishes);
    return {certificate.certificate_pem, certificate.key_pem, {}};
  }
  [[nodiscard]] ServerTls good() const { return tls({.names = {"IP:127.0.0.1", "DNS:localhost"}}); }
  [[nodiscard]] ClusterAccess trusting() const {
    ClusterAccess access;
    access.ca_pem = authority_.certificate_pem;
    return access;
  }
  // The words of the one error there must be.
  std::string refusal(const std::string& url, const ClusterAccess& access) {
    const auto answer = connect(url, access).send(get(), {});
    EXPECT_FALSE(answer);
    if (answer) {
      return {};
    }
    EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
    return answer.error().message;
  }
  static std::string named(const MisbehavingServer& server, const std::string& host) {
    return "https://" + host + ":" + std::to_string(server.port());
  }

  TestCertificate authority_ = make_authority();
};

TEST_F(TransportTls, TrustsTheClustersAuthority) {
  MisbehavingServer server(answer_all, good());
  auto& transport = connect(server, trusting());
  for (int i = 0; i < 3; ++i) {
    const auto answer = transport.send(get(), {});
    ASSERT_TRUE(answer) << answer.error().describe();
    EXPECT_EQ(answer->body, "{}");
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(TransportTls, TrustsNobodyElse) {
  MisbehavingServer server(answer_all, good());
  ClusterAccess access;
  access.ca_pem = make_authority("another one").certificate_pem;
  EXPECT_THAT(refusal(server.url(), access), HasSubstr("not trusted"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(TransportTls, TrustsTheSystemsAuthoritiesWhenNoneIsGivenAndNotATestsOwn) {
  MisbehavingServer server(answer_all, good());
  EXPECT_THAT(refusal(server.url(), {}), HasSubstr("not trusted"));
}

TEST_F(TransportTls, RefusesACertificateThatExpired) {
  MisbehavingServer server(answer_all, tls({.names = {"IP:127.0.0.1"}, .valid_to_seconds = -60}));
  EXPECT_THAT(refusal(server.url(), trusting()), HasSubstr("certificate has expired"));
}

TEST_F(TransportTls, RefusesACertificateForAnotherHost) {
  MisbehavingServer server(answer_all, tls({.names = {"DNS:other.example", "IP:10.0.0.1"}}));
  EXPECT_THAT(refusal(server.url(), trusting()), HasSubstr("not valid for 127.0.0.1"));
  EXPECT_THAT(refusal(named(server, "localhost"), trusting()), HasSubstr("not valid for localhost"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(TransportTls, DoesNotTakeTheCommonNameForAHostName) {
  MisbehavingServer server(answer_all, tls({.common_name = "localhost"}));
  EXPECT_THAT(refusal(named(server, "localhost"), trusting()), HasSubstr("not valid for localhost"));
}

TEST_F(TransportTls, ChecksAndSendsTheNameItWasTold) {
  std::string seen;
  MisbehavingServer server(
      [&seen](ServerConnection& connection) {
        seen = connection.server_name();
        answer_all(connection);
      },
      tls({.names = {"DNS:kubernetes.example"}}));
  auto access = trusting();
  access.tls_server_name = "kubernetes.example";
  const auto answer = connect(server, access).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(seen, "kubernetes.example");
  EXPECT_THAT(server.requests().at(0), HasSubstr("Host:127.0.0.1:"));
}

TEST_F(TransportTls, SendsTheHostsNameAndNeverAnAddress) {
  std::mutex mutex;
  std::vector<std::string> seen;
  MisbehavingServer server(
      [&](ServerConnection& connection) {
        {
          const std::lock_guard lock(mutex);
          seen.push_back(connection.server_name());
        }
        answer_all(connection);
      },
      good());
  ASSERT_TRUE(connect(named(server, "localhost"), trusting()).send(get(), {}));
  ASSERT_TRUE(connect(server, trusting()).send(get(), {}));
  const std::lock_guard lock(mutex);
  EXPECT_THAT(seen, ::testing::ElementsAre("localhost", ""));
}

TEST_F(TransportTls, ChecksAnIpv6AddressOfTheCertificate) {
  for (const bool right : {true, false}) {
    MisbehavingServer server(answer_all, tls({.names = {right ? "IP:::1" : "IP:::2"}}), true);
    const auto answer = connect(server, trusting()).send(get(), {});
    EXPECT_EQ(answer.has_value(), right);
  }
}

TEST_F(TransportTls, SkipsTheChecksOnlyWhenTold) {
  MisbehavingServer server(answer_all, tls({.names = {"DNS:other.example"}, .valid_to_seconds = -60}));
  ClusterAccess access;
  access.skip_tls_verify = true;
  const auto answer = connect(server, access).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
}

TEST_F(TransportTls, ShowsItsClientCertificate) {
  auto demanding = good();
  demanding.demand_client_of = authority_.certificate_pem;
  const auto client = issue_certificate(authority_, {.common_name = "athanor"});
  MisbehavingServer server(answer_all, demanding);
  credentials_.set({{}, client.certificate_pem, client.key_pem, 1});
  const auto answer = connect(server, trusting()).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
}

TEST_F(TransportTls, SaysThatTheServerDemandsAClientCertificate) {
  auto demanding = good();
  demanding.demand_client_of = authority_.certificate_pem;
  MisbehavingServer server(answer_all, demanding);
  EXPECT_THAT(refusal(server.url(), trusting()), HasSubstr("certificate required"));
}

TEST_F(TransportTls, MakesANewConnectionWhenTheClientCertificateChanges) {
  auto demanding = good();
  demanding.demand_client_of = authority_.certificate_pem;
  const auto first = issue_certificate(authority_, {.common_name = "first"});
  const auto second = issue_certificate(authority_, {.common_name = "second"});
  MisbehavingServer server(answer_all, demanding);
  credentials_.set({{}, first.certificate_pem, first.key_pem, 1});
  auto& transport = connect(server, trusting());
  ASSERT_TRUE(transport.send(get(), {}));
  ASSERT_TRUE(transport.send(get(), {}));
  EXPECT_EQ(server.connections(), 1);
  credentials_.set({{}, second.certificate_pem, second.key_pem, 2});
  ASSERT_TRUE(transport.send(get(), {}));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(TransportTls, ReadsTheAuthoritysFileAgainWhenItChanges) {
  const test::TempFolder folder;
  const auto old_authority = make_authority("old");
  ClusterAccess access;
  access.ca_file = folder.write("ca.crt", old_authority.certificate_pem);
  MisbehavingServer server(answer_all, good());
  EXPECT_THAT(refusal(server.url(), access), HasSubstr("not trusted"));
  folder.write("ca.crt", old_authority.certificate_pem + authority_.certificate_pem);
  const auto answer = transport_->send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
}

TEST_F(TransportTls, RefusesUnusableCertificatesAtTheStart) {
  const auto mine = issue_certificate(authority_, {.common_name = "mine"});
  const auto other = issue_certificate(authority_, {.common_name = "other"});
  ClusterAccess access = trusting();
  access.server = "https://127.0.0.1:1";
  const std::string secret = mine.key_pem.substr(40, 20);
  for (const auto& [certificate, key] : std::vector<std::pair<std::string, std::string>>{
           {mine.certificate_pem, other.key_pem}, {mine.certificate_pem, ""}, {"", mine.key_pem}, {"garbage", mine.key_pem}}) {
    credentials_.set({{}, certificate, key, 1});
    const auto made = make_rest_transport(access, credentials_, clock_);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::Configuration);
    EXPECT_THAT(made.error().describe(), Not(HasSubstr(secret)));
  }
  credentials_.set({});
  access.ca_pem = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";
  EXPECT_FALSE(make_rest_transport(access, credentials_, clock_));
}

// A request that was given up may still be in one of the threads when the process ends; there it would use what OpenSSL has
// freed.
TEST(TransportTlsAtExit, ThreadsOfRequestsHaveEndedWhenOpenSslShutsDown) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // begun anew: nothing has used OpenSSL yet
  EXPECT_EXIT(
      {
        SystemClock clock;
        FixedCredentials login;
        ClusterAccess access;
        access.server = "https://127.0.0.1:1";
        access.skip_tls_verify = true;
        auto made = make_rest_transport(access, login, clock);
        OPENSSL_atexit([] {
          using Threads = std::filesystem::directory_iterator;
          ::_exit(std::distance(Threads("/proc/self/task"), Threads()) == 1 ? 0 : 1);
        });
        std::exit(made ? 2 : 3);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(TransportTls, CallsAnEndWithoutGoodbyeUnreachable) {
  MisbehavingServer server(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\n\r\n{\"half\":");  // a length nobody knows
        connection.reset();
      },
      good());
  const auto answer = connect(server, trusting()).send(get(), {});
  EXPECT_FALSE(answer);
}

TEST_F(TransportTls, EndsAtTheDeadlineWhenTheHandshakeStalls) {
  MisbehavingServer server([](ServerConnection& connection) { connection.hold(); });  // speaks no TLS
  auto request = get();
  request.deadline = 60ms;
  const auto answer = connect(named(server, "127.0.0.1"), trusting()).send(request, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("60 ms"));
}

TEST_F(TransportTls, SendsAPatchAgainWhenTheServerClosedTheIdleConnection) {
  std::atomic<bool> closed{false};
  MisbehavingServer server(
      [&closed](ServerConnection& connection) {
        connection.read_request();
        connection.answer(200, "{}");
        if (connection.number() == 1) {
          connection.close();
          closed = true;
          closed.notify_all();
          return;
        }
        answer_all(connection);
      },
      good());
  auto& transport = connect(server, trusting());
  ASSERT_TRUE(transport.send(get("/first"), {}));
  closed.wait(false);
  const auto answer = transport.send(write("PATCH"), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(server.requests().size(), 2U);
}

// cpprest gathers a chunk, a head and a chunk's size whole before anything of ours sees a byte.
TEST_F(TransportTls, StopsReadingWhatCpprestGathersOverTheCap) {
  for (const char* start : {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nX-Long: "}) {
    MisbehavingServer server(
        [start](ServerConnection& connection) {
          connection.read_request();
          connection.send(start);
          const std::string part(16U << 10U, '1');
          while (connection.send(part)) {
          }
        },
        good());
    auto request = get();
    request.max_body = 1U << 20U;
    const auto answer = connect(server, trusting()).send(request, {});
    ASSERT_FALSE(answer) << start;
    EXPECT_THAT(answer.error().message, HasSubstr("larger than 1048576 bytes")) << start;
    EXPECT_LT(server.sent(), 24U << 20U) << start;
  }
}

}  // namespace
}  // namespace athanor::controller
