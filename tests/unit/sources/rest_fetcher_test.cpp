// Fetching a file from servers that misbehave.
#include "operator/kube/rest_fetcher.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <thread>

#include "tests/support/misbehaving_server.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_certificates.hpp"

namespace athanor::controller {
namespace {

using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::HasSubstr;
using ::testing::Not;

class Fetcher : public ::testing::Test {
 protected:
  Result<void> fetch(const std::string& url, milliseconds deadline = milliseconds(20'000)) {
    return fetcher_->fetch(
        url, deadline,
        [this](std::string_view bytes) -> Result<void> {
          got_ += bytes;
          return {};
        },
        stop_.token());
  }
  // Fetches through this proxy from now on.
  void use_proxy(const std::string& url, const std::string& exempt = "") {
    const std::map<std::string, std::string> variables{{"ALL_PROXY", url}, {"NO_PROXY", exempt}};
    fetcher_ = make_rest_fetcher(clock_, ProxySettings::read([&variables](const std::string& name) {
                                   const auto found = variables.find(name);
                                   return found == variables.end() ? std::nullopt : std::optional(found->second);
                                 }));
  }
  SystemClock clock_;
  StopSource stop_;
  std::unique_ptr<ArtifactFetcher> fetcher_ = make_rest_fetcher(clock_);
  std::string got_;
};

TEST_F(Fetcher, ReadsTheWholeFile) {
  const std::string body(3'000'000, 'x');
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, body);
  });
  const auto done = fetch(server.url() + "/gitrepository/shop/app/1a2b.tar.gz");
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(got_, body);
  EXPECT_THAT(server.requests().at(0), HasSubstr("GET /gitrepository/shop/app/1a2b.tar.gz HTTP/1.1"));
  EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Authorization")));
}

TEST_F(Fetcher, AnyOtherStatusIsAnErrorAndARedirectIsNotFollowed) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(302, "elsewhere", "Location: http://127.0.0.1:1/\r\n");
  });
  const auto done = fetch(server.url() + "/a");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::Io);
  EXPECT_THAT(done.error().message, HasSubstr("status 302"));
  EXPECT_EQ(got_, "");
}

TEST_F(Fetcher, ALinkLocalAddressIsNotContacted) {
  for (const char* host : {"169.254.169.254", "[fe80::1]", "2852039166"}) {
    const auto done = fetch(std::string("http://") + host + "/latest/meta-data");
    ASSERT_FALSE(done) << host;
    EXPECT_THAT(done.error().message, HasSubstr("link-local")) << host;
  }
}

TEST_F(Fetcher, AProxyIsAskedForAnAddressThatOnlyItCanResolve) {
  MisbehavingServer proxy([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, "archive");
  });
  use_proxy("http://me:p%40ss@127.0.0.1:" + std::to_string(proxy.port()));
  const auto done = fetch("http://artifacts.invalid/app/1a2b.tar.gz");
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(got_, "archive");
  EXPECT_THAT(proxy.requests().at(0), ::testing::ContainsRegex("GET http://artifacts.invalid(:80)?/app/1a2b.tar.gz HTTP/1.1"));
  EXPECT_THAT(proxy.requests().at(0), HasSubstr("Proxy-Authorization: Basic bWU6cEBzcw=="));
}

TEST_F(Fetcher, AnExemptServerIsReachedDirectly) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, "archive");
  });
  use_proxy("http://127.0.0.1:" + std::to_string(test::closed_port()), "127.0.0.0/8");
  EXPECT_TRUE(fetch(server.url() + "/a"));
  use_proxy("http://127.0.0.1:" + std::to_string(test::closed_port()));
  EXPECT_FALSE(fetch(server.url() + "/a"));
}

TEST_F(Fetcher, ALinkLocalAddressIsNotAskedThroughAProxyEither) {
  MisbehavingServer proxy([](ServerConnection& connection) { connection.read_request(); });
  use_proxy("http://127.0.0.1:" + std::to_string(proxy.port()));
  EXPECT_THAT(fetch("http://169.254.169.254/latest/meta-data").error().message, HasSubstr("link-local"));
  EXPECT_EQ(proxy.connections(), 0);
}

TEST_F(Fetcher, AProxyThatRefusesOrIsNoHttpProxyIsNamed) {
  MisbehavingServer proxy([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(407, "");
  });
  use_proxy("http://127.0.0.1:" + std::to_string(proxy.port()));
  const auto refused = fetch("https://artifacts.invalid/a");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("the proxy refused"));
  use_proxy("socks5://me:secret@127.0.0.1:1080");
  const auto unusable = fetch("http://artifacts.invalid/a");
  ASSERT_FALSE(unusable);
  EXPECT_EQ(unusable.error().code, ErrorCode::Configuration);
  EXPECT_THAT(unusable.error().describe(), Not(HasSubstr("secret")));
}

// Passes bytes on in both directions until the client or the server closes.
void relay(ServerConnection& client, int port) {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  client.send("HTTP/1.1 200 Connection established\r\n\r\n");
  std::thread upwards([&] {
    for (std::string bytes = client.receive(); !bytes.empty(); bytes = client.receive()) {
      if (::send(server, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
        break;
      }
    }
    ::shutdown(server, SHUT_WR);
  });
  std::array<char, 4096> buffer{};
  for (auto got = ::recv(server, buffer.data(), buffer.size(), 0); got > 0;
       got = ::recv(server, buffer.data(), buffer.size(), 0)) {
    client.send({buffer.data(), static_cast<std::size_t>(got)});
  }
  client.close();
  upwards.join();
  ::close(server);
}

TEST_F(Fetcher, ATlsServerBehindAProxyIsVerifiedByItsName) {
  const auto authority = test::make_authority();
  const test::TempFolder folder;
  ::setenv("SSL_CERT_FILE", folder.write("ca.pem", authority.certificate_pem).c_str(), 1);
  const auto certificate = test::issue_certificate(authority, {.names = {"DNS:artifacts.invalid"}});
  MisbehavingServer server(
      [](ServerConnection& connection) {
        connection.read_request();
        connection.answer(200, "archive");
      },
      test::ServerTls{certificate.certificate_pem, certificate.key_pem, {}});
  MisbehavingServer proxy([&server](ServerConnection& connection) {
    connection.read_request();
    relay(connection, server.port());
  });
  use_proxy("http://127.0.0.1:" + std::to_string(proxy.port()));
  const auto done = fetch("https://artifacts.invalid/a.tar.gz");
  EXPECT_TRUE(done) << done.error().describe();
  EXPECT_EQ(got_, "archive");
  EXPECT_THAT(proxy.requests().at(0), HasSubstr("CONNECT artifacts.invalid:443 HTTP/1.1"));
  EXPECT_THAT(server.requests().at(0), HasSubstr("GET /a.tar.gz HTTP/1.1"));
  EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Proxy-Authorization")));
  const auto other = fetch("https://other.invalid/a.tar.gz");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("not valid for other.invalid"));
  ::unsetenv("SSL_CERT_FILE");
}

TEST_F(Fetcher, AnAnswerThatBreaksOffIsAnError) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
  });
  const auto done = fetch(server.url() + "/a");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().retry, RetryClass::Transient);
}

TEST_F(Fetcher, ASilentServerIsGivenUpAtTheDeadline) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.hold();
  });
  const auto done = fetch(server.url() + "/a", milliseconds(200));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("in time"));
}

TEST_F(Fetcher, AServerWithoutAnEndIsGivenUpAtTheDeadline) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    if (connection.begin_chunked()) {
      while (connection.chunk("x")) {
      }
    }
  });
  const auto done = fetch(server.url() + "/a", milliseconds(500));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("in time"));
}

TEST_F(Fetcher, NobodyThereIsAnErrorAndAStopEndsIt) {
  EXPECT_EQ(fetch("http://127.0.0.1:" + std::to_string(test::closed_port()) + "/a").error().code, ErrorCode::Io);
  stop_.request();
  EXPECT_EQ(fetch("http://127.0.0.1:1/a").error().code, ErrorCode::Interrupted);
  EXPECT_EQ(fetch("ftp://127.0.0.1/a").error().retry, RetryClass::Terminal);
}

TEST_F(Fetcher, AnErrorOfTheTakerEndsTheTransfer) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, std::string(1'000, 'x'));
  });
  const auto done =
      fetcher_->fetch(server.url() + "/a", milliseconds(20'000),
                      [](std::string_view) -> Result<void> { return fail(ErrorCode::FileTooLarge, "enough"); }, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "enough");
}

}  // namespace
}  // namespace athanor::controller
