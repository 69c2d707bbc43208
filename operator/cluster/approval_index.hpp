// Indexes the MigrationApprovals of the watched namespaces by the resource they approve, and reports whether their names can be
// trusted.
//
// Threads: applied() and deleted() are called from the informer's thread, the other methods from any. Ownership: borrows the
// admission policy.
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
  // `changed`: called without the lock when an approval of a resource was created, changed or deleted. `admission`: checks
  // whether the names in approvals can be trusted; null: they are trusted.
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
