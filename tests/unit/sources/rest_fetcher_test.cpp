// Fetching a file from servers that misbehave.
#include "operator/kube/rest_fetcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/misbehaving_server.hpp"

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
