#include "operator/cluster/approval_index.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "operator/kube/object_fields.hpp"

namespace athanor::controller {

void ApprovalIndex::erase(const ResourceKey& migration, const std::string& name) {
  const auto found = by_migration_.find(migration);
  if (found == by_migration_.end()) {
    return;
  }
  found->second.erase(name);
  if (found->second.empty()) {
    by_migration_.erase(found);
  }
}

// An approval is immutable, but it may have been deleted and created again, for another resource, between two watches.
void ApprovalIndex::applied(const ResourceKey& key, const KubeObject& object) {
  const auto* const spec = part_of(object, "spec");
  const auto* const metadata = part_of(object, "metadata");
  if (spec == nullptr || metadata == nullptr) {
    return;
  }
  const ResourceKey migration{key.name_space, text_of(*spec, "migration")};
  std::optional<ResourceKey> before;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = migration_of_.try_emplace(key, migration);
    if (!is_new && place->second != migration) {
      before = std::exchange(place->second, migration);
      erase(*before, key.name);
    }
    const std::string created = text_of(*metadata, "creationTimestamp");
    const auto time = parse_iso8601(created);
    by_migration_[migration][key.name] = {key.name, text_of(*spec, "planHash"), text_of(*spec, "approvedBy"),
                                          time ? format_iso8601(*time) : created};
  }
  if (before) {
    changed_(*before);
  }
  changed_(migration);
}

void ApprovalIndex::deleted(const ResourceKey& key) {
  ResourceKey migration;
  {
    const std::lock_guard lock(mutex_);
    const auto found = migration_of_.find(key);
    if (found == migration_of_.end()) {
      return;
    }
    migration = found->second;
    migration_of_.erase(found);
    erase(migration, key.name);
  }
  changed_(migration);
}

std::vector<Approval> ApprovalIndex::approvals(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  std::vector<Approval> approvals;
  if (const auto found = by_migration_.find(key); found != by_migration_.end()) {
    for (const auto& [name, approval] : found->second) {
      approvals.push_back(approval);
    }
  }
  std::ranges::stable_sort(approvals, {}, &Approval::approved_at);
  return approvals;
}

}  // namespace athanor::controller
