// The current resources of one kind, and the way to write their statuses: a folder of manifests, or an informer's cache of an
// API server.
//
// Threads: safe from any thread. Ownership: find() returns copies.
#pragma once

#include <optional>
#include <string>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Identifies an object and its version; both are empty in standalone mode.
struct ObjectVersion {
  std::string uid;
  std::string resource_version;
};

// Resource: a copyable value with `metadata`, `status` and key().
template <typename Resource>
class ResourceStore {
 public:
  using Status = decltype(Resource::status);

  virtual ~ResourceStore() = default;
  // Returns a copy of the resource; nullopt when there is none, or it cannot be reconciled.
  [[nodiscard]] virtual std::optional<Resource> find(const ResourceKey& key) const = 0;
  // Returns nullopt whenever find() does; much cheaper than find().
  [[nodiscard]] virtual std::optional<ObjectVersion> version(const ResourceKey& key) const = 0;
  // Stores the status. Does nothing, and succeeds, when the resource was deleted meanwhile. May block on an API server.
  [[nodiscard]] virtual Result<void> write_status(const ResourceKey& key, const Status& status) = 0;
};

}  // namespace athanor::controller
