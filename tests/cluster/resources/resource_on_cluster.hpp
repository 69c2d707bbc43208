// A fixture with one DatabaseMigration in its own namespace on the test run's API server.
//
// Threads: one thread. Ownership: deletes the namespace at the end of the test.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "operator/api/database_migration.hpp"
#include "tests/cluster/on_cluster.hpp"

namespace athanor::controller {

class ResourceOnCluster : public OnCluster {
 protected:
  ResourceOnCluster() : OnCluster("resources-", {{"pod-security.kubernetes.io/enforce", "restricted"}}) {}
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(OnCluster::SetUp());
    install_resources();
    ASSERT_NO_FATAL_FAILURE(make_resource());
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

  DatabaseMigration resource_;
  KubeObject object_;  // as the server returned it last
};

}  // namespace athanor::controller
