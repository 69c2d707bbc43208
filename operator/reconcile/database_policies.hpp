// The policies that the resources of one database demand before it is changed: approvals, backups, maintenance windows.
//
// A policy of a single resource could be bypassed: a second resource on the same database with another version table is no
// conflict and could declare a weaker policy. So a run must satisfy the strictest policies of all resources that were observed
// on the database, in any namespace: the most approvals, the most backups, and the windows of each. A resource counts as long
// as it exists, also while it is suspended or being deleted. Only someone who may delete or edit it can lift its policy.
//
// Resources with the same rule share an entry, so a lookup takes as many steps as the database has different rules. A database
// may have kMostWindowSets different sets of windows; beyond that no run starts.
//
// Threads: not synchronised; the owning store calls it under its mutex. Ownership: owns everything.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/sha256.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct DatabaseLocation;

inline constexpr std::size_t kMostWindowSets = 16;

// The policies that one resource demands.
struct DatabaseRule {
  ApprovalPolicy approval = ApprovalPolicy::Never;
  int approvals = 1;
  BackupWhen backup = BackupWhen::Never;
  bool required = false;  // whether the backup is required
  std::vector<MaintenanceWindow> windows;
  auto operator<=>(const DatabaseRule&) const = default;
};
[[nodiscard]] DatabaseRule rule_of(const DatabaseMigration& resource);

// What the other resources demand, and which of them does.
struct DatabasePolicy {
  DatabaseRule strictest;  // its windows are empty
  std::string approval_of;
  std::string approvals_of;
  std::string backup_of;
  std::vector<OtherWindows> windows;
  bool too_many_windows = false;
};
// Raises the resource's policies to `policy`, and notes changes in `resource.policy`.
void raise(DatabaseMigration& resource, const DatabasePolicy& policy);
// Whether the resource already meets `policy`.
[[nodiscard]] bool meets(const DatabaseMigration& resource, const DatabasePolicy& policy);

class DatabasePolicies {
 public:
  // Sets the database of a resource and its rule. Returns true when the rules of a database changed.
  bool put(const ResourceKey& key, const ShortDigest& database, DatabaseRule rule);
  bool remove(const ResourceKey& key);
  // Returns what all resources on this database except `key` demand.
  [[nodiscard]] DatabasePolicy of_others(const ResourceKey& key, const ShortDigest& database) const;

 private:
  using Rules = std::map<DatabaseRule, std::set<ResourceKey>>;
  std::map<ShortDigest, Rules> by_database_;
  std::map<ResourceKey, std::pair<ShortDigest, DatabaseRule>> known_;  // only resources that demand something
};

// Returns an id of the database, independent of the version table and of the host name; empty when the server was not asked
// yet.
[[nodiscard]] std::string database_id(const DatabaseLocation& location);
// Returns an id that is the same for every user while the server runs: from its start time and the name of the database.
[[nodiscard]] std::string running_database_id(const DatabaseLocation& location);
// Whether the server reported its system identifier. EXECUTE on pg_control_system() can be revoked; then database_id() is made
// of the name alone, and differs from that of a user with the privilege.
[[nodiscard]] bool knows_system(const DatabaseLocation& location);
// Returns the id's digest for storage; zeros for an empty id.
[[nodiscard]] ShortDigest digest_of_database(const std::string& id);

}  // namespace athanor::controller
