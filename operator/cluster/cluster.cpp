#include "operator/cluster/cluster.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "operator/api/manifest.hpp"
#include "operator/api/spec_codec.hpp"
#include "operator/jobs/job_manifest.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

// Returns the name of the DatabaseMigration that owns a Job; empty when none does.
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

// Queues the resources that refer to a changed object or own it.
class Cluster::Waker final : public InformerHandler {
 public:
  // `first` receives each event before any resource is queued; may be null.
  Waker(const ClusterStore& store, WorkQueue& queue, std::string kind, StatusWithdrawals* withdrawals, InformerHandler* first)
      : store_(store), queue_(queue), kind_(std::move(kind)), withdrawals_(withdrawals), first_(first) {}

  void applied(const ResourceKey& key, const KubeObject& object) override {
    if (first_ != nullptr) {
      first_->applied(key, object);
    }
    if (std::string owner = migration_of(object); !owner.empty()) {
      queue_.add({key.name_space, owner});
      owners_.insert_or_assign(key, std::move(owner));
    }
    wake(key, version_in(object));
  }
  void deleted(const ResourceKey& key) override {
    if (first_ != nullptr) {
      first_->deleted(key);
    }
    if (const auto owned = owners_.find(key); owned != owners_.end()) {
      queue_.add({key.name_space, owned->second});
      owners_.erase(owned);
    }
    wake(key, {});
  }

 private:
  void wake(const ResourceKey& key, const std::string& version) {
    const std::string referent = kind_ + " " + key.text();
    for (const auto& resource : store_.naming(referent)) {
      queue_.add(resource);
      if (withdrawals_ != nullptr && !version.empty()) {
        withdrawals_->noticed(resource, {referent, version});
      }
    }
  }
  // Returns this version of a source in the form of SourceStatus::revision; empty for an object that is not a source.
  [[nodiscard]] std::string version_in(const KubeObject& object) const {
    if (kind_ == kube::kConfigMaps.kind) {
      const Metadata metadata = metadata_of(object);
      return metadata.name + "@" + metadata.resource_version;
    }
    const auto* const status = part_of(object, "status");
    const auto* const artifact = status == nullptr ? nullptr : part_of(*status, "artifact");
    return artifact == nullptr ? std::string() : text_of(*artifact, "revision");
  }
  const ClusterStore& store_;
  WorkQueue& queue_;
  std::string kind_;
  StatusWithdrawals* withdrawals_;
  InformerHandler* first_;
  std::map<ResourceKey, std::string> owners_;  // by object, because deleted() has only the name
};

Cluster::Cluster(ClusterParts parts, const ClusterOptions& options, const Log& log)
    : parts_(parts), seed_(options.seed), retry_missing_kinds_(options.retry_missing_kinds) {
  const auto namespaces = options.namespaces.empty() ? std::vector<std::string>{""} : options.namespaces;
  if (options.namespace_labels) {
    informers_.push_back(inform({kube::kNamespaces, "", {}, true}, parts_.floors, log));
  }
  if (parts_.selected != nullptr) {
    namespaces_ = inform({kube::kNamespaces, "", parts_.selected->selector(), true}, *parts_.selected, log);
  }
  InformerHandler& resources = parts_.selected != nullptr ? parts_.selected->resources() : parts_.store;
  for (const auto& name_space : namespaces) {
    informers_.push_back(inform({kube::kDatabaseMigrations, name_space, options.label_selector}, resources, log));
    informers_.push_back(inform({kube::kMigrationApprovals, name_space, {}}, parts_.approvals, log));
    if (options.config_maps) {
      informers_.push_back(
          inform({kube::kConfigMaps, name_space, {}, true}, wake_by(kube::kConfigMaps, parts_.config_maps), log));
    }
    if (options.jobs) {
      informers_.push_back(inform({kube::kJobs, name_space, kMigrationLabel}, wake_by(kube::kJobs), log));
    }
    for (const auto& type : options.flux) {
      const Watched watched{type, name_space, {}};
      of_flux_.emplace_back(watched, inform(watched, wake_by(type), log));
    }
  }
}

Cluster::~Cluster() {
  join();
}

std::unique_ptr<Informer> Cluster::inform(const Watched& watched, InformerHandler& handler, const Log& log) {
  InformerOptions options;
  options.type = watched.type;
  options.name_space = watched.name_space;
  options.label_selector = watched.selector;
  options.metadata_only = watched.metadata_only;
  options.seed = seed_++;
  return std::make_unique<Informer>(parts_.client, parts_.clock, handler, std::move(options),
                                    log.with({{"informer", watched.type.plural}, {"namespace", watched.name_space}}));
}

InformerHandler& Cluster::wake_by(const ResourceType& type, InformerHandler* first) {
  return *wakers_.emplace_back(std::make_unique<Waker>(parts_.store, parts_.queue, type.kind, parts_.withdrawals, first));
}

void Cluster::start(const StopToken& stop) {
  if (namespaces_) {
    threads_.emplace_back([this, stop] { namespaces_->run(stop); });
  }
  for (const auto& informer : informers_) {
    // Knowing the namespaces first, the first list of resources is enough, and no namespace has to be listed.
    threads_.emplace_back([this, &informer = *informer, stop] {
      if (parts_.selected == nullptr || parts_.selected->wait_until_known(stop)) {
        informer.run(stop);
      }
    });
  }
  for (const auto& [watched, informer] : of_flux_) {
    threads_.emplace_back([this, &watched = watched, &informer = *informer, stop] {
      if (wait_for_kind(watched, stop)) {
        informer.run(stop);
      }
    });
  }
}

// Waits until the server accepts a list of this kind, by listing an object name that cannot match. Returns false when a stop
// was requested.
bool Cluster::wait_for_kind(const Watched& watched, const StopToken& stop) {
  ListOptions nothing;
  nothing.name_space = watched.name_space;
  nothing.field_selector = "metadata.name=none";
  nothing.metadata_only = true;
  while (!stop.requested() && !list_all(parts_.client, watched.type, nothing)) {
    if (!parts_.clock.wait(retry_missing_kinds_, stop)) {
      return false;
    }
  }
  return !stop.requested();
}

void Cluster::join() {
  for (auto& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

bool Cluster::synced() const {
  // Not of_flux_: the kinds of Flux may not be installed on this cluster, and then their informers never start.
  return (!namespaces_ || namespaces_->synced()) &&
         std::ranges::all_of(informers_, [](const auto& informer) { return informer->synced(); });
}

std::map<std::string, std::uint64_t> Cluster::failures() const {
  std::map<std::string, std::uint64_t> failures;
  const auto add = [&failures](const Informer& informer) {
    std::uint64_t& most = failures[informer.type().plural];
    most = std::max(most, informer.statistics().failures);
  };
  if (namespaces_) {
    add(*namespaces_);
  }
  for (const auto& informer : informers_) {
    add(*informer);
  }
  for (const auto& [watched, informer] : of_flux_) {
    add(*informer);
  }
  return failures;
}

bool Cluster::wait_until_synced(const StopToken& stop) const {
  while (!synced() && parts_.clock.wait(milliseconds(20), stop)) {
  }
  return !stop.requested();
}

}  // namespace athanor::controller
