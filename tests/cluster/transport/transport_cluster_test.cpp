// The transport against a real API server: client certificates, a service account's token, a watch that begins with what there
// is, and what it costs.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "migrations/base/ids.hpp"
#include "operator/kube/rest_transport.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

using nlohmann::json;

std::string cluster_folder() {
  const char* named = std::getenv("ATHANOR_TEST_CLUSTER");
  return named != nullptr ? named : std::string(ATHANOR_BINARY_DIR) + "/cluster";
}

long rss_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::stol(line.substr(6));
    }
  }
  return 0;
}

struct Connection {
  std::unique_ptr<CredentialProvider> credentials;
  std::unique_ptr<HttpTransport> transport;
};

class ClusterTransport : public ::testing::Test {
 protected:
  static ClusterAccess administrator() {
    auto access = read_kubeconfig({cluster_folder() + "/kubeconfig"}, {});
    EXPECT_TRUE(access) << access.error().describe();
    return std::move(*access);
  }
  Connection connect(const ClusterAccess& access) {
    Connection connection;
    connection.credentials = make_credentials(access, clock_, [](const std::string&) { return std::nullopt; });
    auto transport = make_rest_transport(access, *connection.credentials, clock_);
    EXPECT_TRUE(transport) << transport.error().describe();
    connection.transport = std::move(*transport);
    return connection;
  }
  static HttpRequest request(std::string method, std::string path, const json& body = {}) {
    HttpRequest made;
    made.method = std::move(method);
    made.path = std::move(path);
    made.body = body.is_null() ? std::string() : body.dump();
    return made;
  }
  // A namespace of this test's own, gone at its end.
  ~ClusterTransport() override {
    if (owned_) {
      (void)connect(administrator()).transport->send(request("DELETE", "/api/v1/namespaces/" + name_space_), {});
    }
  }
  const std::string& own_namespace() {
    owned_ = true;
    const auto made = connect(administrator())
                          .transport->send(request("POST", "/api/v1/namespaces", {{"metadata", {{"name", name_space_}}}}), {});
    EXPECT_TRUE(made && made->status == 201);
    return name_space_;
  }
  SystemClock clock_;

 private:
  std::string name_space_ = "transport-" + random_hex(8);
  bool owned_ = false;
};

TEST_F(ClusterTransport, KnowsUsByOurClientCertificate) {
  const auto connection = connect(administrator());
  const auto version = connection.transport->send(request("GET", "/version"), {});
  ASSERT_TRUE(version) << version.error().describe();
  EXPECT_EQ(version->status, 200);
  EXPECT_TRUE(json::parse(version->body).contains("gitVersion"));
  const auto secrets = connection.transport->send(request("GET", "/api/v1/secrets?limit=1"), {});
  ASSERT_TRUE(secrets);
  EXPECT_EQ(secrets->status, 200);
}

TEST_F(ClusterTransport, IsNobodyWithoutCredentials) {
  auto access = administrator();
  access.client_certificate_pem = access.client_key_pem = access.client_certificate_file = access.client_key_file = {};
  const auto connection = connect(access);
  const auto answer = connection.transport->send(request("GET", "/api/v1/secrets"), {});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->status == 401 || answer->status == 403);
  EXPECT_EQ(json::parse(answer->body)["kind"], "Status");
}

TEST_F(ClusterTransport, KnowsUsByATokenOfAServiceAccount) {
  auto access = administrator();
  const auto connection = connect(access);
  const std::string& name_space = own_namespace();
  (void)connection.transport->send(
      request("POST", "/api/v1/namespaces/" + name_space + "/serviceaccounts", {{"metadata", {{"name", "transport"}}}}), {});
  const auto token = test::run_process({std::string(ATHANOR_SOURCE_DIR) + "/tests/cluster/throwaway-cluster", "token",
                                        cluster_folder(), name_space, "transport"});
  ASSERT_EQ(token.exit_code, 0) << token.err;
  const test::TempFolder folder;
  access.client_certificate_pem = access.client_key_pem = access.client_certificate_file = access.client_key_file = {};
  access.token_file = folder.write("token", token.out);
  const auto mine = connect(access);
  const auto answer = mine.transport->send(request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                                                   {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}}),
                                           {});
  ASSERT_TRUE(answer) << answer.error().describe();
  ASSERT_EQ(answer->status, 201) << answer->body;
  EXPECT_EQ(json::parse(answer->body)["status"]["userInfo"]["username"], "system:serviceaccount:" + name_space + ":transport");
}

TEST_F(ClusterTransport, WatchesWhatThereIsAndWhatComes) {
  const auto connection = connect(administrator());
  auto& transport = *connection.transport;
  const std::string configmaps = "/api/v1/namespaces/" + own_namespace() + "/configmaps";
  const int count = std::getenv("ATHANOR_WATCH_OBJECTS") != nullptr ? std::atoi(std::getenv("ATHANOR_WATCH_OBJECTS")) : 200;
  const std::string large(2048, 'x');
  std::atomic<int> next{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < count; i = next++) {
        const auto made =
            transport.send(request("POST", configmaps,
                                   {{"metadata", {{"name", "watched-" + std::to_string(i)}, {"labels", {{"test", "watched"}}}}},
                                    {"data", {{"large", large}}}}),
                           {});
        EXPECT_TRUE(made && made->status == 201);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  const long before = rss_kib();
  long most = before;
  int added = 0;
  bool modified = false;
  std::size_t bytes = 0;
  const auto begun = std::chrono::steady_clock::now();
  milliseconds synced{0};
  std::chrono::steady_clock::time_point patched;
  milliseconds heard{0};
  auto watch = request("GET", configmaps +
                                  "?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                                  "&labelSelector=test%3Dwatched&timeoutSeconds=60");
  std::thread patcher;
  const auto end = transport.stream(
      watch,
      [&](std::string_view line) {
        bytes += line.size();
        const auto event = json::parse(line);
        added += event["type"] == "ADDED" ? 1 : 0;
        most = added % 100 == 0 ? std::max(most, rss_kib()) : most;
        if (event["type"] == "BOOKMARK" && event["object"]["metadata"]["annotations"].contains("k8s.io/initial-events-end")) {
          synced = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
          patcher = std::thread([&] {
            auto patch = request("PATCH", configmaps + "/watched-0", {{"data", {{"new", std::to_string(bytes)}}}});
            patch.content_type = "application/merge-patch+json";
            patched = std::chrono::steady_clock::now();
            const auto answer = transport.send(patch, {});
            EXPECT_TRUE(answer && answer->status == 200);
          });
        }
        modified = event["type"] == "MODIFIED";
        if (modified) {
          heard = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - patched);
        }
        return !modified;
      },
      {});
  if (patcher.joinable()) {
    patcher.join();
  }
  ASSERT_TRUE(end) << end.error().describe();
  EXPECT_EQ(end->status, 200);
  EXPECT_EQ(added, count);
  EXPECT_TRUE(modified);
  EXPECT_LT(most - before, 20 << 10);
  std::printf("%d objects, %zu bytes in %ld ms; RSS %ld -> %ld KiB; a change heard after %ld ms\n", added, bytes,
              static_cast<long>(synced.count()), before, most, static_cast<long>(heard.count()));
}

}  // namespace
}  // namespace athanor::controller
