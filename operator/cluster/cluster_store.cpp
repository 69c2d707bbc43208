#include "operator/cluster/cluster_store.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"
#include "operator/cluster/object_fields.hpp"
#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kFieldManager = "athanor-operator";
constexpr int kConflicts = 5;  // with changes of the spec, in a row

std::vector<std::string> referents_of(const DatabaseMigration& resource) {
  std::vector<std::string> referents;
  const std::string prefix = " " + resource.metadata.name_space + "/";
  for (const auto& name : resource.spec.source.config_maps) {
    referents.push_back(kube::kConfigMaps.kind + prefix + name);
  }
  if (const auto& flux = resource.spec.source.flux) {
    referents.push_back(flux->kind + prefix + flux->name);
  }
  return referents;
}

bool same_declaration(const Metadata& left, const Metadata& right) {
  return left.uid == right.uid && left.generation == right.generation && left.annotations == right.annotations &&
         left.labels == right.labels;
}

Outcome unreadable_outcome(const Error& error) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::Stalled;
  outcome.reason = Reason::InvalidManifest;
  outcome.message = error.describe();
  outcome.error = error;
  return outcome;
}

}  // namespace

ClusterStore::ClusterStore(KubeClient& client, Clock& clock, Listener listener, std::string folder, Log log)
    : client_(client), clock_(clock), listener_(std::move(listener)), folder_(std::move(folder)), log_(std::move(log)) {}

void ClusterStore::applied(const ResourceKey& key, const KubeObject& object) {
  Entry entry;
  entry.resource = PackedResource(object);
  entry.told = clock_.steady_now();
  std::optional<Error> unreadable;
  const DatabaseMigration resource = entry.resource.unpack(&unreadable);
  entry.referents = referents_of(resource);
  entry.suspended = resource.spec.suspend;
  entry.digest = digest_of(resource.status);
  if (unreadable) {
    entry.unreadable = std::make_unique<const Error>(std::move(*unreadable));
  }
  if (const auto* const metadata = part_of(object, "metadata")) {
    entry.created = text_of(*metadata, "creationTimestamp");
  }
  bool wake = true;
  bool readable = true;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known != entries_.end()) {
      const Metadata before = known->second.resource.metadata();
      wake = !same_declaration(before, resource.metadata);
      // The claim outlives a change that has nothing to do with it; the next reconcile corrects it.
      if (before.uid == resource.metadata.uid) {
        entry.claim = known->second.claim;
      }
      if (!wake) {
        entry.told = known->second.told;
      }
      unindex(key, known->second);
    }
    index(key, entry);
    readable = entry.unreadable == nullptr;
    entries_.insert_or_assign(key, std::move(entry));
  }
  if (!readable && wake) {
    log_.error("a resource cannot be read", {{"resource", key.text()}});
  }
  if (wake) {
    listener_.changed(key);
  }
}

void ClusterStore::deleted(const ResourceKey& key) {
  std::optional<ResourceKey> heir;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known == entries_.end()) {
      return;
    }
    const std::string claim = known->second.claim;
    unindex(key, known->second);
    entries_.erase(known);
    heir = claim.empty() ? std::nullopt : owner_of(claim);
  }
  listener_.removed(key);
  if (heir) {
    listener_.changed(*heir);
  }
}

void ClusterStore::synced() {
  listener_.synced();
}

void ClusterStore::index(const ResourceKey& key, const Entry& entry) {
  for (const auto& referent : entry.referents) {
    by_referent_[referent].insert(key);
  }
  if (!entry.claim.empty()) {
    claimants_[entry.claim].insert(key);
  }
}

void ClusterStore::unindex(const ResourceKey& key, const Entry& entry) {
  const auto drop = [&key](auto& map, const std::string& name) {
    const auto found = map.find(name);
    if (found != map.end()) {
      found->second.erase(key);
      if (found->second.empty()) {
        map.erase(found);
      }
    }
  };
  for (const auto& referent : entry.referents) {
    drop(by_referent_, referent);
  }
  if (!entry.claim.empty()) {
    drop(claimants_, entry.claim);
  }
}

// The oldest that is not suspended.
std::optional<ResourceKey> ClusterStore::owner_of(const std::string& claim) const {
  const auto found = claimants_.find(claim);
  if (found == claimants_.end()) {
    return std::nullopt;
  }
  std::optional<ResourceKey> owner;
  std::string created;
  for (const auto& key : found->second) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end() || entry->second.suspended) {
      continue;
    }
    if (!owner || std::tie(entry->second.created, key) < std::tie(created, *owner)) {
      owner = key;
      created = entry->second.created;
    }
  }
  return owner;
}

std::string ClusterStore::claim(const DatabaseMigration& resource, const std::string& described) {
  const ResourceKey key = resource.key();
  const std::string claim = claim_of(described, resource);
  std::optional<ResourceKey> freed;
  std::optional<ResourceKey> displaced;
  std::string other;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known == entries_.end()) {
      return {};
    }
    if (known->second.claim != claim) {
      const auto before = owner_of(claim);
      const std::string old = known->second.claim;
      unindex(key, known->second);
      known->second.claim = claim;
      index(key, known->second);
      freed = old.empty() ? std::nullopt : owner_of(old);
      if (before && owner_of(claim) != before) {
        displaced = before;  // an older resource turned up: the other one must learn that it lost
      }
    }
    const auto owner = owner_of(claim);
    other = !owner || *owner == key ? std::string() : owner->text();
  }
  for (const auto& woken : {freed, displaced}) {
    if (woken && *woken != key) {
      listener_.changed(*woken);
    }
  }
  return other;
}

std::optional<DatabaseMigration> ClusterStore::find(const ResourceKey& key) const {
  PackedResource packed;
  SteadyTime told;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      return std::nullopt;
    }
    packed = found->second.resource;
    told = found->second.told;
  }
  DatabaseMigration resource = packed.unpack();
  resource.folder = folder_;
  resource.known_since = told;
  return resource;
}

std::optional<ResourceMark> ClusterStore::mark(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.resource.mark());
}

void ClusterStore::each(const std::function<void(const ResourceKey&, const StatusDigest&)>& look) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    look(key, entry.digest);
  }
}

std::optional<Outcome> ClusterStore::refusal(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.unreadable) {
    return std::nullopt;
  }
  return unreadable_outcome(*found->second.unreadable);
}

std::string ClusterStore::claimed_by(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.claim.empty()) {
    return {};
  }
  const auto owner = owner_of(found->second.claim);
  return !owner || *owner == key ? std::string() : owner->text();
}

Result<void> ClusterStore::write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) {
  const auto before = mark(key);
  if (!before) {
    return {};
  }
  TRY_ASSIGN(const std::string written, apply_status(key, before->uid, before->resource_version, status));
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (!written.empty() && found != entries_.end() && found->second.resource.mark().uid == before->uid) {
    found->second.resource.set_status(status, written);
    found->second.digest = digest_of(status);
  }
  return {};
}

// The API server holds an applied status to no uid. A resource that was deleted and made again under the same name is told by
// its version, which no object shares.
Result<std::string> ClusterStore::apply_status(const ResourceKey& key, const std::string& uid, std::string version,
                                               const DatabaseMigrationStatus& status) {
  KubeObject body = {{"apiVersion", kApiVersion},
                     {"kind", kDatabaseMigrationKind},
                     {"metadata", {{"name", key.name}, {"namespace", key.name_space}}},
                     {"status", KubeObject(status_to_json(status))}};
  PatchOptions options;
  options.kind = PatchKind::Apply;
  options.subresource = "status";
  options.field_manager = kFieldManager;
  options.force = true;
  for (int attempt = 1;; ++attempt) {
    body["metadata"]["resourceVersion"] = version;
    const auto written = client_.patch(kube::kDatabaseMigrations, key.name_space, key.name, body, options);
    if (written) {
      return metadata_of(*written).resource_version;
    }
    if (written.error().code == ErrorCode::ApiNotFound) {
      return std::string();  // the informer tells, and nobody waits for this status
    }
    if (written.error().code != ErrorCode::ApiConflict || attempt == kConflicts) {
      return fail(written.error());
    }
    const auto now = client_.get(kube::kDatabaseMigrations, key.name_space, key.name);
    if (!now && now.error().code != ErrorCode::ApiNotFound) {
      return fail(now.error());
    }
    if (!now || metadata_of(*now).uid != uid) {
      return std::string();
    }
    version = metadata_of(*now).resource_version;
  }
}

std::vector<ResourceKey> ClusterStore::naming(const std::string& referent) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_referent_.find(referent);
  return found == by_referent_.end() ? std::vector<ResourceKey>()
                                     : std::vector<ResourceKey>(found->second.begin(), found->second.end());
}

std::optional<EventTarget> ClusterStore::event_target(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return std::nullopt;
  }
  const ResourceMark& mark = found->second.resource.mark();
  return EventTarget{kube::kDatabaseMigrations, key, mark.uid, mark.resource_version};
}

std::size_t ClusterStore::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace athanor::controller
