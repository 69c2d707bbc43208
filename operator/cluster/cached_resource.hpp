// The store's compact form of a resource: metadata and spec as values, the status as JSON.
//
// Ten thousand resources are stored, and only a few are reconciled at a time. A status with twenty runs takes 8 KiB as a value
// and 4 KiB as text, and only a reconcile reads it.
//
// Threads: plain values.
#pragma once

#include <optional>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

class CachedResource {
 public:
  CachedResource() = default;
  explicit CachedResource(const DatabaseMigration& resource);

  // Returns the original resource with the last status that was set. `folder` and `known_since` are not stored.
  [[nodiscard]] DatabaseMigration value() const;
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  [[nodiscard]] ObjectVersion mark() const { return {metadata_.uid, metadata_.resource_version}; }
  // Sets the status. `resource_version`: the object's version after this status was written to it.
  void set_status(const DatabaseMigrationStatus& status, std::string resource_version);

 private:
  Metadata metadata_;
  DatabaseMigrationSpec spec_;
  std::string status_;  // empty: no status yet
};

}  // namespace athanor::controller
