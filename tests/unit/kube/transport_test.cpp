// Promises of the transport about one request and its answer, kept against servers that misbehave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/unit/kube/transport_fixture.hpp"

namespace athanor::controller {
namespace {

using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

class Transport : public TransportTest {};

void answer_all(ServerConnection& connection) {
  while (!connection.read_request().empty()) {
    connection.answer(200, "{}");
  }
}

TEST_F(Transport, SendsMethodPathBodyAndHeaders) {
  MisbehavingServer server(answer_all);
  ClusterAccess access;
  access.impersonate = "jane";
  access.impersonate_uid = "7";
  access.impersonate_groups = {"ops", "dev"};
  auto request = write("PATCH", R"({"a":"ü"})");
  request.path = "/api/v1/namespaces/shop/configmaps/one?fieldManager=athanor&labelSelector=a%3Db%2Cc";
  request.content_type = "application/merge-patch+json";
  const auto answer = connect(server, access).send(request, {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "{}");
  const std::string seen = server.requests().at(0);
  EXPECT_THAT(seen,
              AllOf(HasSubstr("PATCH /api/v1/namespaces/shop/configmaps/one?fieldManager=athanor&labelSelector=a%3Db%2Cc "
                              "HTTP/1.1\r\n"),
                    HasSubstr("Authorization:Bearer first\r\n"), HasSubstr("User-Agent:athanor-operator/0"),
                    HasSubstr("Content-Type:application/merge-patch+json"), HasSubstr("Accept:application/json\r\n"),
                    HasSubstr("Impersonate-User:jane\r\n"), HasSubstr("Impersonate-Uid:7\r\n"),
                    HasSubstr("Impersonate-Group:ops\r\nImpersonate-Group:dev\r\n"),
                    HasSubstr("Host:127.0.0.1:" + std::to_string(server.port()) + "\r\n"), HasSubstr("\r\n\r\n{\"a\":\"ü\"}")));
}

TEST_F(Transport, PutsThePrefixOfTheServersUrlBeforeThePath) {
  MisbehavingServer server(answer_all);
  ASSERT_TRUE(connect(server.url() + "/k8s/clusters/c-1/").send(get("/api/v1/pods?limit=500"), {}));
  EXPECT_THAT(server.requests().at(0), HasSubstr("GET /k8s/clusters/c-1/api/v1/pods?limit=500 HTTP/1.1\r\n"));
}

TEST_F(Transport, RefusesToImpersonateWithALineEndInAHeader) {
  FixedCredentials credentials;
  ClusterAccess access;
  access.server = "http://127.0.0.1:1";
  access.impersonate_groups = {"ops\r\nImpersonate-User:root"};
  const auto made = make_rest_transport(access, credentials, clock_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::Configuration);
}

TEST_F(Transport, RefusesATokenWithALineEndWithoutShowingIt) {
  MisbehavingServer server(answer_all);
  credentials_.set({"Bearer sesame\r\nX: y", {}, {}, 1});
  const auto answer = connect(server).send(get(), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnauthorized);
  EXPECT_THAT(answer.error().describe(), Not(HasSubstr("sesame")));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(Transport, KeepsOneConnectionForRequestsOneAfterTheOther) {
  MisbehavingServer server(answer_all);
  auto& transport = connect(server);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(transport.send(get(), {}));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Transport, ReadsAHeadThatComesByteByByte) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    for (const char byte : std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) {
      connection.send({&byte, 1});
    }
    connection.hold();
  });
  const auto answer = connect(server).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->body, "{}");
}

TEST_F(Transport, JoinsChunksCutInsideCharactersAndJson) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    for (const char byte : std::string_view(R"({"name":"größe €"})")) {
      connection.chunk({&byte, 1});
    }
    connection.end_chunks();
    connection.hold();
  });
  const auto answer = connect(server).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->body, R"({"name":"größe €"})");
}

TEST_F(Transport, ReadsABodyThatEndsWithTheConnection) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\n{\"a\":1}");
  });
  const auto answer = connect(server).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->body, "{\"a\":1}");
}

TEST_F(Transport, ReadsALargeBodyWhole) {
  const std::string large(20U << 20U, 'x');
  MisbehavingServer server([&large](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, large);
    connection.hold();
  });
  const auto answer = connect(server).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_TRUE(answer->body == large);
}

TEST_F(Transport, HandsEveryStatusToTheCaller) {
  static constexpr int kStatuses[] = {200, 201, 301, 400, 403, 404, 409, 410, 422, 500, 503};
  MisbehavingServer server([](ServerConnection& connection) {
    for (std::string request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      connection.answer(std::stoi(request.substr(5)), R"({"kind":"Status"})", "Location: http://127.0.0.1:1/elsewhere\r\n");
    }
  });
  auto& transport = connect(server);
  for (const int status : kStatuses) {
    const auto answer = transport.send(get("/" + std::to_string(status)), {});
    ASSERT_TRUE(answer) << status << " " << answer.error().describe();
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, R"({"kind":"Status"})");
  }
}

TEST_F(Transport, ReadsAStatusWithoutABody) {
  MisbehavingServer server([](ServerConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.send("HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  auto& transport = connect(server);
  for (int i = 0; i < 2; ++i) {
    const auto answer = transport.send(write("DELETE"), {});
    ASSERT_TRUE(answer) << answer.error().describe();
    EXPECT_EQ(answer->status, 204);
    EXPECT_EQ(answer->body, "");
  }
}

TEST_F(Transport, ReportsRetryAfterOnlyWhenItIsANumberOfSeconds) {
  MisbehavingServer server([](ServerConnection& connection) {
    for (std::string request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      const bool dated = request.find("/dated") != std::string::npos;
      connection.answer(429, "{}", dated ? "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n" : "Retry-After: 7\r\n");
    }
  });
  auto& transport = connect(server);
  const auto throttled = transport.send(get(), {});
  ASSERT_TRUE(throttled);
  EXPECT_EQ(throttled->status, 429);
  EXPECT_EQ(throttled->retry_after, 7s);
  const auto dated = transport.send(get("/dated"), {});
  ASSERT_TRUE(dated);
  EXPECT_EQ(dated->retry_after, std::nullopt);
}

// ---- who we are

TEST_F(Transport, RefreshesTheTokenOnceAfterA401) {
  MisbehavingServer server([](ServerConnection& connection) {
    while (true) {
      const auto request = connection.read_request();
      if (request.empty()) {
        return;
      }
      connection.answer(request.find("Bearer second") != std::string::npos ? 200 : 401, "{}");
    }
  });
  credentials_.after_refusal({"Bearer second", {}, {}, 1});
  const auto answer = connect(server).send(write("POST"), {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(credentials_.refusals, 1);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Transport, ReturnsA401ToTheCallerWithoutNewCredentials) {
  MisbehavingServer server([](ServerConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.answer(401, "{}");
    }
  });
  const auto answer = connect(server).send(get(), {});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(credentials_.refusals, 1);
  EXPECT_EQ(server.requests().size(), 1U);
}

// ---- kept connections that died

class TransportStale : public Transport, public ::testing::WithParamInterface<const char*> {};

TEST_P(TransportStale, SendsAgainOnANewConnectionWhenTheServerClosedTheIdleOne) {
  std::atomic<bool> closed{false};
  MisbehavingServer server([&closed](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, "{}");
    if (connection.number() == 1) {
      connection.close();
      closed = true;
      closed.notify_all();
      return;
    }
    answer_all(connection);
  });
  auto& transport = connect(server);
  ASSERT_TRUE(transport.send(get("/first"), {}));
  closed.wait(false);
  // Without a body the request is one write, which a closed connection still takes: only looking first can tell.
  const auto answer = transport.send(write(GetParam(), ""), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_THAT(server.requests().at(1), HasSubstr(std::string(GetParam()) + " /api/v1"));
}
INSTANTIATE_TEST_SUITE_P(EveryMethod, TransportStale, ::testing::Values("GET", "PATCH", "PUT", "POST", "DELETE"));

TEST_F(Transport, SendsABodyAgainWhenTheServerClosedTheIdleConnection) {
  std::atomic<bool> closed{false};
  MisbehavingServer server([&closed](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, "{}");
    if (connection.number() == 1) {
      connection.close();
      closed = true;
      closed.notify_all();
      return;
    }
    answer_all(connection);
  });
  auto& transport = connect(server);
  ASSERT_TRUE(transport.send(get("/first"), {}));
  closed.wait(false);
  const auto answer = transport.send(write("PATCH", std::string(4U << 20U, 'x')), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Transport, GetsAgainWhenAKeptConnectionEndsBeforeTheAnswer) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(200, "{}");
    if (connection.number() == 1) {
      connection.read_request();  // seen, never answered
      return;
    }
    answer_all(connection);
  });
  auto& transport = connect(server);
  ASSERT_TRUE(transport.send(get("/first"), {}));
  const auto answer = transport.send(get("/second"), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(Transport, NeverWritesTwiceWhenAKeptConnectionEndsBeforeTheAnswer) {
  for (const char* method : {"PATCH", "PUT", "POST", "DELETE"}) {
    MisbehavingServer server([](ServerConnection& connection) {
      connection.read_request();
      connection.answer(200, "{}");
      if (connection.number() == 1) {
        connection.read_request();  // it may be carried out
        return;
      }
      answer_all(connection);
    });
    auto& transport = connect(server);
    ASSERT_TRUE(transport.send(get("/first"), {}));
    const auto answer = transport.send(write(method), {});
    ASSERT_FALSE(answer) << method;
    EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
    EXPECT_THAT(answer.error().hint, HasSubstr("may or may not have been carried out"));
    EXPECT_EQ(server.requests().size(), 2U) << method;
  }
}

TEST_F(Transport, DoesNotSendAgainWhenANewConnectionEndsBeforeTheAnswer) {
  MisbehavingServer server([](ServerConnection& connection) { connection.read_request(); });
  const auto answer = connect(server).send(get(), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Transport, RecoversWhenEveryKeptConnectionDied) {
  std::atomic<int> served{0};
  std::atomic<bool> dying{false};
  std::atomic<int> dead{0};
  MisbehavingServer server([&](ServerConnection& connection) {
    if (dying) {
      return answer_all(connection);
    }
    connection.read_request();
    ++served;
    served.notify_all();
    for (int now = served; now < 8; now = served) {
      served.wait(now);
    }
    connection.answer(200, "{}");
    dying.wait(false);
    connection.close();
    ++dead;
    dead.notify_all();
  });
  auto& transport = connect(server);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&transport] { EXPECT_TRUE(transport.send(get(), {})); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  dying = true;
  dying.notify_all();
  for (int now = dead; now < 8; now = dead) {
    dead.wait(now);
  }
  const auto answer = transport.send(write("PATCH"), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(answer->status, 200);
}

// ---- what is no answer

TEST_F(Transport, CallsAnAnswerThatBreaksOffUnreachable) {
  const char* const answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",                   // shorter than it said
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"",  // a chunk cut
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",  // no last chunk
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n",
      "HTTP/1.1 200 OK\r\nContent-",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      "\r\n\r\n\r\n\r\n",
      "",
  };
  for (const char* text : answers) {
    MisbehavingServer server([text](ServerConnection& connection) {
      connection.read_request();
      connection.send(text);
    });
    const auto answer = connect(server).send(get(), {});
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable) << text;
    EXPECT_THAT(answer.error().message, HasSubstr(server.url())) << text;
  }
}

TEST_F(Transport, CallsAResetInTheMiddleUnreachable) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    connection.reset();
  });
  const auto answer = connect(server).send(get(), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
}

TEST_F(Transport, CallsARefusedConnectionUnreachable) {
  const auto answer = connect("http://127.0.0.1:" + std::to_string(test::closed_port())).send(get(), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(answer.error().message, HasSubstr("cannot connect"));
}

TEST_F(Transport, CallsANameThatDoesNotResolveUnreachable) {
  auto request = get();
  request.deadline = 10s;
  const auto answer = connect("https://no-such-host.invalid:6443").send(request, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(answer.error().message, HasSubstr("cannot resolve its name"));
}

TEST_F(Transport, ReachesAnIpv6Literal) {
  MisbehavingServer server(answer_all, std::nullopt, true);
  const auto answer = connect(server).send(get(), {});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_THAT(server.requests().at(0), HasSubstr("Host:[::1]:" + std::to_string(server.port()) + "\r\n"));
  EXPECT_EQ(transport_->server(), "http://[::1]:" + std::to_string(server.port()));
}

TEST_F(Transport, RefusesAServerThatIsNoUrl) {
  for (const char* url : {"", "10.0.0.1:6443", "ftp://host", "https://", "https://host:0", "https://host:66000", "https://[::1",
                          "https://user@host", "https://host?x"}) {
    ClusterAccess access;
    access.server = url;
    const auto made = make_rest_transport(access, credentials_, clock_);
    ASSERT_FALSE(made) << url;
    EXPECT_EQ(made.error().code, ErrorCode::Configuration) << url;
  }
}

TEST_F(Transport, IgnoresProxiesOfTheEnvironment) {
  MisbehavingServer server(answer_all);
  const std::string proxy = "http://127.0.0.1:" + std::to_string(test::closed_port());
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"}) {
    ::setenv(name, proxy.c_str(), 1);
  }
  const auto answer = connect(server).send(get(), {});
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"}) {
    ::unsetenv(name);
  }
  ASSERT_TRUE(answer) << answer.error().describe();
}

// ---- limits

TEST_F(Transport, EndsAtTheDeadlineWhenTheServerNeverAnswers) {
  MisbehavingServer server([](ServerConnection& connection) { connection.hold(); });
  auto request = get();
  request.deadline = 60ms;
  const auto answer = connect(server).send(request, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(answer.error().message, HasSubstr("60 ms"));
  EXPECT_GE(elapsed(), 60ms);
  EXPECT_LT(elapsed(), 2s);
}

TEST_F(Transport, EndsAtTheDeadlineWhenTheServerTricklesForEver) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    while (connection.chunk("x")) {
      std::this_thread::yield();
    }
  });
  auto request = get();
  request.deadline = 80ms;
  const auto answer = connect(server).send(request, {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("80 ms"));
  EXPECT_LT(elapsed(), 2s);
}

TEST_F(Transport, EndsAtTheDeadlineWhenTheBodyStalls) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    connection.hold();
  });
  auto request = get();
  request.deadline = 60ms;
  const auto answer = connect(server).send(request, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
}

TEST_F(Transport, StopsReadingABodyOverTheCap) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    const std::string part(64U << 10U, 'x');
    while (connection.chunk(part)) {
    }
  });
  auto request = get();
  request.max_body = 1U << 20U;
  const auto answer = connect(server).send(request, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(answer.error().message, HasSubstr("larger than 1048576 bytes"));
  EXPECT_LT(server.sent(), 16U << 20U);
}

TEST_F(Transport, ServesManyThreadsAtOnce) {
  MisbehavingServer server([](ServerConnection& connection) {
    while (true) {
      const auto request = connection.read_request();
      if (request.empty()) {
        return;
      }
      const auto start = request.find("/n/") + 3;
      connection.answer(200, request.substr(start, request.find(' ', start) - start));
    }
  });
  auto& transport = connect(server);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 5; ++j) {
        const auto name = std::to_string(i * 100 + j);
        const auto answer = transport.send(get("/n/" + name), {});
        good += answer && answer->body == name ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, 64 * 5);
}

// ---- stopping

TEST_F(Transport, StopsWhileWaitingForTheHead) {
  StopSource stop;
  std::chrono::steady_clock::time_point asked;
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    asked = std::chrono::steady_clock::now();
    stop.request();
    connection.hold();
  });
  const auto answer = connect(server).send(get(), stop.token());
  const auto took = std::chrono::steady_clock::now() - asked;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Interrupted);
  EXPECT_LT(took, 50ms);
}

TEST_F(Transport, SendsNothingAfterAStop) {
  StopSource stop;
  stop.request();
  MisbehavingServer server(answer_all);
  const auto answer = connect(server).send(get(), stop.token());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Interrupted);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(Transport, ClosesTheConnectionOfARequestThatWasGivenUp) {
  std::atomic<bool> gone{false};
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.hold();
    gone = true;
    gone.notify_all();
  });
  auto request = get();
  request.deadline = 20ms;
  ASSERT_FALSE(connect(server).send(request, {}));
  gone.wait(false);
}

}  // namespace
}  // namespace athanor::controller
