#include "operator/reconcile/database_policies.hpp"

#include <algorithm>

#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/policy_floor.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kDigits = 32;

std::string required_by(const std::string& resource) {
  return ", required by " + resource + " on the same database";
}

bool has_windows(const DatabaseMigration& resource, const OtherWindows& others) {
  return resource.spec.execution.windows == others.windows ||
         std::ranges::any_of(resource.other_windows,
                             [&](const OtherWindows& known) { return known.windows == others.windows; });
}

bool covers_backup(const BackupSpec& backup, const DatabaseRule& rule) {
  return backup.when >= rule.backup && (backup.required || !rule.required);
}

}  // namespace

DatabaseRule rule_of(const DatabaseMigration& resource) {
  const BackupSpec& backup = resource.spec.backup;
  return {resource.spec.policy.approval, resource.spec.policy.approvals, backup.when,
          backup.when != BackupWhen::Never && backup.required, resource.spec.execution.windows};
}

void raise(DatabaseMigration& resource, const DatabasePolicy& policy) {
  PolicyStatus raised = resource.policy.value_or(PolicyStatus());
  const DatabaseRule& rule = policy.strictest;
  PolicySpec& declared = resource.spec.policy;
  if (declared.approval < rule.approval) {
    raised.raised.push_back("approval from " + std::string(policy_name(declared.approval)) + " to " +
                            std::string(policy_name(rule.approval)) + required_by(policy.approval_of));
    declared.approval = rule.approval;
  }
  if (declared.approvals < rule.approvals) {
    raised.raised.push_back("approvals from " + std::to_string(declared.approvals) + " to " + std::to_string(rule.approvals) +
                            required_by(policy.approvals_of));
    declared.approvals = rule.approvals;
  }
  BackupSpec& backup = resource.spec.backup;
  if (!covers_backup(backup, rule)) {
    const BackupWhen when = std::max(backup.when, rule.backup);
    raised.raised.push_back("backup from " + std::string(policy_name(backup.when)) + " to " + std::string(policy_name(when)) +
                            (rule.required ? ", required" : "") + required_by(policy.backup_of));
    backup.when = when;
    backup.required = backup.required || rule.required;
  }
  for (const auto& others : policy.windows) {
    if (!has_windows(resource, others)) {
      raised.raised.push_back("windows by those of " + others.of + " on the same database");
      resource.other_windows.push_back(others);
    }
  }
  resource.too_many_windows = policy.too_many_windows;
  if (!raised.raised.empty()) {
    resource.policy = std::move(raised);
  }
}

bool meets(const DatabaseMigration& resource, const DatabasePolicy& policy) {
  const DatabaseRule& rule = policy.strictest;
  return resource.spec.policy.approval >= rule.approval && resource.spec.policy.approvals >= rule.approvals &&
         covers_backup(resource.spec.backup, rule) && resource.too_many_windows == policy.too_many_windows &&
         std::ranges::all_of(policy.windows, [&](const OtherWindows& others) { return has_windows(resource, others); });
}

bool DatabasePolicies::put(const ResourceKey& key, const ShortDigest& database, DatabaseRule rule) {
  const auto known = known_.find(key);
  if (known != known_.end() && known->second == std::pair(database, rule)) {
    return false;
  }
  const bool lifted = remove(key);
  if (database == ShortDigest{} || rule == DatabaseRule()) {
    return lifted;
  }
  // Resources with equal rules share an entry: only its first and its last holder change what the others must meet.
  auto& holders = by_database_[database][rule];
  const bool is_new = holders.empty();
  holders.insert(key);
  known_.insert_or_assign(key, std::pair(database, std::move(rule)));
  return is_new || lifted;
}

bool DatabasePolicies::remove(const ResourceKey& key) {
  const auto known = known_.find(key);
  if (known == known_.end()) {
    return false;
  }
  const auto rules = by_database_.find(known->second.first);
  const auto holders = rules->second.find(known->second.second);
  holders->second.erase(key);
  const bool lifted = holders->second.empty();
  if (lifted) {
    rules->second.erase(holders);
  }
  if (rules->second.empty()) {
    by_database_.erase(rules);
  }
  known_.erase(known);
  return lifted;
}

DatabasePolicy DatabasePolicies::of_others(const ResourceKey& key, const ShortDigest& database) const {
  DatabasePolicy policy;
  const auto rules = by_database_.find(database);
  if (rules == by_database_.end()) {
    return policy;
  }
  const auto take = [](auto& strictest, const auto& other, std::string& of, const std::string& who) {
    if (strictest < other) {
      strictest = other;
      of = who;
    }
  };
  for (const auto& [rule, holders] : rules->second) {
    const auto other = std::ranges::find_if(holders, [&](const ResourceKey& holder) { return holder != key; });
    if (other == holders.end()) {
      continue;
    }
    const std::string who = other->text();
    take(policy.strictest.approval, rule.approval, policy.approval_of, who);
    // The number of approvals is irrelevant if the policy requires none.
    take(policy.strictest.approvals, rule.approval == ApprovalPolicy::Never ? 1 : rule.approvals, policy.approvals_of, who);
    take(policy.strictest.backup, rule.backup, policy.backup_of, who);
    take(policy.strictest.required, rule.required, policy.backup_of, who);
    const bool known = rule.windows.empty() || std::ranges::any_of(policy.windows, [&](const OtherWindows& others) {
                         return others.windows == rule.windows;
                       });
    if (!known && policy.windows.size() == kMostWindowSets) {
      // Do not drop a set: a run could begin outside its windows. judge_windows() keeps the gate closed instead.
      policy.too_many_windows = true;
    } else if (!known) {
      policy.windows.push_back({who, rule.windows});
    }
  }
  return policy;
}

// Uses the identity, "1795293032.152797/app/7710724856117241789#public.alembic_version", without the start time and the version
// table. Tenants choose the names of schemas and tables, so the database's name ends at the first `#`. A database with a `#` in
// its name therefore shares policies with databases whose name has the same beginning.
std::string database_id(const DatabaseLocation& location) {
  const std::string lasting = lasting_part(location.identity);
  const std::string database = lasting.substr(0, lasting.find('#'));
  return database.empty() ? std::string() : sha256_hex("database " + database).substr(0, kDigits);
}

std::string running_database_id(const DatabaseLocation& location) {
  std::string database = location.identity.substr(0, location.identity.find('#'));
  if (knows_system(location)) {
    database.erase(database.rfind('/'));
  }
  return database.empty() ? std::string() : sha256_hex("running database " + database).substr(0, kDigits);
}

bool knows_system(const DatabaseLocation& location) {
  const std::string database = location.identity.substr(0, location.identity.find('#'));
  const std::size_t last = database.rfind('/');
  return last != std::string::npos && last != database.find('/') && last + 1 < database.size() &&
         database.find_first_not_of("0123456789", last + 1) == std::string::npos;
}

ShortDigest digest_of_database(const std::string& id) {
  return id.empty() ? ShortDigest{} : sha256_short(id);
}

}  // namespace athanor::controller
