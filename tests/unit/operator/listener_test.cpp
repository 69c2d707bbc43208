// The operator's listener against clients that mean harm: half-open, slow, huge, many. Real sockets, short limits.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/unique_fd.hpp"
#include "operator/serve/listener.hpp"
#include "operator/serve/process_figures.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/test_certificates.hpp"

namespace athanor::controller {
namespace {

using std::chrono::seconds;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const UniqueFd probe(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = local(0);
  socklen_t size = sizeof address;
  ::bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A client that waits ten seconds for anything it reads or writes.
UniqueFd connect_to(int port, int receive_buffer = 0) {
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{10, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (receive_buffer != 0) {
    ::setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const sockaddr_in address = local(port);
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? std::move(client)
                                                                                                   : UniqueFd();
}

bool send_all(const UniqueFd& client, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (put <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

std::string receive_all(const UniqueFd& client) {
  std::string text;
  std::array<char, 65'536> buffer;
  for (ssize_t got = 0; (got = ::recv(client.get(), buffer.data(), buffer.size(), 0)) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

// True once the server closed the connection; false after the client's patience.
bool is_closed(const UniqueFd& client) {
  char byte = 0;
  const ssize_t got = ::recv(client.get(), &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

class ListenerTest : public testing::Test {
 protected:
  void open(HttpLimits limits = {}, ReviewToken review = {}) {
    options.address = "127.0.0.1:" + std::to_string(port);
    options.limits = limits;
    options.review = std::move(review);
    auto opened = Listener::open(options, {[this] { return page(); }, [] { return true; }, [] { return false; }}, clock);
    ASSERT_TRUE(opened.has_value()) << opened.error().describe();
    listener = std::move(*opened);
  }
  std::string page() {
    ++pages;
    return metrics;
  }
  std::string ask(const std::string& request) const {
    const UniqueFd client = connect_to(port);
    return client && send_all(client, request) ? receive_all(client) : "cannot be asked";
  }
  std::string get(const std::string& path, const std::string& more = {}) const {
    return ask("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n");
  }
  // Clients that send this and no more.
  std::vector<UniqueFd> crowd(int count, const std::string& text, int receive_buffer = 0) const {
    std::vector<UniqueFd> clients;
    for (int index = 0; index < count; ++index) {
      clients.push_back(connect_to(port, receive_buffer));
      (void)send_all(clients.back(), text);
    }
    return clients;
  }

  SystemClock clock;
  int port = free_port();
  ListenerOptions options;
  std::string metrics = "athanor_ready 1\n";
  std::atomic<int> pages{0};
  std::unique_ptr<Listener> listener;
};

TEST_F(ListenerTest, ServesThreePathsAndClosesAfterEachAnswer) {
  open();
  const std::string served = get("/metrics");
  EXPECT_TRUE(served.starts_with("HTTP/1.1 200 ")) << served;
  EXPECT_TRUE(holds(served, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n")) << served;
  EXPECT_TRUE(holds(served, "Content-Length: 16\r\n")) << served;
  EXPECT_TRUE(holds(served, "Connection: close\r\n")) << served;
  EXPECT_TRUE(served.ends_with("\r\n\r\nathanor_ready 1\n")) << served;
  EXPECT_TRUE(get("/healthz").ends_with("\r\n\r\nok\n"));
  EXPECT_TRUE(holds(get("/readyz"), " 503 "));
  EXPECT_TRUE(holds(get("/secrets"), " 404 "));
  EXPECT_TRUE(get("/metrics?name[]=athanor_ready").starts_with("HTTP/1.1 200 "));
}

TEST_F(ListenerTest, RefusesWhatIsNoPlainRequest) {
  open();
  const auto refused = [this](const std::string& request, const std::string& status) {
    const std::string answer = ask(request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status + " ")) << request << "\n" << answer;
  };
  for (const char* method : {"POST", "HEAD", "BREW", "get", "PRI"}) {
    refused(std::string(method) + " /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "405");
  }
  refused("GET /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "413");
  refused("GET /metrics HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n", "413");
  refused("GET /metrics HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\n\r\n3fffffff\r\n", "413");
  refused("GET /metrics HTTP/9.9\r\n\r\n", "400");
  refused("GET /metrics\r\n\r\n", "400");
  refused("GET  HTTP/1.1 x y\r\n\r\n", "400");
  refused("GET /metrics HTTP/1.1\r\nA: b\nAuthorization: c\r\n\r\n", "400");
  refused(std::string("GET /metrics\0 HTTP/1.1\r\n\r\n", 26), "400");
  // Nothing is expected, resumed or pieced together.
  EXPECT_TRUE(get("/metrics", "Expect: 100-continue\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(get("/metrics", "Range: bytes=0-1,0-1,99999999999999999999-\r\n").ends_with("\r\n\r\nathanor_ready 1\n"));
}

TEST_F(ListenerTest, ReadsNoFurtherThanTheLimitOfAHead) {
  open();
  const double before = read_process_figures().resident_bytes;
  const std::string megabyte(1 << 20, 'a');
  for (const char* const start : {"GET /metrics HTTP/1.1\r\nX: ", "GET /", "X"}) {
    const UniqueFd client = connect_to(port);
    (void)send_all(client, start);
    int sent = 0;
    while (sent < 64 && send_all(client, megabyte)) {
      ++sent;
    }
    EXPECT_LT(sent, 64) << "of an endless header the listener took everything";
  }
  std::string many = "GET /metrics HTTP/1.1\r\n";
  for (int count = 0; count < 100; ++count) {
    many += "a: b\r\n";
  }
  EXPECT_TRUE(ask(many + "\r\n").starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(get("/metrics", "A: " + std::string(7'000, 'b') + "\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_LT(read_process_figures().resident_bytes - before, 16 << 20);
}

TEST_F(ListenerTest, ServesWhileFourHundredClientsKeepTheirRequestsOpen) {
  open();
  const double before = read_process_figures().open_files;
  const auto half_open = crowd(400, "GET / HTTP/1.1\r\n");
  const auto silent = crowd(100, "");
  const double during = read_process_figures().open_files;
  // The clients of the test are descriptors of this process too.
  EXPECT_LE(during - before - 500, 80) << "descriptors of the listener";
  for (int count = 0; count < 5; ++count) {
    const SteadyTime started = clock.steady_now();
    EXPECT_TRUE(get("/metrics").starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
    EXPECT_LT(clock.steady_now() - started, seconds(2));
  }
  EXPECT_TRUE(is_closed(half_open.front())) << "the oldest gave way";
}

TEST_F(ListenerTest, GivesAClientOneDeadlineForItsWholeRequest) {
  HttpLimits limits;
  limits.request_deadline = milliseconds(400);
  open(limits);
  const UniqueFd client = connect_to(port);
  const SteadyTime began = clock.steady_now();
  bool open_still = send_all(client, "GET /metrics HTTP/1.1\r\nX: ");
  while (open_still && clock.steady_now() - began < seconds(5)) {
    std::this_thread::sleep_for(milliseconds(50));
    open_still = send_all(client, "a");
  }
  EXPECT_LT(clock.steady_now() - began, seconds(2));
}

TEST_F(ListenerTest, SharesAPageAndLetsSlowReadersGiveWay) {
  HttpLimits limits;
  limits.patience = milliseconds(100);
  limits.write_deadline = seconds(60);
  open(limits);
  metrics.assign(std::size_t{8} << 20U, 'x');
  const double before = read_process_figures().resident_bytes;
  const auto slow = crowd(60, "GET /metrics HTTP/1.1\r\n\r\n", 4'096);
  std::this_thread::sleep_for(milliseconds(500));
  const std::string served = get("/metrics");
  EXPECT_TRUE(served.ends_with("xxx")) << served.substr(0, 200);
  EXPECT_GT(served.size(), metrics.size());
  EXPECT_LT(read_process_figures().resident_bytes - before, 80 << 20) << "sixty pages would be 480 MiB";
  EXPECT_LT(pages, 30);
}

TEST_F(ListenerTest, AcceptsAgainAfterTheProcessHadNoDescriptorLeft) {
  open();
  ASSERT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
  const UniqueFd waiting = connect_to(port);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{3, limit.rlim_max};
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = local(port);
  ::setrlimit(RLIMIT_NOFILE, &none);
  const int connected = ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  std::this_thread::sleep_for(milliseconds(300));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(connected, 0);
  EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
}

TEST_F(ListenerTest, ShowsTheMetricsToThoseTheApiServerVouchesFor) {
  std::atomic<int> reviews{0};
  open({}, [&](const std::string& token) -> Result<Access> {
    ++reviews;
    if (token == "broken") {
      return fail(ErrorCode::ApiUnreachable, "gone");
    }
    return token == "scraper" ? Access::Allowed : token == "somebody" ? Access::Forbidden : Access::Unauthenticated;
  });
  const auto with = [this](const std::string& token) { return get("/metrics", "authorization: Bearer " + token + "\r\n"); };
  EXPECT_TRUE(holds(get("/metrics"), " 401 "));
  EXPECT_TRUE(holds(get("/metrics"), "WWW-Authenticate: Bearer\r\n"));
  EXPECT_TRUE(holds(get("/metrics", "Authorization: Basic c2NyYXBlcg==\r\n"), " 401 "));
  EXPECT_EQ(reviews, 0);
  EXPECT_TRUE(holds(with("made-up"), " 401 "));
  EXPECT_TRUE(holds(with("somebody"), " 403 "));
  EXPECT_TRUE(holds(with("broken"), " 503 "));
  EXPECT_EQ(reviews, 3);
  for (int count = 0; count < 3; ++count) {
    EXPECT_TRUE(with("scraper").ends_with("athanor_ready 1\n"));
    EXPECT_TRUE(holds(with("somebody"), " 403 "));
  }
  EXPECT_EQ(reviews, 4) << "answers are remembered";
  EXPECT_TRUE(get("/healthz").ends_with("ok\n"));
  EXPECT_TRUE(holds(with("broken"), " 503 "));
  EXPECT_EQ(reviews, 5) << "but no answer is not";
}

TEST_F(ListenerTest, KeepsTheKnownScraperWhileACrowdMakesTokensUp) {
  std::mutex mutex;
  std::condition_variable changed;
  bool stuck = true;
  open({}, [&](const std::string& token) -> Result<Access> {
    if (token == "scraper") {
      return Access::Allowed;
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !stuck; });
    return Access::Unauthenticated;
  });
  EXPECT_TRUE(get("/metrics", "Authorization: Bearer scraper\r\n").starts_with("HTTP/1.1 200 "));
  std::vector<UniqueFd> guesses;
  for (int count = 0; count < 40; ++count) {
    guesses.push_back(connect_to(port));
    (void)send_all(guesses.back(), "GET /metrics HTTP/1.1\r\nAuthorization: Bearer " + std::to_string(count) + "\r\n\r\n");
  }
  EXPECT_TRUE(holds(receive_all(guesses.back()), " 503 ")) << "no more than a few wait";
  EXPECT_TRUE(get("/metrics", "Authorization: Bearer scraper\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
  {
    const std::lock_guard lock(mutex);
    stuck = false;
  }
  changed.notify_all();
  EXPECT_TRUE(holds(receive_all(guesses.front()), " 401 "));
}

class TlsListenerTest : public ListenerTest {
 protected:
  // The certificate's common name, as a client sees it, and the answer; empty when there is no connection.
  struct Seen {
    std::string name;
    std::string answer;
  };
  void write_certificate(const std::string& name) {
    const auto made = test::issue_certificate(authority, {.common_name = name});
    options.certificate = folder / "tls.crt";
    options.key = folder / "tls.key";
    std::ofstream(options.certificate + ".new") << made.certificate_pem;
    std::ofstream(options.key + ".new") << made.key_pem;
    std::filesystem::rename(options.key + ".new", options.key);
    std::filesystem::rename(options.certificate + ".new", options.certificate);
  }
  Seen ask_over_tls(const std::string& request) const {
    const UniqueFd client = connect_to(port);
    const std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&::SSL_free)> tls(::SSL_new(context.get()), &::SSL_free);
    ::SSL_set_fd(tls.get(), client.get());
    Seen seen;
    if (::SSL_connect(tls.get()) != 1) {
      return seen;
    }
    std::array<char, 256> name{};
    X509* const shown = ::SSL_get1_peer_certificate(tls.get());
    ::X509_NAME_get_text_by_NID(::X509_get_subject_name(shown), NID_commonName, name.data(), name.size());
    ::X509_free(shown);
    seen.name = name.data();
    ::SSL_write(tls.get(), request.data(), static_cast<int>(request.size()));
    std::array<char, 4'096> buffer;
    for (int got = 0; (got = ::SSL_read(tls.get(), buffer.data(), buffer.size())) > 0;) {
      seen.answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return seen;
  }

  test::TempFolder folder;
  test::TestCertificate authority = test::make_authority();
};

TEST_F(TlsListenerTest, ServesOverTlsAndNothingElse) {
  write_certificate("first");
  metrics.assign(std::size_t{3} << 20U, 'x');
  open();
  const Seen seen = ask_over_tls("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_EQ(seen.name, "first");
  EXPECT_TRUE(seen.answer.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(seen.answer.size() - seen.answer.find("\r\n\r\n") - 4, metrics.size());
  EXPECT_FALSE(holds(get("/metrics"), "200")) << "in plain text";
  EXPECT_TRUE(ask_over_tls("GET /healthz HTTP/1.1\r\n\r\n").answer.ends_with("ok\n"));
}

TEST_F(TlsListenerTest, ServesWhileClientsNeverFinishTheirHandshakes) {
  write_certificate("first");
  open();
  const auto half_open = crowd(200, "\x16\x03\x01");
  EXPECT_TRUE(ask_over_tls("GET /metrics HTTP/1.1\r\n\r\n").answer.starts_with("HTTP/1.1 200 "));
}

TEST_F(TlsListenerTest, ShowsTheNewCertificateAfterARotation) {
  std::atomic<int> complaints{0};
  options.complain = [&](const Error&) { ++complaints; };
  write_certificate("first");
  open();
  EXPECT_EQ(ask_over_tls("GET /healthz HTTP/1.1\r\n\r\n").name, "first");
  std::ofstream(options.key) << "no key";
  std::this_thread::sleep_for(milliseconds(1'100));
  EXPECT_EQ(ask_over_tls("GET /healthz HTTP/1.1\r\n\r\n").name, "first") << "a pair that cannot be used changes nothing";
  EXPECT_EQ(complaints, 1);
  write_certificate("second");
  std::this_thread::sleep_for(milliseconds(1'100));
  EXPECT_EQ(ask_over_tls("GET /healthz HTTP/1.1\r\n\r\n").name, "second");
}

TEST_F(TlsListenerTest, SaysWhichFileCannotBeUsed) {
  write_certificate("first");
  options.address = "127.0.0.1:" + std::to_string(port);
  std::ofstream(options.key) << "no key";
  const auto opened = Listener::open(options, {}, clock);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::Configuration);
  EXPECT_TRUE(holds(opened.error().message, "tls.key")) << opened.error().message;
}

TEST(MetricsAccess, RemembersARefusalForAShorterTimeThanAPermission) {
  test::FakeClock clock;
  std::atomic<int> reviews{0};
  std::atomic<int> decided{0};
  MetricsAccess access(
      [&](const std::string& token) -> Result<Access> {
        ++reviews;
        return token == "good" ? Access::Allowed : Access::Unauthenticated;
      },
      clock, [&](std::uint64_t, Access) { ++decided; });
  const auto ask = [&](const std::string& token) {
    const int before = decided;
    if (access.check(1, "Bearer " + token)) {
      return;
    }
    while (decided == before) {
      std::this_thread::yield();
    }
  };
  ask("good");
  ask("bad");
  clock.advance(seconds(11));
  ask("good");
  EXPECT_EQ(reviews, 2);
  ask("bad");
  EXPECT_EQ(reviews, 3);
  clock.advance(seconds(50));
  ask("good");
  EXPECT_EQ(reviews, 4);
}

TEST(MetricsAccess, ReviewsATokenThatWasAllowedBeforeAFloodOfOthers) {
  test::FakeClock clock;
  std::atomic<bool> blocked{false};
  std::atomic<bool> reviewing{false};
  std::mutex mutex;
  std::vector<std::uint64_t> order;
  MetricsAccess access(
      [&](const std::string& token) -> Result<Access> {
        reviewing = true;
        while (blocked) {
          std::this_thread::yield();
        }
        return token == "good" ? Access::Allowed : Access::Unauthenticated;
      },
      clock,
      [&](std::uint64_t client, Access) {
        const std::lock_guard lock(mutex);
        order.push_back(client);
      });
  const auto decided = [&] {
    const std::lock_guard lock(mutex);
    return order.size();
  };
  EXPECT_EQ(access.check(1, "Bearer good"), std::nullopt);
  while (decided() < 1) {
    std::this_thread::yield();
  }
  clock.advance(seconds(61));
  blocked = true;
  reviewing = false;
  int unavailable = 0;
  for (std::uint64_t junk = 0; junk < 30; ++junk) {
    unavailable += access.check(100 + junk, "Bearer junk" + std::to_string(junk)) == Access::Unavailable ? 1 : 0;
    while (!reviewing) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(unavailable, 30 - 17) << "16 wait, and one is being reviewed";
  EXPECT_EQ(access.check(2, "Bearer good"), std::nullopt);
  blocked = false;
  while (decided() < 3) {
    std::this_thread::yield();
  }
  const std::lock_guard lock(mutex);
  EXPECT_EQ(order[1], 100U) << "it was under way";
  EXPECT_EQ(order[2], 2U);
}

}  // namespace
}  // namespace athanor::controller
