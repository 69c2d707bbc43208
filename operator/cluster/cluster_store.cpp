#include "operator/cluster/cluster_store.hpp"

#include <tuple>
#include <utility>

#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"
#include "operator/kube/object_fields.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {
namespace {

constexpr int kConflicts = 5;  // attempts against a client that keeps changing the object

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
         left.labels == right.labels && left.deleting == right.deleting;
}

void append(std::vector<ResourceKey>& keys, const std::vector<ResourceKey>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
}

KubeObject status_body(const ResourceKey& key, const std::string& uid, const std::string& version,
                       const DatabaseMigrationStatus& status) {
  return {{"apiVersion", kApiVersion},
          {"kind", kDatabaseMigrationKind},
          {"metadata", {{"name", key.name}, {"namespace", key.name_space}, {"uid", uid}, {"resourceVersion", version}}},
          {"status", KubeObject(status_to_json(status))}};
}

Outcome unreadable_outcome(const Error& error) {
  Outcome outcome;
  outcome.kind = Verdict::Kind::Stalled;
  outcome.reason = Reason::InvalidManifest;
  outcome.message = error.describe();
  outcome.error = error;
  return outcome;
}

Outcome beyond_quota(std::size_t quota) {
  Outcome outcome;
  outcome.kind = Verdict::Kind::Stalled;
  outcome.reason = Reason::QuotaExceeded;
  outcome.message = "the operator serves at most " + std::to_string(quota) +
                    " resources per namespace, the oldest first; delete older ones, or have the quota raised";
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
  entry.digest = digest_of(resource.status);
  if (!read) {
    entry.unreadable = std::make_unique<const Error>(std::move(read).error());
  }
  Claims::Claimant claimant;
  claimant.may_own = !resource.spec.suspend && !resource.metadata.deleting;
  if (const auto* const metadata = part_of(object, "metadata")) {
    claimant.created = parse_iso8601(text_of(*metadata, "creationTimestamp")).value_or(WallTime{});
  }
  entry.created = claimant.created;
  const bool readable = entry.unreadable == nullptr;
  DatabaseRule rule = effective_rule(resource, readable);
  Keys to_reconcile;
  {
    const std::lock_guard lock(mutex_);
    if (keep(key, std::move(entry), resource, to_reconcile)) {
      to_reconcile.insert(to_reconcile.begin(), key);
      if (!readable) {
        log_.error("resource is invalid", {{"resource", key.text()}});
      }
    }
    append(to_reconcile, claims_.put(key, claimant));
    set_rule(key, entries_.at(key).database, std::move(rule), to_reconcile);
  }
  // Without the lock: the listener calls into the queue and the controller, which call the store.
  wake(to_reconcile);
}

DatabaseRule ClusterStore::effective_rule(DatabaseMigration resource, bool readable) const {
  if (!readable) {
    // The resource may declare any policy, so require approval for its database until it can be read.
    DatabaseRule unknown;
    unknown.approval = ApprovalPolicy::Always;
    return unknown;
  }
  if (floor_) {
    raise(resource, floor_(resource.metadata.name_space));
  }
  return rule_of(resource);
}

void ClusterStore::set_rule(const ResourceKey& key, const ShortDigest& database, DatabaseRule rule, Keys& affected) {
  if (policies_.put(key, database, std::move(rule))) {
    add_neighbours(key, database, affected);
  }
}

// Scans all entries, which is acceptable because it is rare: only when a resource adds or removes a rule that no other on its
// database has.
void ClusterStore::add_neighbours(const ResourceKey& key, const ShortDigest& database, Keys& affected) const {
  if (database == ShortDigest{}) {
    return;
  }
  for (const auto& [other, entry] : entries_) {
    if (entry.database == database && other != key) {
      affected.push_back(other);
    }
  }
}

void ClusterStore::wake(const Keys& keys) {
  for (const auto& key : keys) {
    listener_.changed(key);
  }
}

// Returns whether the declaration changed; the event caused by our own status update does not count.
bool ClusterStore::keep(const ResourceKey& key, Entry entry, const DatabaseMigration& resource, Keys& to_reconcile) {
  const auto [place, is_new] = entries_.try_emplace(key);
  Known& known = *place;
  in_namespace_[key.name_space] += is_new ? std::size_t{1} : std::size_t{0};
  bool declares_more = true;
  entry.database = digest_of_database(resource.status.database_id);
  if (!is_new && known.second.resource.metadata().uid == resource.metadata.uid && known.second.database != ShortDigest{}) {
    entry.database = known.second.database;  // as last observed; the status may be older
  }
  if (!is_new) {
    const Metadata before = known.second.resource.metadata();
    declares_more = !same_declaration(before, resource.metadata);
    if (!declares_more) {
      entry.reported = known.second.reported;
    }
    if (before.uid != resource.metadata.uid) {
      // Deleted and recreated between two watch events. The new object has not been observed, so it owns no table yet.
      append(to_reconcile, claims_.remove(key));
    }
    unrefer(known);
  }
  known.second = std::move(entry);
  refer(known, referents_of(resource));
  return declares_more;
}

void ClusterStore::deleted(const ResourceKey& key) {
  const auto gone = forget(key);
  if (gone && !selector_.empty()) {
    report_unselected(key, *gone, "the labels of the resource do not match the operator's selector (" + selector_ + ")");
  }
}

void ClusterStore::leave(const ResourceKey& key, const std::string& why) {
  if (const auto left = forget(key)) {
    report_unselected(key, *left, why);
  }
}

std::optional<DatabaseMigration> ClusterStore::forget(const ResourceKey& key) {
  Keys affected;
  DatabaseMigration gone;
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(key);
    if (known == entries_.end()) {
      return std::nullopt;
    }
    gone = known->second.resource.value();
    unrefer(*known);
    const ShortDigest database = known->second.database;
    entries_.erase(known);
    if (--in_namespace_[key.name_space] == 0) {
      in_namespace_.erase(key.name_space);
    }
    unsure_.erase(key);
    affected = claims_.remove(key);
    if (policies_.remove(key)) {
      add_neighbours(key, database, affected);
    }
  }
  listener_.removed(key);
  wake(affected);
  return gone;
}

// A watch with a label selector also reports DELETED when an object only loses its labels. Read the object to tell the two
// apart.
void ClusterStore::report_unselected(const ResourceKey& key, const DatabaseMigration& resource, const std::string& why) {
  if (!may_act()) {
    return;
  }
  const auto now = client_.get(kube::kDatabaseMigrations, key.name_space, key.name);
  if (!now) {
    return;
  }
  DatabaseMigration found = readable_part(*now);
  // If the status changed, an operator with another selector serves the resource already.
  if (found.metadata.uid != resource.metadata.uid || found.metadata.deleting || found.status != resource.status) {
    return;
  }
  if (const auto written = write_status_of(found, summarise_unselected(found, why, clock_.wall_now())); !written) {
    log_.warn("failed to write the last status of a resource that no longer matches the selector",
              error_fields(written.error()));
  }
}

// A replica that was suspended may wake up with a status from before another replica took over.
Result<void> ClusterStore::check_fence() const {
  return may_act() ? Result<void>()
                   : fail(Error(ErrorCode::Interrupted, "this replica no longer holds the Lease, so it writes no status"));
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

void ClusterStore::move_to(Known& known, const ShortDigest& database, Keys& affected) {
  if (database == ShortDigest{} || known.second.database == database) {
    return;
  }
  const ShortDigest before = std::exchange(known.second.database, database);
  DatabaseRule rule = effective_rule(known.second.resource.value(), known.second.unreadable == nullptr);
  if (policies_.put(known.first, database, std::move(rule))) {
    add_neighbours(known.first, before, affected);
    add_neighbours(known.first, database, affected);
  }
}

ShortDigest ClusterStore::database_at(const ResourceKey& key, const DatabaseLocation& location, Keys& affected) {
  constexpr std::size_t kMostServers = 100'000;  // a restart makes another one
  const ShortDigest database = digest_of_database(database_id(location));
  const ShortDigest running = digest_of_database(running_database_id(location));
  const auto found = systems_.find(running);
  if (!knows_system(location)) {
    unsure_.insert_or_assign(key, running);
    return found == systems_.end() ? database : found->second;
  }
  unsure_.erase(key);
  if (found != systems_.end()) {
    return database;
  }
  if (systems_.size() >= kMostServers) {
    systems_.clear();
  }
  systems_.emplace(running, database);
  for (const auto& [other, theirs] : unsure_) {
    const auto known = theirs == running ? entries_.find(other) : entries_.end();
    if (known != entries_.end()) {
      move_to(*known, database, affected);
      affected.push_back(other);
    }
  }
  return database;
}

std::string ClusterStore::claim(const DatabaseMigration& resource, const DatabaseLocation& location) {
  Claims::Verdict verdict;
  {
    const std::lock_guard lock(mutex_);
    verdict = claims_.claim(resource, location);
    const auto known = entries_.find(resource.key());
    if (known != entries_.end() && !location.identity.empty()) {
      // Only an observation shows which database this is. From now on its policies apply to the other resources there, and
      // theirs to it.
      move_to(*known, database_at(resource.key(), location, verdict.affected), verdict.affected);
    }
  }
  wake(verdict.affected);
  return std::move(verdict.owner);
}

bool ClusterStore::policy_holds(const DatabaseMigration& resource) const {
  const std::lock_guard lock(mutex_);
  if (floor_ && !meets(resource, floor_(resource.metadata.name_space))) {
    return false;
  }
  const auto known = entries_.find(resource.key());
  return known == entries_.end() || meets(resource, policies_.of_others(resource.key(), known->second.database));
}

void ClusterStore::floor_changed(const std::string& name_space) {
  Keys affected = in_namespace(name_space);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& key : Keys(affected)) {
      if (const auto known = entries_.find(key); known != entries_.end()) {
        DatabaseRule rule = effective_rule(known->second.resource.value(), known->second.unreadable == nullptr);
        set_rule(key, known->second.database, std::move(rule), affected);
      }
    }
  }
  wake(affected);
}

std::string ClusterStore::lost_to(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  return claims_.observed_owner(key);
}

std::optional<DatabaseMigration> ClusterStore::find(const ResourceKey& key) const {
  CachedResource cached;
  SteadyTime reported;
  DatabasePolicy of_others;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      return std::nullopt;
    }
    // Copy under the lock and decode outside it: decoding a status takes longer than the rest.
    cached = found->second.resource;
    reported = found->second.reported;
    of_others = policies_.of_others(key, found->second.database);
  }
  DatabaseMigration resource = cached.value();
  resource.folder = folder_;
  resource.known_since = reported;
  if (floor_) {
    raise(resource, floor_(key.name_space));
  }
  raise(resource, of_others);
  return resource;
}

std::optional<ObjectVersion> ClusterStore::version(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.resource.mark());
}

void ClusterStore::for_each(const Visit& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    visit(key, entry.digest);
  }
}

std::optional<Outcome> ClusterStore::refusal(const ResourceKey& key) const {
  CachedResource cached;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      return std::nullopt;
    }
    if (found->second.unreadable) {
      return unreadable_outcome(*found->second.unreadable);
    }
    if (is_beyond_quota(key)) {
      return beyond_quota(quota_);
    }
    if (!floor_) {
      return std::nullopt;
    }
    cached = found->second.resource;
  }
  const auto taken = check_floor(cached.value(), floor_(key.name_space));
  return taken ? std::nullopt : std::optional(unreadable_outcome(taken.error()));
}

// Whether at least `quota_` resources of its namespace are older. Stops counting there.
bool ClusterStore::is_beyond_quota(const ResourceKey& key) const {
  const auto held = in_namespace_.find(key.name_space);
  if (quota_ == 0 || held == in_namespace_.end() || held->second <= quota_) {
    return false;
  }
  // creationTimestamp has a resolution of one second, so the name decides between resources that one `kubectl apply` created.
  const auto age = [](const Known& known) { return std::tie(known.second.created, known.first.name); };
  const Known& own = *entries_.find(key);
  std::size_t older = 0;
  for (auto each = entries_.lower_bound({key.name_space, ""});
       each != entries_.end() && each->first.name_space == key.name_space && older < quota_; ++each) {
    older += age(*each) < age(own) ? std::size_t{1} : std::size_t{0};
  }
  return older >= quota_;
}

std::vector<ResourceKey> ClusterStore::in_namespace(const std::string& name_space) const {
  const std::lock_guard lock(mutex_);
  std::vector<ResourceKey> keys;
  for (auto each = entries_.lower_bound({name_space, ""}); each != entries_.end() && each->first.name_space == name_space;
       ++each) {
    keys.push_back(each->first);
  }
  return keys;
}

Result<void> ClusterStore::write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) {
  const auto before = version(key);
  if (!before) {
    return {};
  }
  TRY_ASSIGN(const std::string written, replace_status(key, before->uid, before->resource_version, status));
  keep_status(key, before->uid, status, written);
  return {};
}

// `version`: the object's version with this status; empty: the object is gone.
void ClusterStore::keep_status(const ResourceKey& key, const std::string& uid, const DatabaseMigrationStatus& status,
                               const std::string& version) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (!version.empty() && found != entries_.end() && found->second.resource.mark().uid == uid) {
    // Do not wait for the watch: the next reconcile may start before its event and must not see the previous status and
    // version.
    found->second.resource.set_status(status, version);
    found->second.digest = digest_of(status);
  }
}

Result<void> ClusterStore::write_status_of(const DatabaseMigration& read, const DatabaseMigrationStatus& status) {
  TRY(check_fence());
  const auto written =
      client_.replace(kube::kDatabaseMigrations, read.metadata.name_space, read.metadata.name,
                      status_body(read.key(), read.metadata.uid, read.metadata.resource_version, status), "status");
  if (!written) {
    return fail(written.error());
  }
  keep_status(read.key(), read.metadata.uid, status, metadata_of(*written).resource_version);
  return {};
}

Result<std::string> ClusterStore::replace_status(const ResourceKey& key, const std::string& uid, std::string version,
                                                 const DatabaseMigrationStatus& status) {
  KubeObject body = status_body(key, uid, version, status);
  for (int attempt = 1;; ++attempt) {
    // Check before every attempt: the Lease may be lost while a conflict is being resolved.
    TRY(check_fence());
    body["metadata"]["resourceVersion"] = version;
    const auto written = client_.replace(kube::kDatabaseMigrations, key.name_space, key.name, body, "status");
    if (written) {
      return metadata_of(*written).resource_version;
    }
    if (written.error().code == ErrorCode::ApiNotFound) {
      return std::string();  // deleted; the informer reports that
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
    // Someone changed metadata or spec. Keep our status, of which this operator is the only writer, and take over only the
    // version: spec changes arrive through the watch and queue the resource.
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
