// A resource as the store keeps it: packed, because ten thousand are kept and a few at a time are looked at.
//
// Spec and status are kept as deflated CBOR, about a tenth of what the plain values take: resources of a fleet differ in
// little, and what they have in common is known beforehand. Unpacking takes some tens of microseconds, where the reconcile that
// asks for it takes milliseconds. What it is asked for most, which object it is, stands beside them. Of an object only what the
// operator uses is packed: managedFields and kubectl's copy of the whole are left behind.
//
// Threads: plain values.
#pragma once

#include <optional>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

class PackedResource {
 public:
  PackedResource() = default;
  explicit PackedResource(const KubeObject& object);

  // A spec that cannot be read is left at its defaults, and `unreadable` says why.
  [[nodiscard]] DatabaseMigration unpack(std::optional<Error>* unreadable = nullptr) const;
  [[nodiscard]] Metadata metadata() const;
  [[nodiscard]] const ResourceMark& mark() const { return mark_; }
  // With the version that the object has since this status was written to it.
  void set_status(const DatabaseMigrationStatus& status, std::string resource_version);
  [[nodiscard]] std::size_t bytes() const { return sizeof(*this) + declaration_.capacity() + status_.capacity(); }

 private:
  std::string declaration_;  // metadata and spec
  std::string status_;
  ResourceMark mark_;
};

}  // namespace athanor::controller
