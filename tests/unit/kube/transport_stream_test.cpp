// Promises of the transport about answers that come line by line: watches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/unit/kube/transport_fixture.hpp"

namespace athanor::controller {
namespace {

using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class TransportStream : public TransportTest {};

long rss_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::stol(line.substr(6));
    }
  }
  return 0;
}

TEST_F(TransportStream, DeliversEveryLineHoweverTheChunksAreCut) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    connection.chunk("{\"a\":1}\n{\"b\":\"\xc3");  // in the middle of a character
    connection.chunk("\xbc\"}\r\n\n");
    connection.chunk("{\"c\"");
    connection.chunk(":3}");
    connection.chunk("\n");
    connection.end_chunks();
    connection.hold();
  });
  const auto end = lines_of(connect(server), get());
  ASSERT_TRUE(end) << end.error().describe();
  EXPECT_EQ(end->status, 200);
  EXPECT_EQ(end->body, "");
  EXPECT_THAT(lines_, ElementsAre("{\"a\":1}", "{\"b\":\"ü\"}", "{\"c\":3}"));
}

TEST_F(TransportStream, DeliversALineAsSoonAsItArrives) {
  std::atomic<bool> reported{false};
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    connection.chunk("first\n");
    reported.wait(false);  // the second only after the first has been told
    connection.chunk("second\n");
    connection.end_chunks();
    connection.hold();
  });
  const auto end = connect(server).stream(get(),
                                          [&](std::string_view line) {
                                            lines_.emplace_back(line);
                                            reported = true;
                                            reported.notify_all();
                                            return true;
                                          },
                                          {});
  ASSERT_TRUE(end) << end.error().describe();
  EXPECT_THAT(lines_, ElementsAre("first", "second"));
}

TEST_F(TransportStream, DoesNotDeliverATruncatedLine) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    connection.chunk("whole\nhal");
    if (connection.number() == 1) {
      connection.end_chunks();
    }
  });
  auto& transport = connect(server);
  const auto ended = lines_of(transport, get());
  ASSERT_TRUE(ended) << ended.error().describe();
  EXPECT_THAT(lines_, ElementsAre("whole"));
  credentials_.set({"Bearer first", {}, {}, 2});  // on a connection of its own
  const auto broken = lines_of(transport, get());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(lines_, ElementsAre("whole", "whole"));
}

TEST_F(TransportStream, CallsAResetInTheMiddleUnreachable) {
  std::atomic<bool> reported{false};
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    connection.chunk("whole\n");
    reported.wait(false);
    connection.reset();
  });
  const auto broken = connect(server).stream(get(),
                                             [&](std::string_view) {
                                               reported = true;
                                               reported.notify_all();
                                               return true;
                                             },
                                             {});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::ApiUnreachable);
}

TEST_F(TransportStream, ReturnsARefusalToTheCallerWithItsBodyAndNoLine) {
  for (const int status : {400, 403, 410, 429, 500}) {
    MisbehavingServer server([status](ServerConnection& connection) {
      connection.read_request();
      connection.answer(status, "{\"kind\":\"Status\"}\n", "Retry-After: 3\r\n");
    });
    const auto answer = lines_of(connect(server), get());
    ASSERT_TRUE(answer) << answer.error().describe();
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, "{\"kind\":\"Status\"}\n");
    EXPECT_EQ(answer->retry_after, 3s);
    EXPECT_TRUE(lines_.empty());
  }
}

TEST_F(TransportStream, RefreshesTheTokenOnceAfterA401) {
  MisbehavingServer server([](ServerConnection& connection) {
    for (std::string request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      const bool good = request.find("Bearer second") != std::string::npos;
      connection.answer(good ? 200 : 401, "{\"line\":1}\n");
    }
  });
  credentials_.after_refusal({"Bearer second", {}, {}, 1});
  const auto end = lines_of(connect(server), get());
  ASSERT_TRUE(end) << end.error().describe();
  EXPECT_EQ(end->status, 200);
  EXPECT_THAT(lines_, ElementsAre("{\"line\":1}"));
}

TEST_F(TransportStream, EndsWhenTheHandlerHasEnough) {
  std::atomic<bool> gone{false};
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    connection.chunk("one\ntwo\nthree\n");
    connection.hold();
    gone = true;
    gone.notify_all();
  });
  const auto end = connect(server).stream(get(),
                                          [this](std::string_view line) {
                                            lines_.emplace_back(line);
                                            return lines_.size() < 2;
                                          },
                                          {});
  ASSERT_TRUE(end) << end.error().describe();
  EXPECT_EQ(end->status, 200);
  EXPECT_THAT(lines_, ElementsAre("one", "two"));
  gone.wait(false);
}

TEST_F(TransportStream, EndsAtTheDeadlineBeforeTheHead) {
  MisbehavingServer server([](ServerConnection& connection) { connection.hold(); });
  auto request = get();
  request.deadline = 60ms;
  const auto end = lines_of(connect(server), request);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(end.error().message, HasSubstr("60 ms"));
}

TEST_F(TransportStream, EndsAfterTheIdleLimitAndNotBefore) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    connection.chunk("one\n");
    connection.hold();
  });
  auto request = get();
  request.deadline = 5s;
  request.idle = 70ms;
  const auto end = lines_of(connect(server), request);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(end.error().message, HasSubstr("no data received for 70 ms"));
  EXPECT_GE(elapsed(), 70ms);
  EXPECT_LT(elapsed(), 4s);
  EXPECT_THAT(lines_, ElementsAre("one"));
}

TEST_F(TransportStream, OutlivesTheDeadlineOfItsHeadWhileLinesCome) {
  std::atomic<int> reported{0};
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; std::chrono::steady_clock::now() < begun + 150ms; ++i) {
      connection.chunk("line\n");
      reported.wait(i);
    }
    connection.end_chunks();
  });
  auto request = get();
  request.deadline = 100ms;
  request.idle = 5s;
  const auto end = connect(server).stream(request,
                                          [&](std::string_view) {
                                            ++reported;
                                            reported.notify_all();
                                            return true;
                                          },
                                          {});
  ASSERT_TRUE(end) << end.error().describe();
}

TEST_F(TransportStream, StopsWhileLinesAreAwaited) {
  StopSource stop;
  std::chrono::steady_clock::time_point requested_at;
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    connection.chunk("one\n");
    connection.hold();
  });
  std::thread stopper;
  const auto end = connect(server).stream(
      get(),
      [&](std::string_view) {
        stopper = std::thread([&] {
          requested_at = std::chrono::steady_clock::now();
          stop.request();
        });
        return true;
      },
      stop.token());
  const auto now = std::chrono::steady_clock::now();
  stopper.join();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::Interrupted);
  EXPECT_LT(now - requested_at, 50ms);
}

TEST_F(TransportStream, StopsReadingALineOverTheCap) {
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    const std::string part(64U << 10U, 'x');
    while (connection.chunk(part)) {
    }
  });
  auto request = get();
  request.max_line = 1U << 20U;
  const auto end = lines_of(connect(server), request);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(end.error().message, HasSubstr("line is longer than 1048576 bytes"));
  EXPECT_LT(server.sent(), 16U << 20U);
}

TEST_F(TransportStream, LetsAFastServerWaitForASlowReader) {
  std::atomic<bool> full{false};
  std::atomic<std::size_t> sent{0};
  const std::string line = std::string(4095, 'x') + "\n";
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.begin_chunked();
    for (int i = 0; i < 50'000 && connection.chunk(line); ++i) {  // 200 MiB
      sent += line.size();
    }
    connection.end_chunks();
    full = true;
  });
  long most = 0;
  const long before = rss_kib();
  std::size_t lines = 0;
  const auto end = connect(server).stream(get(),
                                          [&](std::string_view text) {
                                            EXPECT_EQ(text.size(), 4095U);
                                            if (++lines == 1) {
                                              // Until the server is held up: what it sent stands still.
                                              for (std::size_t last = 1; last != sent;) {
                                                last = sent;
                                                std::this_thread::sleep_for(20ms);
                                              }
                                              EXPECT_FALSE(full);
                                              EXPECT_LT(sent, 64U << 20U);
                                            }
                                            if (lines % 1000 == 0) {
                                              most = std::max(most, rss_kib());
                                            }
                                            return true;
                                          },
                                          {});
  ASSERT_TRUE(end) << end.error().describe();
  EXPECT_EQ(lines, 50'000U);
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed
  EXPECT_LT(most - before, 16 << 10);
#endif
  RecordProperty("rss_growth_kib", static_cast<int>(most - before));
}

TEST_F(TransportStream, RunsBesideRequestsOfTheSameTransport) {
  std::atomic<bool> done{false};
  MisbehavingServer server([&](ServerConnection& connection) {
    for (std::string request = connection.read_request(); !request.empty(); request = connection.read_request()) {
      if (request.find("watch") == std::string::npos) {
        connection.answer(200, "{}");
        continue;
      }
      connection.begin_chunked();
      connection.chunk("one\n");
      done.wait(false);
      connection.end_chunks();
    }
  });
  auto& transport = connect(server);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {  // more than the pool has threads
    threads.emplace_back([&] { EXPECT_TRUE(transport.stream(get("/watch"), [](std::string_view) { return true; }, {})); });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(transport.send(get(), {}));
  }
  done = true;
  done.notify_all();
  for (auto& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace athanor::controller
