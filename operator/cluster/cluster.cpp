#include "operator/cluster/cluster.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "operator/cluster/job_manifest.hpp"
#include "operator/cluster/object_fields.hpp"

namespace athanor::controller {
namespace {

// The DatabaseMigration that owns a Job; empty when none does.
std::string migration_of(const KubeObject& object) {
  const auto* const metadata = part_of(object, "metadata");
  const auto owners = metadata == nullptr ? KubeObject() : metadata->value("ownerReferences", KubeObject::array());
  for (const auto& owner : owners) {
    if (owner.is_object() && text_of(owner, "kind") == kDatabaseMigrationKind) {
      return text_of(owner, "name");
    }
  }
  return {};
}

}  // namespace

// Wakes the resources that name an object which changed, or that own it.
class Cluster::Waker final : public InformerHandler {
 public:
  Waker(const ClusterStore& store, WorkQueue& queue, std::string kind) : store_(store), queue_(queue), kind_(std::move(kind)) {}

  void applied(const ResourceKey& key, const KubeObject& object) override {
    if (std::string owner = migration_of(object); !owner.empty()) {
      queue_.add({key.name_space, owner});
      owners_.insert_or_assign(key, std::move(owner));
    }
    wake(key);
  }
  void deleted(const ResourceKey& key) override {
    if (const auto owned = owners_.find(key); owned != owners_.end()) {
      queue_.add({key.name_space, owned->second});
      owners_.erase(owned);
    }
    wake(key);
  }

 private:
  void wake(const ResourceKey& key) {
    for (const auto& resource : store_.naming(kind_ + " " + key.text())) {
      queue_.add(resource);
    }
  }
  const ClusterStore& store_;
  WorkQueue& queue_;
  std::string kind_;
  std::map<ResourceKey, std::string> owners_;  // of the objects that are there: of one that is gone only its name is told
};

Cluster::Cluster(ClusterParts parts, const ClusterOptions& options, const Log& log) : parts_(parts), seed_(options.seed) {
  const auto namespaces = options.namespaces.empty() ? std::vector<std::string>{""} : options.namespaces;
  const auto wake_by = [&](const ResourceType& type, const std::string& name_space, bool metadata_only,
                           const std::string& selector = {}) {
    wakers_.push_back(std::make_unique<Waker>(parts_.store, parts_.queue, type.kind));
    add(type, name_space, selector, metadata_only, *wakers_.back(), log);
  };
  for (const auto& name_space : namespaces) {
    add(kube::kDatabaseMigrations, name_space, options.label_selector, false, parts_.store, log);
    add(kube::kMigrationApprovals, name_space, {}, false, parts_.approvals, log);
    if (options.config_maps) {
      wake_by(kube::kConfigMaps, name_space, true);
    }
    if (options.jobs) {
      wake_by(kube::kJobs, name_space, false, kMigrationLabel);
    }
    for (const auto& type : options.flux) {
      wake_by(type, name_space, false);
    }
  }
}

Cluster::~Cluster() {
  join();
}

void Cluster::add(const ResourceType& type, const std::string& name_space, const std::string& selector, bool metadata_only,
                  InformerHandler& handler, const Log& log) {
  InformerOptions options;
  options.type = type;
  options.name_space = name_space;
  options.label_selector = selector;
  options.metadata_only = metadata_only;
  options.seed = seed_ + informers_.size();
  informers_.push_back(std::make_unique<Informer>(parts_.client, parts_.clock, handler, std::move(options),
                                                  log.with({{"informer", type.plural}, {"namespace", name_space}})));
}

void Cluster::start(const StopToken& stop) {
  for (const auto& informer : informers_) {
    threads_.emplace_back([&informer = *informer, stop] { informer.run(stop); });
  }
}

void Cluster::join() {
  for (auto& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

bool Cluster::synced() const {
  return std::ranges::all_of(informers_, [](const auto& informer) { return informer->synced(); });
}

}  // namespace athanor::controller
