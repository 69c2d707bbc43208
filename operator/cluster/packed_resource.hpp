// A resource as the store keeps it: packed, because ten thousand are kept and a few at a time are looked at.
//
// Spec and status are kept as deflated CBOR, a small part of what the plain values take: resources of a fleet differ in
// little, and what they have in common is known beforehand (PackingDictionary). Unpacking takes some tens of microseconds,
// where the reconcile that asks for it takes milliseconds. What it is asked for most, which object it is, stands beside them.
// Of an object only what the operator uses is packed: managedFields and kubectl's copy of the whole are left behind.
//
// Threads: resources are plain values, dictionaries are safe from any thread. Ownership: resources borrow the dictionaries they
// were packed with.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

// What need not be written out: what most resources say, and what the first one said that is packed with it.
class PackingDictionary {
 public:
  [[nodiscard]] std::string pack(const KubeObject& object);
  [[nodiscard]] KubeObject unpack(const std::string& bytes) const;

 private:
  std::once_flag learned_;
  std::string known_;  // does not change once anything is packed
};

struct PackingDictionaries {
  PackingDictionary declarations;
  PackingDictionary statuses;
};

class PackedResource {
 public:
  PackedResource() = default;
  PackedResource(const KubeObject& object, PackingDictionaries& dictionaries);

  // A spec that cannot be read is left at its defaults, and `unreadable` says why.
  [[nodiscard]] DatabaseMigration unpack(std::optional<Error>* unreadable = nullptr) const;
  [[nodiscard]] Metadata metadata() const;
  [[nodiscard]] const ObjectVersion& mark() const { return mark_; }
  // With the version that the object has since this status was written to it.
  void set_status(const DatabaseMigrationStatus& status, std::string resource_version);
  [[nodiscard]] std::size_t bytes() const { return sizeof(*this) + declaration_.capacity() + status_.capacity(); }

 private:
  [[nodiscard]] KubeObject declaration() const;
  void pack_status(const KubeObject& status);

  PackingDictionaries* dictionaries_ = nullptr;
  std::string declaration_;  // metadata and spec
  std::string status_;       // empty: nobody has looked at it
  ObjectVersion mark_;
};

}  // namespace athanor::controller
