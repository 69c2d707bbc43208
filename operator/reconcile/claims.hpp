// Decides which of several resources owns a version table.
//
// The owner is the oldest resource that may own the table (by creationTimestamp, then key). When it is deleted, suspended or
// moves to another database, the next oldest becomes the owner. A store without creation times leaves them at zero, and the
// first key wins.
//
// A table has two names. The declared name (host, port, database, schema, table) is known without connecting, but one table may
// be declared in several ways. The observed name (Observation::identity) comes from the server, so a server can imitate another
// one. Therefore it counts only among the resources of one namespace, and among resources of any namespace that declare the
// same server (docs/adr/0020): whoever declares the server's own name reaches the server itself.
//
// The observed name changes when the server restarts. So a resource that was refused in favour of another, and now observes a
// new identity for the same declared place, stays refused until the other one was observed again. Neither a restart of the
// server nor of the operator admits a resource that was refused before.
//
// Threads: not synchronised; the owning store calls it under its mutex. Ownership: owns everything; stores names of tables as
// digests.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/sha256.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct DatabaseLocation;

class Claims {
 public:
  struct Claimant {
    WallTime created{};    // zero if the store has no creation times
    bool may_own = true;   // false: suspended, or its declaration cannot be read
    std::string declared;  // from claim_of(); empty: only observed names count
  };
  // Methods that may change the owner of a table return the resources to reconcile again, without duplicates and without the
  // resource they were called for.
  using Affected = std::vector<ResourceKey>;
  struct Verdict {
    std::string owner;  // "namespace/name" of the owner; empty: the resource that was passed
    Affected affected;
  };

  // Adds or updates a resource; what was observed of it is kept. Call remove() first when the key now names another object.
  [[nodiscard]] Affected put(const ResourceKey& key, const Claimant& claimant);
  // Does nothing for an unknown key.
  [[nodiscard]] Affected remove(const ResourceKey& key);
  // Records the table that `resource` was observed to use, and returns its owner. The status of `resource` shows whether an
  // earlier operator process refused it. Without an identity, or for an unknown resource, there is no other owner.
  [[nodiscard]] Verdict claim(const DatabaseMigration& resource, const DatabaseLocation& location);

  // Returns "namespace/name" of an older resource that declares the same table; empty: none does.
  [[nodiscard]] std::string declared_owner(const ResourceKey& key) const;
  // As declared_owner(), for the observed table; empty before claim().
  [[nodiscard]] std::string observed_owner(const ResourceKey& key) const;

 private:
  struct Refusal {
    ResourceKey owner;
    ShortDigest declared{};  // the declared name at that time
  };
  struct Entry {
    WallTime created{};
    ShortDigest declared{};            // zeros: unknown
    ShortDigest observed{};            // zeros: not observed yet
    ShortDigest in_namespace{};        // the observed table, for resources of this namespace
    ShortDigest at_server{};           // the observed table, for resources that declare this server
    std::unique_ptr<Refusal> refused;  // null: not refused
    bool may_own = false;
    bool awaited = false;  // another resource stays refused until this one is observed
  };
  using Entries = std::map<ResourceKey, Entry>;
  using Known = Entries::value_type;  // a node of entries_, with a stable address
  using Tables = std::set<std::pair<ShortDigest, Known*>>;
  struct Index {
    Tables Claims::*tables;
    ShortDigest Entry::*name;
  };
  static const Index kDeclared;
  static const std::array<Index, 2> kObserved;

  void move(const Index& index, Known& known, const ShortDigest& to, std::set<ResourceKey>& affected);
  [[nodiscard]] static bool is_older(const Known& known, const Known& other);
  [[nodiscard]] const Known* owner_of(const Index& index, const ShortDigest& table) const;
  [[nodiscard]] const Known* observed_owner_of(const Known& known) const;
  void add_claimants(const Index& index, const ShortDigest& table, std::set<ResourceKey>& affected) const;
  void add_refused(Known& known, std::set<ResourceKey>& affected);
  [[nodiscard]] bool stays_refused(const Known& known, const ShortDigest& declared, bool moved,
                                   std::set<ResourceKey>& affected);

  Entries entries_;
  Tables declared_;
  Tables in_namespace_;
  Tables at_server_;
};

}  // namespace athanor::controller
