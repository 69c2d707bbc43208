// The MigrationApprovals of the watched namespaces, indexed by the resource they approve, and whether their names can be
// trusted.
//
// Threads: applied() and deleted() come from the informer's thread, approvals() from any. Ownership: borrows the admission
// policy.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "operator/cluster/admission_policy.hpp"
#include "operator/kube/informer.hpp"
#include "operator/reconcile/gate.hpp"

namespace athanor::controller {

class ApprovalIndex final : public ApprovalSource, public InformerHandler {
 public:
  // `changed` is called without the lock when an approval of a resource was created, changed or deleted.
  // `admission`: says whether the names in approvals are true; null: they are.
  explicit ApprovalIndex(std::function<void(const ResourceKey&)> changed, AdmissionPolicy* admission = nullptr)
      : changed_(std::move(changed)), admission_(admission) {}

  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;
  [[nodiscard]] std::vector<Approval> approvals(const ResourceKey& key) const override;
  [[nodiscard]] Result<WallTime> trusted_since() const override;

 private:
  void erase(const ResourceKey& migration, const std::string& name);

  std::function<void(const ResourceKey&)> changed_;
  AdmissionPolicy* admission_;
  mutable std::mutex mutex_;
  std::map<ResourceKey, std::map<std::string, Approval>> by_migration_;
  std::map<ResourceKey, ResourceKey> migration_of_;
};

}  // namespace athanor::controller
