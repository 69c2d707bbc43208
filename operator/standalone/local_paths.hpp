// Which paths a manifest may name.
//
// A path in a manifest is relative to the folder of the manifest (or absolute) and must, with every link resolved, lie in one
// of the allowed roots: the manifests' folder itself, and what the operator was started with (--source-root, --secret-root). A
// manifest that reaches for anything else is PathEscape, whether or not the file exists, so that a manifest cannot be used to
// probe the machine.
//
// LocalSources loads revision folders under that rule, LocalCredentials reads environment variables and secret files.
//
// Threads: safe from any thread. Ownership: borrows the clock; the environment is passed in by the composition root.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

class AllowedRoots {
 public:
  // Roots are resolved now; one that does not exist is an Io error.
  [[nodiscard]] static Result<AllowedRoots> create(const std::vector<std::string>& roots);
  // The path as it would be opened, links not resolved: what to watch.
  [[nodiscard]] static std::string absolute(const std::string& folder, const std::string& path);
  // The canonical path; PathEscape when it is in no root. `field` and `option` are named in the error.
  [[nodiscard]] Result<std::string> resolve(const std::string& folder, const std::string& path, const std::string& field,
                                            const std::string& option) const;
  // The canonical path of what lies below `part`, one name, of the first root; PathEscape for what is absolute or leads out of
  // it.
  [[nodiscard]] Result<std::string> resolve_below(const std::string& part, const std::string& path,
                                                  const std::string& field) const;
  [[nodiscard]] const std::vector<std::string>& roots() const { return roots_; }

 private:
  std::vector<std::string> roots_;
};

class LocalSources final : public SourceProvider {
 public:
  LocalSources(AllowedRoots roots, Clock& clock, SourceLimits limits = {})
      : roots_(std::move(roots)), snapshots_(clock, limits) {}
  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

 private:
  AllowedRoots roots_;
  FolderSnapshots snapshots_;
};

class LocalCredentials final : public CredentialSource {
 public:
  using Environment = std::function<std::optional<std::string>(const std::string& name)>;
  LocalCredentials(AllowedRoots roots, Environment environment)
      : roots_(std::move(roots)), environment_(std::move(environment)) {}
  // A trailing newline of a file does not belong to the secret.
  [[nodiscard]] Result<std::string> read(const DatabaseMigration& resource, const SecretReference& reference) override;
  [[nodiscard]] Result<std::string> file(const DatabaseMigration& resource, const SecretReference& reference) override;

 private:
  AllowedRoots roots_;
  Environment environment_;
};

}  // namespace athanor::controller
