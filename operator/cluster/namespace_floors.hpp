// The minimum policies of each namespace: the operator's own, raised by labels of the Namespace (reconcile/policy_floor.hpp).
//
// Threads: applied() and deleted() are called from an informer's thread; of() from any. `changed` is called without the lock.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "operator/kube/informer.hpp"
#include "operator/reconcile/policy_floor.hpp"

namespace athanor::controller {

class NamespaceFloors final : public InformerHandler {
 public:
  // `changed`: called with the name of a namespace whose floor changed.
  NamespaceFloors(PolicyFloor everywhere, std::function<void(const std::string& name_space)> changed)
      : everywhere_(std::move(everywhere)), changed_(std::move(changed)) {}

  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;

  // Returns the floor of a namespace; for an unknown one, the operator's own.
  [[nodiscard]] PolicyFloor of(const std::string& name_space) const;

 private:
  PolicyFloor everywhere_;
  std::function<void(const std::string&)> changed_;
  mutable std::mutex mutex_;
  std::map<std::string, PolicyFloor> raised_;  // namespaces with labels that raise the floor
};

}  // namespace athanor::controller
