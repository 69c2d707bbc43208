// Claims: which of several resources owns a version table.
//
// The oldest resource that may own a table has it (creationTimestamp, then key); when it goes away, is suspended or moves to
// another database, the next oldest gets it. A store without creation times leaves them at zero, and the first key wins.
//
// A table is known under two names. The declared name (host, port, database, schema, table) is known before anybody connects,
// but one table may be declared in several ways. The observed name (Observation::identity) is what the server says, and it
// changes when the server restarts. So a resource that was refused in favour of another one, and now observes a new identity
// where it declares the same place, stays refused until that other one was observed again: neither a restart of the server nor
// one of the operator lets a resource in that was kept out before.
//
// Threads: none of its own and no lock; the store that owns it holds its mutex. Ownership: owns everything; names of tables
// are kept as digests.
#pragma once

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
    WallTime created{};    // zero where the store does not know
    bool may_own = true;   // false: suspended, or its declaration cannot be read
    std::string declared;  // claim_of(); empty: only observed names count
  };
  // Every method that may move a table to another owner returns the resources to reconcile again, without repeats and without
  // the resource it was called for.
  using Affected = std::vector<ResourceKey>;
  struct Verdict {
    std::string owner;  // "namespace/name" of the resource that owns the table; empty: the one that asked
    Affected affected;
  };

  // Adds a resource, or updates one: what was observed of it stays. Call remove() first when the key names another object now.
  [[nodiscard]] Affected put(const ResourceKey& key, const Claimant& claimant);
  // Does nothing for an unknown key.
  [[nodiscard]] Affected remove(const ResourceKey& key);
  // Records the table that `resource` was observed to have, and says who owns it. The status of `resource` says whether an
  // operator before this one refused it. Without an identity, or for an unknown resource, nobody else does.
  [[nodiscard]] Verdict claim(const DatabaseMigration& resource, const DatabaseLocation& location);

  // "namespace/name" of an older resource that declares the same table; empty: none does.
  [[nodiscard]] std::string declared_owner(const ResourceKey& key) const;
  // The same of the table that was observed; empty before claim().
  [[nodiscard]] std::string observed_owner(const ResourceKey& key) const;

 private:
  struct Refusal {
    ResourceKey owner;
    ShortDigest declared{};  // where, as it was declared then
  };
  struct Entry {
    WallTime created{};
    ShortDigest declared{};            // zeros: unknown
    ShortDigest observed{};            // zeros: not observed yet
    std::unique_ptr<Refusal> refused;  // null: it was not refused
    bool may_own = false;
    bool awaited = false;  // another one stays refused until this one is observed
  };
  using Entries = std::map<ResourceKey, Entry>;
  using Known = Entries::value_type;  // of entries_, where its address stays the same
  using Tables = std::set<std::pair<ShortDigest, Known*>>;

  static void move(Tables& tables, Known& known, ShortDigest Entry::*name, const ShortDigest& to);
  [[nodiscard]] static bool is_older(const Known& known, const Known& other);
  [[nodiscard]] static const Known* owner_of(const Tables& tables, const ShortDigest& table);
  [[nodiscard]] std::string other_owner(const ResourceKey& key, const Tables& tables, ShortDigest Entry::*name) const;
  static void add_claimants(const Tables& tables, const ShortDigest& table, std::set<ResourceKey>& affected);
  void add_refused(Known& known, std::set<ResourceKey>& affected);
  [[nodiscard]] bool stays_refused(const Known& known, const ShortDigest& declared, bool moved,
                                   std::set<ResourceKey>& affected);

  Entries entries_;
  Tables declared_;
  Tables observed_;
};

}  // namespace athanor::controller
