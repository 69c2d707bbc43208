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
  entry.resource = PackedResource(object, dictionaries_);
  entry.told = clock_.steady_now();
  std::optional<Error> unreadable;
  const DatabaseMigration resource = entry.resource.unpack(&unreadable);
  entry.suspended = resource.spec.suspend;
  entry.digest = digest_of(resource.status);
  if (unreadable) {
    entry.unreadable = std::make_unique<const Error>(std::move(*unreadable));
  }
  if (const auto* const metadata = part_of(object, "metadata")) {
    entry.created = parse_iso8601(text_of(*metadata, "creationTimestamp")).value_or(WallTime{});
  }
  const bool readable = entry.unreadable == nullptr;
  const bool wake = keep(key, std::move(entry), resource);
  if (!readable && wake) {
    log_.error("a resource cannot be read", {{"resource", key.text()}});
  }
  if (wake) {
    listener_.changed(key);
  }
}

// True when it declares something new.
bool ClusterStore::keep(const ResourceKey& key, Entry entry, const DatabaseMigration& resource) {
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = entries_.try_emplace(key);
  Known& known = *place;
  bool wake = true;
  if (!is_new) {
    const Metadata before = known.second.resource.metadata();
    wake = !same_declaration(before, resource.metadata);
    if (!wake) {
      entry.told = known.second.told;
    }
    unrefer(known);
    // The claim outlives a change that has nothing to do with it; the next reconcile corrects it.
    if (before.uid == resource.metadata.uid) {
      entry.claim = known.second.claim;
    } else {
      move_claim(known, {});
    }
  }
  known.second = std::move(entry);
  refer(known, referents_of(resource));
  return wake;
}

void ClusterStore::deleted(const ResourceKey& key) {
  std::optional<ResourceKey> heir;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known == entries_.end()) {
      return;
    }
    const ShortDigest claim = known->second.claim;
    unrefer(*known);
    move_claim(*known, {});
    entries_.erase(known);
    if (const Known* const next = owner_of(claim)) {
      heir = next->first;
    }
  }
  listener_.removed(key);
  if (heir) {
    listener_.changed(*heir);
  }
}

void ClusterStore::synced() {
  listener_.synced();
}

void ClusterStore::refer(Known& known, const std::vector<std::string>& referents) {
  known.second.referents.reserve(referents.size());
  for (const auto& referent : referents) {
    const auto place = by_referent_.try_emplace(referent).first;
    if (place->second.insert(&known).second) {
      known.second.referents.push_back(place);
    }
  }
}

void ClusterStore::unrefer(Known& known) {
  for (const auto place : std::exchange(known.second.referents, {})) {
    place->second.erase(&known);
    if (place->second.empty()) {
      by_referent_.erase(place);
    }
  }
}

void ClusterStore::move_claim(Known& known, const ShortDigest& claim) {
  if (known.second.claim != ShortDigest{}) {
    claimants_.erase({known.second.claim, &known});
  }
  known.second.claim = claim;
  if (claim != ShortDigest{}) {
    claimants_.emplace(claim, &known);
  }
}

const ClusterStore::Known* ClusterStore::owner_of(const ShortDigest& claim) const {
  const Known* owner = nullptr;
  for (auto each = claimants_.lower_bound({claim, nullptr}); each != claimants_.end() && each->first == claim; ++each) {
    const Known* const known = each->second;
    if (!known->second.suspended &&
        (owner == nullptr || std::tie(known->second.created, known->first) < std::tie(owner->second.created, owner->first))) {
      owner = known;
    }
  }
  return owner;
}

std::string ClusterStore::claim(const DatabaseMigration& resource, const std::string& described) {
  const ResourceKey key = resource.key();
  const ShortDigest claim = sha256_short(claim_of(described, resource));
  std::vector<ResourceKey> woken;
  std::string other;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known == entries_.end()) {
      return {};
    }
    if (known->second.claim != claim) {
      const Known* const before = owner_of(claim);
      const ShortDigest old = known->second.claim;
      move_claim(*known, claim);
      // An older resource turned up: the other one must learn that it lost. What this one leaves is for the next.
      for (const Known* const each : {owner_of(old), owner_of(claim) == before ? nullptr : before}) {
        if (each != nullptr && each != &*known) {
          woken.push_back(each->first);
        }
      }
    }
    const Known* const owner = owner_of(claim);
    other = owner == nullptr || owner == &*known ? std::string() : owner->first.text();
  }
  for (const auto& each : woken) {
    listener_.changed(each);
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
  if (found == entries_.end()) {
    return {};
  }
  const Known* const owner = owner_of(found->second.claim);
  return owner == nullptr || owner == &*found ? std::string() : owner->first.text();
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
  std::vector<ResourceKey> keys;
  if (found != by_referent_.end()) {
    for (const Known* const known : found->second) {
      keys.push_back(known->first);
    }
  }
  return keys;
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
