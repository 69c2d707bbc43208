#include "operator/cluster/cluster_store.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"
#include "operator/kube/object_fields.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {
namespace {

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
  outcome.kind = Verdict::Kind::Stalled;
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
  auto read = read_object(object);
  const DatabaseMigration resource = read ? *std::move(read) : readable_part(object);
  entry.resource = CachedResource(resource);
  entry.reported = clock_.steady_now();
  entry.suspended = resource.spec.suspend;
  entry.digest = digest_of(resource.status);
  if (!read) {
    entry.unreadable = std::make_unique<const Error>(std::move(read).error());
  }
  if (const auto* const metadata = part_of(object, "metadata")) {
    entry.created = parse_iso8601(text_of(*metadata, "creationTimestamp")).value_or(WallTime{});
  }
  const bool readable = entry.unreadable == nullptr;
  Woken woken;
  if (keep(key, std::move(entry), resource, woken)) {
    if (!readable) {
      log_.error("a resource cannot be read", {{"resource", key.text()}});
    }
    woken.insert(woken.begin(), key);
  }
  wake(woken);
}

void ClusterStore::wake(const Woken& woken) {
  for (const auto& each : woken) {
    listener_.changed(each);
  }
}

// True when it declares something new.
bool ClusterStore::keep(const ResourceKey& key, Entry entry, const DatabaseMigration& resource, Woken& woken) {
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = entries_.try_emplace(key);
  Known& known = *place;
  if (is_new) {
    known.second = std::move(entry);
    refer(known, referents_of(resource));
    return true;
  }
  const Metadata before = known.second.resource.metadata();
  const bool wake = !same_declaration(before, resource.metadata);
  if (!wake) {
    entry.reported = known.second.reported;
  }
  unrefer(known);
  const ShortDigest claim = known.second.claim;
  const Known* const owner = owner_of(claim);
  entry.awaited = known.second.awaited;
  // The claim outlives a change that has nothing to do with it; the next reconcile corrects it.
  if (before.uid == resource.metadata.uid) {
    entry.claim = claim;
    entry.refused = std::move(known.second.refused);
  } else {
    move_claim(known, {});
  }
  known.second = std::move(entry);
  refer(known, referents_of(resource));
  if (const Known* const heir = owner_of(claim); heir != nullptr && heir != owner && heir != &known) {
    woken.push_back(heir->first);
  }
  if (known.second.suspended) {
    looked_at(known, woken);
  }
  return wake;
}

void ClusterStore::deleted(const ResourceKey& key) {
  Woken woken;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known == entries_.end()) {
      return;
    }
    const ShortDigest claim = known->second.claim;
    unrefer(*known);
    move_claim(*known, {});
    looked_at(*known, woken);
    entries_.erase(known);
    if (const Known* const heir = owner_of(claim)) {
      woken.push_back(heir->first);
    }
  }
  listener_.removed(key);
  wake(woken);
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

bool ClusterStore::is_older(const Known& known, const Known& other) {
  return std::tie(known.second.created, known.first) < std::tie(other.second.created, other.first);
}

const ClusterStore::Known* ClusterStore::owner_of(const ShortDigest& claim) const {
  const Known* owner = nullptr;
  for (auto each = claimants_.lower_bound({claim, nullptr}); each != claimants_.end() && each->first == claim; ++each) {
    const Known* const known = each->second;
    if (!known->second.suspended && (owner == nullptr || is_older(*known, *owner))) {
      owner = known;
    }
  }
  return owner;
}

std::string ClusterStore::claim(const DatabaseMigration& resource, const DatabaseLocation& place) {
  const ShortDigest claim = sha256_short(place.identity);
  const ShortDigest declared = sha256_short(claim_of(place.described, resource));
  Woken woken;
  std::string other;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(resource.key());
    if (found == entries_.end() || place.identity.empty()) {
      return {};
    }
    Known& known = *found;
    looked_at(known, woken);
    const ShortDigest old = known.second.claim;
    if (old == ShortDigest{} && !known.second.refused) {  // perhaps an operator before this one refused it
      recall_refusal(known, resource, declared);
    }
    if (old != claim) {
      const Known* const before = owner_of(claim);
      move_claim(known, claim);
      // An older resource turned up: the other one must learn that it lost. What this one leaves is for the next.
      for (const Known* const each : {owner_of(old), owner_of(claim) == before ? nullptr : before}) {
        if (each != nullptr && each != &known) {
          woken.push_back(each->first);
        }
      }
    }
    const Known* const owner = owner_of(claim);
    if (owner != nullptr && owner != &known) {
      known.second.refused = std::make_unique<Refusal>(Refusal{owner->first, declared});
    } else if (!stays_refused(known, declared, old != claim, woken)) {
      known.second.refused.reset();
    }
    other = known.second.refused ? known.second.refused->owner.text() : std::string();
  }
  wake(woken);
  return other;
}

std::string ClusterStore::lost_to(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  const Known* const owner = found == entries_.end() ? nullptr : owner_of(found->second.claim);
  return owner == nullptr || owner == &*found ? std::string() : owner->first.text();
}

void ClusterStore::recall_refusal(Known& known, const DatabaseMigration& resource, const ShortDigest& declared) {
  auto owner = ResourceKey::parse(claimant_in(resource.status));
  if (!owner.name.empty() && resource.status.observed_generation == resource.metadata.generation) {
    known.second.refused = std::make_unique<Refusal>(Refusal{std::move(owner), declared});
  }
}

// Nobody else is known to be where this one is now. If it was kept out at this place before, that may be because the server was
// started anew, or the operator: the other one is asked first.
bool ClusterStore::stays_refused(Known& known, const ShortDigest& declared, bool moved, Woken& woken) {
  const auto& refused = known.second.refused;
  if (!refused || refused->place != declared) {
    return false;
  }
  const auto owner = entries_.find(refused->owner);
  if (owner == entries_.end() || owner->second.suspended || !is_older(*owner, known)) {
    return false;
  }
  if (moved) {
    owner->second.awaited = true;
    woken.push_back(owner->first);
  }
  return owner->second.awaited;
}

// Or gone: whoever stays refused until then is looked at again.
void ClusterStore::looked_at(Known& known, Woken& woken) {
  if (!std::exchange(known.second.awaited, false)) {
    return;
  }
  for (const auto& [key, entry] : entries_) {
    if (entry.refused && entry.refused->owner == known.first) {
      woken.push_back(key);
    }
  }
}

std::optional<DatabaseMigration> ClusterStore::find(const ResourceKey& key) const {
  CachedResource cached;
  SteadyTime reported;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      return std::nullopt;
    }
    cached = found->second.resource;
    reported = found->second.reported;
  }
  DatabaseMigration resource = cached.value();
  resource.folder = folder_;
  resource.known_since = reported;
  return resource;
}

std::optional<ObjectVersion> ClusterStore::mark(const ResourceKey& key) const {
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

Result<void> ClusterStore::write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) {
  const auto before = mark(key);
  if (!before) {
    return {};
  }
  TRY_ASSIGN(const std::string written, replace_status(key, before->uid, before->resource_version, status));
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (!written.empty() && found != entries_.end() && found->second.resource.mark().uid == before->uid) {
    found->second.resource.set_status(status, written);
    found->second.digest = digest_of(status);
  }
  return {};
}

Result<std::string> ClusterStore::replace_status(const ResourceKey& key, const std::string& uid, std::string version,
                                                 const DatabaseMigrationStatus& status) {
  KubeObject body = {{"apiVersion", kApiVersion},
                     {"kind", kDatabaseMigrationKind},
                     {"metadata", {{"name", key.name}, {"namespace", key.name_space}, {"uid", uid}}},
                     {"status", KubeObject(status_to_json(status))}};
  for (int attempt = 1;; ++attempt) {
    body["metadata"]["resourceVersion"] = version;
    const auto written = client_.replace(kube::kDatabaseMigrations, key.name_space, key.name, body, "status");
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
  const ObjectVersion mark = found->second.resource.mark();
  return EventTarget{kube::kDatabaseMigrations, key, mark.uid, mark.resource_version};
}

std::size_t ClusterStore::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace athanor::controller
