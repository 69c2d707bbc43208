// The store: the store of standalone mode. Resources come from pictures of the manifest folder, statuses live in memory and
// in the state folder.
//
// accept() compares a picture with what is known and says which resources are new or changed and which are gone. A generation
// grows when a spec changes, as an API server would count it; the count survives restarts in the state folder. A resource
// whose manifest is broken keeps its database untouched: it is marked invalid and reconciled no further until it can be read.
//
// Of two resources with one version table the first by key has it. What is declared alike is known before anybody connects;
// what the server calls the same (Observation::identity) once both were looked at.
//
// Threads: safe from any thread. Ownership: owns resources; borrows state folder and clock.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "operator/reconcile/resource_store.hpp"
#include "operator/standalone/manifest_folder.hpp"
#include "operator/standalone/state_folder.hpp"

namespace athanor::controller {

struct CatalogueChange {
  std::vector<ResourceKey> changed;  // to be reconciled
  std::vector<ResourceKey> removed;
  std::vector<ManifestProblem> problems;  // those that are new
  std::size_t problem_count = 0;          // all that stand
  std::vector<Error> state_errors;        // what could not be written
};

class FolderStore final : public ResourceStore {
 public:
  // `identify` says which server and version table a resource means ("host:port", claim), without connecting.
  struct Identity {
    std::string server;
    std::string claim;
  };
  using Identify = std::function<Identity(const DatabaseMigration&)>;
  FolderStore(const StateFolder& state, Clock& clock, Identify identify);

  [[nodiscard]] CatalogueChange accept(ManifestSnapshot picture);

  [[nodiscard]] std::optional<DatabaseMigration> find(const ResourceKey& key) const override;
  [[nodiscard]] std::optional<ObjectVersion> mark(const ResourceKey& key) const override;
  void each(const std::function<void(const ResourceKey&, const StatusDigest&)>& look) const override;
  [[nodiscard]] std::string claimed_by(const ResourceKey& key) const override;
  [[nodiscard]] std::string lost_to(const ResourceKey& key) const override;
  [[nodiscard]] Result<void> write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) override;

  // Which database a resource has, in the server's words; answers with the resource that has it, when that is another one.
  [[nodiscard]] std::string claim(const ResourceKey& key, const std::string& identity);

  [[nodiscard]] std::vector<DatabaseMigration> all() const;  // invalid ones included, by key
  [[nodiscard]] std::string server(const ResourceKey& key) const;

 private:
  struct Entry {
    DatabaseMigration resource;
    std::string hash;
    Identity identity;
    std::string seen;  // what the server called its version table; empty: it was not looked at yet
    bool invalid = false;
  };
  bool accept_resource(DatabaseMigration resource);
  [[nodiscard]] Result<void> mark_invalid(const ResourceKey& key, const Error& error);
  [[nodiscard]] Result<void> store(const Entry& entry) const;
  void rebuild_claims(CatalogueChange& change);
  void see(const ResourceKey& key, Entry& entry, const std::string& identity);
  [[nodiscard]] const ResourceKey* first_seen_at(const std::string& identity) const;
  [[nodiscard]] bool may_own(const ResourceKey& key) const;

  const StateFolder& state_;
  Clock& clock_;
  Identify identify_;
  mutable std::mutex mutex_;
  std::map<ResourceKey, Entry> entries_;
  std::map<std::string, ResourceKey> claims_;  // the first resource by key
  std::map<std::string, std::set<ResourceKey>> seen_;
  std::map<std::string, std::vector<std::string>> problem_files_;
  bool first_ = true;
};

}  // namespace athanor::controller
