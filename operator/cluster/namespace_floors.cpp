#include "operator/cluster/namespace_floors.hpp"

#include "operator/api/manifest.hpp"
#include "operator/api/spec_codec.hpp"

namespace athanor::controller {

void NamespaceFloors::applied(const ResourceKey& key, const KubeObject& object) {
  const PolicyFloor floor = floor_of_labels(metadata_of(object).labels);
  {
    const std::lock_guard lock(mutex_);
    const auto known = raised_.find(key.name);
    if ((known == raised_.end() ? PolicyFloor() : known->second) == floor) {
      return;
    }
    if (floor == PolicyFloor()) {
      raised_.erase(known);
    } else {
      raised_.insert_or_assign(key.name, floor);
    }
  }
  changed_(key.name);
}

void NamespaceFloors::deleted(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  raised_.erase(key.name);
}

PolicyFloor NamespaceFloors::of(const std::string& name_space) const {
  const std::lock_guard lock(mutex_);
  const auto found = raised_.find(name_space);
  return found == raised_.end() ? everywhere_ : stricter(everywhere_, found->second);
}

}  // namespace athanor::controller
