// The store of standalone mode: resources come from snapshots of the manifest folder, statuses are kept in memory and in the
// state folder.
//
// A generation grows when a spec changes, as an API server would count it; the state folder carries the count across restarts.
// A resource whose manifest is broken is marked invalid: its database stays untouched and it is not reconciled until the
// manifest can be read again.
//
// Which of two resources with one version table owns it, Claims decides (reconcile/claims.hpp). Manifests have no creation
// time, so the first key owns it.
//
// Threads: safe from any thread; `identify` runs under the store's lock, `wake` without it. Ownership: owns the resources;
// borrows state folder and clock.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "operator/reconcile/claims.hpp"
#include "operator/reconcile/migration_store.hpp"
#include "operator/standalone/manifest_folder.hpp"
#include "operator/standalone/state_folder.hpp"

namespace athanor::controller {

struct FolderChange {
  std::vector<ResourceKey> changed;  // to be reconciled
  std::vector<ResourceKey> removed;
  std::vector<ManifestProblem> problems;  // those that are new
  std::size_t problem_count = 0;          // all that stand
  std::vector<Error> state_errors;        // what could not be written
};

class FolderStore final : public MigrationStore {
 public:
  // `identify` says which server and version table a resource means ("host:port", claim), without connecting.
  struct Identity {
    std::string server;
    std::string claim;
  };
  using Identify = std::function<Identity(const DatabaseMigration&)>;
  // Called when claim() moved a version table from or to this resource.
  using Wake = std::function<void(const ResourceKey&)>;
  FolderStore(
      const StateFolder& state, Clock& clock, Identify identify, Wake wake = [](const ResourceKey&) {});

  // Compares a snapshot with the resources known so far, takes it over, and returns the difference.
  [[nodiscard]] FolderChange accept(ManifestSnapshot snapshot);

  [[nodiscard]] std::optional<DatabaseMigration> find(const ResourceKey& key) const override;
  [[nodiscard]] std::optional<ObjectVersion> version(const ResourceKey& key) const override;
  void for_each(const Visit& visit) const override;
  [[nodiscard]] std::string claimed_by(const ResourceKey& key) const override;
  [[nodiscard]] std::string lost_to(const ResourceKey& key) const override;
  [[nodiscard]] Result<void> write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) override;

  // Records which version table `resource` was observed to have; returns the key text of the resource that owns it, empty when
  // that is this one.
  [[nodiscard]] std::string claim(const DatabaseMigration& resource, const DatabaseLocation& location);

  [[nodiscard]] std::vector<DatabaseMigration> all() const;  // invalid ones included, by key
  [[nodiscard]] std::string server(const ResourceKey& key) const;

 private:
  struct Entry {
    DatabaseMigration resource;
    std::string hash;
    Identity identity;
    bool invalid = false;
  };
  bool accept_resource(DatabaseMigration resource);
  [[nodiscard]] Result<void> mark_invalid(const ResourceKey& key, const Error& error);
  [[nodiscard]] Result<void> store(const Entry& entry) const;
  void accept_problems(const std::map<std::string, std::vector<ManifestProblem>>& by_file, std::set<ResourceKey>& present,
                       FolderChange& change);
  [[nodiscard]] Claims::Affected put_claim(const ResourceKey& key, const Entry& entry);
  void add_affected(const Claims::Affected& affected, FolderChange& change) const;

  const StateFolder& state_;
  Clock& clock_;
  Identify identify_;
  Wake wake_;
  mutable std::mutex mutex_;
  std::map<ResourceKey, Entry> entries_;
  Claims claims_;
  std::map<std::string, std::vector<std::string>> problem_files_;  // texts of the problems, by file name
  bool first_ = true;
};

}  // namespace athanor::controller
