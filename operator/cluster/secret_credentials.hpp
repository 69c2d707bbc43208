// Credentials on a cluster: keys of Secrets in the resource's own namespace, and files below a secret root.
//
// A Secret is read by name when a connection is needed and at no other time. It is never listed or watched, and stays in memory
// for seconds (recent_reads.hpp), so the next reconcile uses a rotated password. Environment variables are refused.
// Certificates, which libpq reads from files, are written to files of mode 0600 in a private folder of mode 0700. They are
// named after their hash, and deleted after an hour without use and at the end.
//
// Threads: safe from any thread. Ownership: borrows reads, clock and `local`. Errors: MissingDatabaseUrl when a Secret or key
// is missing, with their names; ApiForbidden says which RBAC rule is missing. No error contains a value.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "operator/kube/recent_reads.hpp"
#include "operator/reconcile/database_access.hpp"

namespace athanor::controller {

class SecretCredentials final : public CredentialSource {
 public:
  // `local` reads files below the secret roots. `folder` is created for certificates at first use. `labelled`: use only Secrets
  // with the label of secret_label.hpp. `tokens`: for spec.database.auth; null: refuse it.
  SecretCredentials(RecentReads& reads, Clock& clock, CredentialSource& local, std::string folder, bool labelled = false,
                    TokenSource* tokens = nullptr);
  ~SecretCredentials() override;
  SecretCredentials(const SecretCredentials&) = delete;
  SecretCredentials& operator=(const SecretCredentials&) = delete;

  [[nodiscard]] Result<std::string> read(const DatabaseMigration& resource, const SecretReference& reference) override;
  [[nodiscard]] Result<std::string> file(const DatabaseMigration& resource, const SecretReference& reference) override;
  [[nodiscard]] bool shares_process_environment() const override { return false; }
  [[nodiscard]] Result<bool> names_scratch_server(const DatabaseMigration& resource, const SecretReference& reference) override;
  [[nodiscard]] TokenSource* tokens() override { return tokens_; }

 private:
  [[nodiscard]] Result<std::shared_ptr<const KubeObject>> secret(const DatabaseMigration& resource,
                                                                 const SecretReference& reference);
  [[nodiscard]] Result<std::string> write_file(const std::string& content);
  RecentReads& reads_;
  Clock& clock_;
  CredentialSource& local_;
  std::string folder_;
  bool labelled_;
  TokenSource* tokens_;
  std::mutex mutex_;
  std::map<std::string, SteadyTime> used_;  // file name: last use
};

}  // namespace athanor::controller
