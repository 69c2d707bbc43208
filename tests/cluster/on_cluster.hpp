// A fixture with a client of the test run's API server and a namespace of its own, which TearDown deletes.
//
// Threads: one thread. Ownership: owns the client and the namespace.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/ids.hpp"
#include "operator/kube/rest_transport.hpp"
#include "tests/support/process.hpp"

namespace athanor::controller {

inline const std::string kCluster = ATHANOR_BINARY_DIR "/cluster";

class OnCluster : public testing::Test {
 protected:
  // The prefix of the namespace's name, and its labels.
  explicit OnCluster(const std::string& prefix, KubeObject labels = KubeObject::object())
      : name_space_(prefix + random_hex(8)), labels_(std::move(labels)) {}

  void SetUp() override {
    const Result<ClusterAccess> access = read_kubeconfig({kCluster + "/kubeconfig"}, "");
    ASSERT_TRUE(access) << access.error().describe();
    credentials_ = make_credentials(*access, clock_, [](const std::string&) { return std::nullopt; });
    auto transport = make_rest_transport(*access, *credentials_, clock_);
    ASSERT_TRUE(transport) << transport.error().describe();
    transport_ = std::move(*transport);
    client_ = make_rest_client(*transport_, clock_, {}, {});
    const auto made = client_->create(kube::kNamespaces, "", {{"metadata", {{"name", name_space_}, {"labels", labels_}}}});
    ASSERT_TRUE(made) << made.error().describe();
  }
  void TearDown() override {
    if (client_) {
      static_cast<void>(client_->remove(kube::kNamespaces, "", name_space_, {}));
    }
  }
  static void install_resources() {
    const std::string file = ATHANOR_SOURCE_DIR "/crds/athanor.dev_databasemigrations.yaml";
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"apply", "--server-side", "-f", file},
          std::vector<std::string>{"wait", "--for=condition=Established", "--timeout=60s", "-f", file}}) {
      std::vector<std::string> command{kCluster + "/bin/kubectl", "--kubeconfig", kCluster + "/kubeconfig"};
      command.insert(command.end(), arguments.begin(), arguments.end());
      const auto result = test::run_process(command);
      ASSERT_EQ(result.exit_code, 0) << result.err;
    }
  }
  // Waits until the condition is true; false after 30 seconds.
  template <class Condition>
  static bool eventually(const Condition& condition) {
    SystemClock clock;
    for (int tries = 0; tries < 1'200; ++tries) {
      if (condition()) {
        return true;
      }
      clock.wait(milliseconds(25), {});
    }
    return false;
  }

  SystemClock clock_;
  std::unique_ptr<CredentialProvider> credentials_;
  std::unique_ptr<HttpTransport> transport_;
  std::unique_ptr<KubeClient> client_;
  const std::string name_space_;

 private:
  const KubeObject labels_;
};

}  // namespace athanor::controller
