// The resources as they are now, and the one way to write a status.
//
// A store is a folder of manifests or, later, an informer cache over an API server. StatusWriter stands in front of it: a
// status equal to the stored one is not written.
//
// Threads: safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

// What series say of a resource: little enough to be kept for each of very many.
struct StatusDigest {
  bool observed = false;  // somebody looked at it
  bool ready = false;
  bool stalled = false;
  std::string current;  // revision, in one word
  std::string target;   // as declared
  std::int64_t pending = 0;
  std::int64_t backup_begun = 0;  // seconds since the epoch; 0: there is no backup
  std::int64_t backup_bytes = 0;
};
[[nodiscard]] StatusDigest digest_of(const DatabaseMigrationStatus& status);

// Which object stands under a key, and in which version; both empty off a cluster.
struct ObjectVersion {
  std::string uid;
  std::string resource_version;
};

class ResourceStore {
 public:
  virtual ~ResourceStore() = default;
  [[nodiscard]] virtual std::optional<DatabaseMigration> find(const ResourceKey& key) const = 0;
  // Far cheaper than find(). Empty when there is no such resource.
  [[nodiscard]] virtual std::optional<ObjectVersion> mark(const ResourceKey& key) const = 0;
  // Every resource that can be reconciled, in the order of their keys. `look` must not come back to the store.
  virtual void each(const std::function<void(const ResourceKey&, const StatusDigest&)>& look) const = 0;
  // Another resource that manages the same version table and was there first; empty: none is known before a look.
  [[nodiscard]] virtual std::string claimed_by(const ResourceKey& key) const = 0;
  // The same of a resource that was looked at, as it is known by now.
  [[nodiscard]] virtual std::string lost_to(const ResourceKey& key) const { return claimed_by(key); }
  // The outcome of a resource whose declaration cannot be read; empty when it can be reconciled.
  [[nodiscard]] virtual std::optional<Outcome> refusal(const ResourceKey& /*key*/) const { return std::nullopt; }
  // Stores the status of a resource that still exists; one that is gone is passed over.
  [[nodiscard]] virtual Result<void> write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) = 0;
};

class StatusWriter {
 public:
  explicit StatusWriter(ResourceStore& store) : store_(store) {}
  // True when something was written.
  [[nodiscard]] Result<bool> write(const ResourceKey& key, const DatabaseMigrationStatus& status);
  [[nodiscard]] std::size_t writes() const { return writes_; }

 private:
  ResourceStore& store_;
  std::atomic<std::size_t> writes_{0};
};

}  // namespace athanor::controller
