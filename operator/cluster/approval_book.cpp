#include "operator/cluster/approval_book.hpp"

#include <algorithm>

#include "operator/cluster/object_fields.hpp"

namespace athanor::controller {

void ApprovalBook::applied(const ResourceKey& key, const KubeObject& object) {
  const auto* const spec = part_of(object, "spec");
  const auto* const metadata = part_of(object, "metadata");
  if (spec == nullptr || metadata == nullptr) {
    return;
  }
  const ResourceKey migration{key.name_space, text_of(*spec, "migration")};
  {
    const std::lock_guard lock(mutex_);
    migration_of_[key] = migration;
    by_migration_[migration][key.name] = {key.name, text_of(*spec, "planHash"), text_of(*spec, "approvedBy"),
                                          text_of(*metadata, "creationTimestamp")};
  }
  changed_(migration);
}

void ApprovalBook::deleted(const ResourceKey& key) {
  ResourceKey migration;
  {
    const std::lock_guard lock(mutex_);
    const auto found = migration_of_.find(key);
    if (found == migration_of_.end()) {
      return;
    }
    migration = found->second;
    migration_of_.erase(found);
    const auto book = by_migration_.find(migration);
    book->second.erase(key.name);
    if (book->second.empty()) {
      by_migration_.erase(book);
    }
  }
  changed_(migration);
}

std::vector<Approval> ApprovalBook::approvals(const ResourceKey& key) const {
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
