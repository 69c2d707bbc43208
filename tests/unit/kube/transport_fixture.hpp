// A fixture for tests of the HTTP transport: credentials that a test sets, and a transport to a misbehaving server.
//
// Threads: the test's thread and those of the server. Ownership: owns the transport.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "operator/kube/rest_transport.hpp"
#include "tests/support/misbehaving_server.hpp"
#include "tests/support/test_certificates.hpp"

namespace athanor::controller {

class FixedCredentials final : public CredentialProvider {
 public:
  Result<Credentials> current(const StopToken& /*stop*/, SteadyTime /*deadline*/) override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void refused() override {
    const std::lock_guard lock(mutex_);
    ++refusals;
    if (next_) {
      now_ = *next_;
    }
  }
  void set(Credentials credentials) {
    const std::lock_guard lock(mutex_);
    now_ = std::move(credentials);
  }
  void after_refusal(Credentials credentials) { next_ = std::move(credentials); }

  int refusals = 0;

 private:
  std::mutex mutex_;
  Credentials now_{"Bearer first", {}, {}, 1};
  std::optional<Credentials> next_;
};

class TransportTest : public ::testing::Test {
 protected:
  // Creates the transport to this server.
  HttpTransport& connect(const std::string& url, ClusterAccess access = {}) {
    access.server = url;
    auto made = make_rest_transport(access, credentials_, clock_);
    if (!made) {
      throw std::runtime_error(made.error().describe());
    }
    transport_ = std::move(*made);
    return *transport_;
  }
  HttpTransport& connect(const test::MisbehavingServer& server, ClusterAccess access = {}) {
    return connect(server.url(), std::move(access));
  }
  static HttpRequest get(std::string path = "/version") {
    HttpRequest request;
    request.path = std::move(path);
    return request;
  }
  static HttpRequest write(std::string method, std::string body = R"({"spec":{}})") {
    HttpRequest request;
    request.method = std::move(method);
    request.path = "/api/v1/namespaces/shop/configmaps/one";
    request.body = std::move(body);
    return request;
  }
  // Reads a stream to its end: records its lines and returns how it ended.
  Result<HttpResponse> lines_of(HttpTransport& transport, HttpRequest request, const StopToken& stop = {}) {
    return transport.stream(
        request,
        [this](std::string_view line) {
          lines_.emplace_back(line);
          return true;
        },
        stop);
  }
  [[nodiscard]] milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started_);
  }

  SystemClock clock_;
  FixedCredentials credentials_;
  std::unique_ptr<HttpTransport> transport_;
  std::vector<std::string> lines_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace athanor::controller
