// A client of the run's API server, and a namespace of the test's own with one DatabaseMigration in it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "migrations/base/ids.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/kube/rest_transport.hpp"
#include "tests/support/process.hpp"

namespace athanor::controller {

inline const std::string kCluster = ATHANOR_BINARY_DIR "/cluster";

class ResourceOnCluster : public testing::Test {
 protected:
  void SetUp() override {
    const Result<ClusterAccess> access = read_kubeconfig({kCluster + "/kubeconfig"}, "");
    ASSERT_TRUE(access) << access.error().describe();
    credentials_ = make_credentials(*access, clock_, [](const std::string&) { return std::nullopt; });
    auto transport = make_rest_transport(*access, *credentials_, clock_);
    ASSERT_TRUE(transport) << transport.error().describe();
    transport_ = std::move(*transport);
    client_ = make_rest_client(*transport_, clock_, {}, {});
    const KubeObject labels = {{"pod-security.kubernetes.io/enforce", "restricted"}};
    ASSERT_TRUE(client_->create(kube::kNamespaces, "", {{"metadata", {{"name", name_space_}, {"labels", labels}}}}));
    install_resources();
    ASSERT_NO_FATAL_FAILURE(make_resource());
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

  void make_resource() {
    KubeObject object = KubeObject::parse(R"({
      "apiVersion": "athanor.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": "orders"},
      "spec": {"database": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
               "source": {"configMaps": [{"name": "orders"}]}, "execution": {"mode": "Job"}}})");
    object["metadata"]["namespace"] = name_space_;
    const auto made = client_->create(kube::kDatabaseMigrations, name_space_, object);
    ASSERT_TRUE(made) << made.error().describe();
    object_ = *made;
    resource_.metadata.name = "orders";
    resource_.metadata.name_space = name_space_;
    resource_.metadata.uid = (*made)["metadata"]["uid"].get<std::string>();
    resource_.spec.database.url_from = SecretReference{SecretReference::Kind::SecretKey, "db", "url"};
    resource_.spec.database.client_certificate_from = SecretReference{SecretReference::Kind::SecretKey, "db", "tls.crt"};
    resource_.spec.database.client_key_from = SecretReference{SecretReference::Kind::SecretKey, "db", "tls.key"};
    resource_.spec.source.config_maps = {"orders"};
    resource_.spec.execution.mode = ExecutionMode::Job;
  }

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
  const std::string name_space_ = "resources-" + random_hex(8);
  DatabaseMigration resource_;
  KubeObject object_;  // as the server has it
};

}  // namespace athanor::controller
