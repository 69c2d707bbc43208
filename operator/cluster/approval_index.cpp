#include "operator/cluster/approval_index.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "migrations/base/timestamp.hpp"
#include "migrations/text/printable.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

Approval approval_in(const std::string& name, const KubeObject& spec, const std::string& created) {
  const auto time = parse_iso8601(created);
  // Objects stored before the field was renamed have `planHash`. They remain valid.
  const std::string hash = text_of(spec, spec.contains("approvalHash") ? "approvalHash" : "planHash");
  Approval approval{name, hash, text_of(spec, "approvedBy"), time ? format_iso8601(*time) : created};
  // Treat an unknown decision as a rejection: it may come from a newer version.
  const std::string decision = text_of(spec, "decision");
  approval.rejects = !decision.empty() && decision != "Approve";
  if (spec.contains("expiresAt") && !spec["expiresAt"].is_null()) {
    // An unreadable time counts as expired long ago.
    approval.expires = parse_rfc3339(text_of(spec, "expiresAt")).value_or(WallTime{});
  }
  approval.reason = printable(text_of(spec, "reason"), LineEnds::Escape);
  return approval;
}

}  // namespace

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

// An approval is immutable. But between two watch events it may have been deleted and recreated for another resource.
void ApprovalIndex::applied(const ResourceKey& key, const KubeObject& object) {
  const auto* const spec = part_of(object, "spec");
  const auto* const metadata = part_of(object, "metadata");
  if (spec == nullptr || metadata == nullptr) {
    return;
  }
  const ResourceKey migration{key.name_space, text_of(*spec, "migration")};
  // Before the approval becomes visible below: an older answer about the policy must not vouch for it.
  if (admission_ != nullptr) {
    admission_->approval_came();
  }
  std::optional<ResourceKey> before;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = migration_of_.try_emplace(key, migration);
    if (!is_new && place->second != migration) {
      before = std::exchange(place->second, migration);
      erase(*before, key.name);
    }
    by_migration_[migration].insert_or_assign(key.name, approval_in(key.name, *spec, text_of(*metadata, "creationTimestamp")));
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

Result<WallTime> ApprovalIndex::trusted_since() const {
  return admission_ == nullptr ? WallTime{} : admission_->in_force_since();
}

}  // namespace athanor::controller
