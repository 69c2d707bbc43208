// The floor of each namespace: the operator's own, raised by the labels of the Namespace (reconcile/policy_floor.hpp).
//
// Threads: applied() and deleted() come from an informer's thread; of() from any. `changed` is called without the lock.
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
  // `changed`: called with the name of a namespace whose floor differs from before.
  NamespaceFloors(PolicyFloor everywhere, std::function<void(const std::string& name_space)> changed)
      : everywhere_(std::move(everywhere)), changed_(std::move(changed)) {}

  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;

  [[nodiscard]] PolicyFloor of(const std::string& name_space) const;

 private:
  PolicyFloor everywhere_;
  std::function<void(const std::string&)> changed_;
  mutable std::mutex mutex_;
  std::map<std::string, PolicyFloor> raised_;  // namespaces whose labels say something
};

}  // namespace athanor::controller
