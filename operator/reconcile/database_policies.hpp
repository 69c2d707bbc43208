// What the resources of one database ask for before it is changed: approvals, backups, maintenance windows.
//
// A policy that only one resource declares would bind nobody: a second resource on the same database, with another version
// table, is no conflict, and could declare less. So what counts for a run is the strictest of all resources that were seen on
// the database, whatever their namespaces: the most approvals, the most backups, and the windows of each. A resource counts as
// long as it exists, suspended or being deleted too; whoever may delete or edit it may lift its policy, and nobody else.
//
// Resources with the same rule share an entry, so a look-up costs as many steps as there are different rules on the database.
// Of different sets of windows a database may have kMostWindowSets; beyond that nothing begins.
//
// Threads: none of its own and no lock; the store that owns it holds its mutex. Ownership: owns everything.
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

// What one resource asks for.
struct DatabaseRule {
  ApprovalPolicy approval = ApprovalPolicy::Never;
  int approvals = 1;
  BackupWhen backup = BackupWhen::Never;
  bool required = false;  // of the backup
  std::vector<MaintenanceWindow> windows;
  auto operator<=>(const DatabaseRule&) const = default;
};
[[nodiscard]] DatabaseRule rule_of(const DatabaseMigration& resource);

// What all others ask for, and who of them.
struct DatabasePolicy {
  DatabaseRule strictest;  // its windows are empty
  std::string approval_of;
  std::string approvals_of;
  std::string backup_of;
  std::vector<OtherWindows> windows;
  bool too_many_windows = false;
};
// Raises what the resource declares to that, and notes it in `resource.policy`.
void raise(DatabaseMigration& resource, const DatabasePolicy& policy);
// Whether nothing is left to raise.
[[nodiscard]] bool meets(const DatabaseMigration& resource, const DatabasePolicy& policy);

class DatabasePolicies {
 public:
  // Where a resource was seen last, and what it asks for. True when other rules count for a database than before.
  bool put(const ResourceKey& key, const ShortDigest& database, DatabaseRule rule);
  bool remove(const ResourceKey& key);
  [[nodiscard]] DatabasePolicy of_others(const ResourceKey& key, const ShortDigest& database) const;

 private:
  using Rules = std::map<DatabaseRule, std::set<ResourceKey>>;
  std::map<ShortDigest, Rules> by_database_;
  std::map<ResourceKey, std::pair<ShortDigest, DatabaseRule>> known_;  // of resources that ask for something
};

// Of the database, whatever the version table and the name it is reached by; empty when the server was not asked.
[[nodiscard]] std::string database_id(const DatabaseLocation& location);
// As it is kept: zeros for an empty id.
[[nodiscard]] ShortDigest digest_of_database(const std::string& id);

}  // namespace athanor::controller
