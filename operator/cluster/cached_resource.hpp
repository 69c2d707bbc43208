// A resource as the store keeps it: metadata and spec as values, the status as JSON.
//
// Ten thousand are kept and a few at a time are worked on. A status that lists twenty runs takes 8 KiB as a value and 4 KiB as
// text, and only who reconciles the resource reads it.
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

  // The resource that it was made of, with the last status that was set. `folder` and `known_since` are not kept.
  [[nodiscard]] DatabaseMigration value() const;
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  [[nodiscard]] ObjectVersion mark() const { return {metadata_.uid, metadata_.resource_version}; }
  // `resource_version` is the one that the object has since this status was written to it.
  void set_status(const DatabaseMigrationStatus& status, std::string resource_version);

 private:
  Metadata metadata_;
  DatabaseMigrationSpec spec_;
  std::string status_;  // empty: nothing is known of it yet
};

}  // namespace athanor::controller
