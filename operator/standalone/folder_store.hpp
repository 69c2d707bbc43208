// The store of standalone mode: resources come from snapshots of the manifest folder, and statuses are kept in memory and in
// the state folder.
//
// A resource's generation increases when its spec changes, as on an API server; the state folder preserves it across restarts.
// A resource whose manifest is broken is marked invalid: its database is not touched, and it is not reconciled until the
// manifest is readable again.
//
// When two resources use the same version table, Claims decides which one owns it (reconcile/claims.hpp). Manifests have no
// creation time, so the first key in order owns it.
//
// Threads: safe from any thread; `identify` is called under the store's lock, `wake` without it. Ownership: owns the resources;
// borrows the state folder and the clock.
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
  std::vector<ResourceKey> changed;  // must be reconciled
  std::vector<ResourceKey> removed;
  std::vector<ManifestProblem> problems;  // the new ones
  std::size_t problem_count = 0;          // new and old
  std::vector<Error> state_errors;        // statuses that could not be written
};

class FolderStore final : public MigrationStore {
 public:
  // `identify` returns the server ("host:port") and the version table that a resource refers to, without connecting.
  struct Identity {
    std::string server;
    std::string claim;
  };
  using Identify = std::function<Identity(const DatabaseMigration&)>;
  // Called for each resource that won or lost a version table in claim().
  using Wake = std::function<void(const ResourceKey&)>;
  FolderStore(
      const StateFolder& state, Clock& clock, Identify identify, Wake wake = [](const ResourceKey&) {});

  // Replaces the resources with those of a snapshot and returns the differences.
  [[nodiscard]] FolderChange accept(ManifestSnapshot snapshot);

  [[nodiscard]] std::optional<DatabaseMigration> find(const ResourceKey& key) const override;
  [[nodiscard]] std::optional<ObjectVersion> version(const ResourceKey& key) const override;
  void for_each(const Visit& visit) const override;
  [[nodiscard]] std::string claimed_by(const ResourceKey& key) const override;
  [[nodiscard]] std::string lost_to(const ResourceKey& key) const override;
  [[nodiscard]] Result<void> write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) override;

  // Records which version table `resource` was observed to use. Returns the key text of the resource that owns the table; empty
  // when it is this one.
  [[nodiscard]] std::string claim(const DatabaseMigration& resource, const DatabaseLocation& location);

  [[nodiscard]] std::vector<DatabaseMigration> all() const;  // including invalid ones, ordered by key
  // Returns the server that `identify` returned for this resource; empty when it is unknown.
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
  std::map<std::string, std::vector<std::string>> problem_files_;  // messages, by file name
  bool first_ = true;
};

}  // namespace athanor::controller
