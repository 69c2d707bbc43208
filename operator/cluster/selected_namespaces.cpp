#include "operator/cluster/selected_namespaces.hpp"

#include <exception>
#include <utility>

#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

constexpr milliseconds kPause{1'000};  // between two attempts to list
constexpr milliseconds kStopCheck{100};

}  // namespace

SelectedNamespaces::SelectedNamespaces(KubeClient& client, Clock& clock, ClusterStore& store, std::string selector,
                                       std::string resource_selector, const Log& log)
    : client_(client),
      clock_(clock),
      store_(store),
      selector_(std::move(selector)),
      resource_selector_(std::move(resource_selector)),
      log_(log) {}

void SelectedNamespaces::synced() {
  const std::lock_guard lock(mutex_);
  known_ = true;
  changed_.notify_all();
}

bool SelectedNamespaces::wait_until_known(const StopToken& stop) {
  std::unique_lock lock(mutex_);
  while (!known_ && !stop.requested()) {
    changed_.wait_for(lock, kStopCheck);  // a stop request does not notify
  }
  if (stop.requested()) {
    return false;
  }
  begun_ = true;
  stop_ = stop;
  return true;
}

void SelectedNamespaces::applied(const ResourceKey& key, const KubeObject& /*object*/) {
  StopToken stop;
  {
    const std::lock_guard lock(mutex_);
    // Until then the informer of the resources has delivered nothing, so nothing was dropped.
    if (!selected_.insert(key.name).second || !begun_) {
      return;
    }
    listing_ = key.name;
    stop = stop_;
  }
  log_.info("namespace selected", {{"namespace", key.name}});
  list(key.name, stop);
  const std::lock_guard lock(mutex_);
  listing_.clear();
  newer_.clear();
}

void SelectedNamespaces::list(const std::string& name_space, const StopToken& stop) {
  ListOptions options;
  options.name_space = name_space;
  options.label_selector = resource_selector_;
  options.on_restart = [] {};  // objects that are delivered twice do no harm
  while (!stop.requested()) {
    const auto listed =
        client_.list(kube::kDatabaseMigrations, options, [this](const KubeObject& object) { deliver_listed(object); });
    if (listed) {
      return;
    }
    LogFields fields = error_fields(listed.error());
    fields.emplace_back("namespace", name_space);
    log_.warn("the resources of a namespace cannot be listed", fields);
    clock_.wait(kPause, stop);
  }
}

void SelectedNamespaces::deliver_listed(const KubeObject& object) {
  const Metadata metadata = metadata_of(object);
  const ResourceKey key{metadata.name_space, metadata.name};
  const std::lock_guard lock(mutex_);
  // An event may have been newer than the list. If it was older, the watch delivers the newer one, too.
  if (newer_.contains(key)) {
    return;
  }
  try {
    store_.applied(key, object);
  } catch (const std::exception& exception) {
    log_.error("object skipped, its handler failed", {{"resource", key.text()}, {"error", exception.what()}});
  }
}

void SelectedNamespaces::deleted(const ResourceKey& key) {
  {
    const std::lock_guard lock(mutex_);
    if (selected_.erase(key.name) == 0) {
      return;
    }
  }
  const auto left = store_.in_namespace(key.name);
  if (!left.empty()) {
    log_.info("namespace no longer selected", {{"namespace", key.name}, {"resources", left.size()}});
  }
  for (const auto& resource : left) {
    store_.leave(resource, "the labels of the namespace do not match the operator's namespace selector (" + selector_ + ")");
  }
}

void SelectedNamespaces::Resources::applied(const ResourceKey& key, const KubeObject& object) {
  const std::lock_guard lock(owner_.mutex_);
  if (!owner_.selected_.contains(key.name_space)) {
    return;
  }
  if (key.name_space == owner_.listing_) {
    owner_.newer_.insert(key);
  }
  owner_.store_.applied(key, object);
}

void SelectedNamespaces::Resources::deleted(const ResourceKey& key) {
  {
    const std::lock_guard lock(owner_.mutex_);
    if (!owner_.selected_.contains(key.name_space)) {
      return;
    }
    if (key.name_space == owner_.listing_) {
      owner_.newer_.insert(key);
    }
  }
  // Without the lock: it may write a last status.
  owner_.store_.deleted(key);
}

}  // namespace athanor::controller
