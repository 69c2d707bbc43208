// Reads credentials from environment variables and from files inside the allowed roots.
//
// Threads: safe from any thread. Ownership: the environment is passed in by the composition root.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "operator/reconcile/database_access.hpp"
#include "operator/sources/allowed_roots.hpp"

namespace athanor::controller {

class LocalCredentials final : public CredentialSource {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;
  LocalCredentials(AllowedRoots roots, Environment environment)
      : roots_(std::move(roots)), environment_(std::move(environment)) {}
  // Returns the secret; trailing line ends of a file are not part of it. Errors: MissingDatabaseUrl, PathEscape, FileTooLarge
  // above 64 KiB.
  [[nodiscard]] Result<std::string> read(const DatabaseMigration& resource, const SecretReference& reference) override;
  [[nodiscard]] Result<bool> names_scratch_server(const DatabaseMigration&, const SecretReference&) override {
    return true;  // whoever starts the operator also writes the resources
  }
  // Returns the checked path of a certificate file, which libpq reads itself.
  [[nodiscard]] Result<std::string> file(const DatabaseMigration& resource, const SecretReference& reference) override;

 private:
  AllowedRoots roots_;
  Environment environment_;
};

}  // namespace athanor::controller
