// The resources of one kind as they are now, and the way to write a status: a folder of manifests, or an informer's cache over
// an API server.
//
// Threads: safe from any thread. Ownership: find() returns copies.
#pragma once

#include <optional>
#include <string>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Which object has a key, and in which version; both empty off a cluster.
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
  // Empty when there is no such resource, or it cannot be reconciled.
  [[nodiscard]] virtual std::optional<Resource> find(const ResourceKey& key) const = 0;
  // Empty whenever find() is; costs far less.
  [[nodiscard]] virtual std::optional<ObjectVersion> version(const ResourceKey& key) const = 0;
  // Stores the status. Does nothing, and succeeds, when the resource was deleted meanwhile. May block on an API server.
  [[nodiscard]] virtual Result<void> write_status(const ResourceKey& key, const Status& status) = 0;
};

}  // namespace athanor::controller
