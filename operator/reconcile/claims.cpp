#include "operator/reconcile/claims.hpp"

#include <algorithm>
#include <tuple>

#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/decide.hpp"

namespace athanor::controller {
namespace {

constexpr ShortDigest kUnknown{};

ShortDigest digest_of_name(const std::string& name) {
  return name.empty() ? kUnknown : sha256_short(name);
}

Claims::Affected without(std::set<ResourceKey> affected, const ResourceKey& key) {
  affected.erase(key);
  return {affected.begin(), affected.end()};
}

}  // namespace

const Claims::Index Claims::kDeclared{&Claims::declared_, &Entry::declared};
const std::array<Claims::Index, 2> Claims::kObserved{
    {{&Claims::in_namespace_, &Entry::in_namespace}, {&Claims::at_server_, &Entry::at_server}}};

// Other resources are affected only if an owner changes. Then all claimants of the table are, not only the old and the new
// owner, because the status of each names the owner.
void Claims::move(const Index& index, Known& known, const ShortDigest& to, std::set<ResourceKey>& affected) {
  ShortDigest& table = known.second.*index.name;
  if (table == to) {
    return;
  }
  const ShortDigest left = table;
  const Known* const left_to = owner_of(index, left);
  const Known* const before = owner_of(index, to);
  Tables& tables = this->*index.tables;
  if (table != kUnknown) {
    tables.erase({table, &known});
  }
  table = to;
  if (table != kUnknown) {
    tables.emplace(table, &known);
  }
  // The table it leaves goes to the next claimant. If it is older than the owner of the new table, that owner must learn that
  // it lost the table.
  if (owner_of(index, left) != left_to) {
    add_claimants(index, left, affected);
  }
  if (owner_of(index, to) != before) {
    add_claimants(index, to, affected);
  }
}

bool Claims::is_older(const Known& known, const Known& other) {
  return std::tie(known.second.created, known.first) < std::tie(other.second.created, other.first);
}

const Claims::Known* Claims::owner_of(const Index& index, const ShortDigest& table) const {
  const Tables& tables = this->*index.tables;
  const Known* owner = nullptr;
  for (auto each = tables.lower_bound({table, nullptr}); each != tables.end() && each->first == table; ++each) {
    const Known* const known = each->second;
    if (known->second.may_own && (owner == nullptr || is_older(*known, *owner))) {
      owner = known;
    }
  }
  return owner;
}

// The oldest that may own the table, seen from `known`; null if none may.
const Claims::Known* Claims::observed_owner_of(const Known& known) const {
  const Known* owner = nullptr;
  for (const Index& index : kObserved) {
    const Known* const found = owner_of(index, known.second.*index.name);
    if (found != nullptr && (owner == nullptr || is_older(*found, *owner))) {
      owner = found;
    }
  }
  return owner;
}

void Claims::add_claimants(const Index& index, const ShortDigest& table, std::set<ResourceKey>& affected) const {
  const Tables& tables = this->*index.tables;
  for (auto each = tables.lower_bound({table, nullptr}); each != tables.end() && each->first == table; ++each) {
    affected.insert(each->second->first);
  }
}

Claims::Affected Claims::put(const ResourceKey& key, const Claimant& claimant) {
  std::set<ResourceKey> affected;
  Known& known = *entries_.try_emplace(key).first;
  Entry& entry = known.second;
  const ShortDigest declared = digest_of_name(claimant.declared);
  const std::array<const Index*, 3> indexes{&kDeclared, kObserved.data(), &kObserved[1]};
  std::array<const Known*, 3> before{};
  std::ranges::transform(indexes, before.begin(), [&](const Index* index) { return owner_of(*index, entry.*index->name); });
  entry.created = claimant.created;
  entry.may_own = claimant.may_own;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (owner_of(*indexes[i], entry.*indexes[i]->name) != before[i]) {
      add_claimants(*indexes[i], entry.*indexes[i]->name, affected);
    }
  }
  move(kDeclared, known, declared, affected);
  if (!entry.may_own) {  // it will not be observed again
    add_refused(known, affected);
  }
  return without(std::move(affected), key);
}

Claims::Affected Claims::remove(const ResourceKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return {};
  }
  std::set<ResourceKey> affected;
  Known& known = *found;
  move(kDeclared, known, kUnknown, affected);
  for (const Index& index : kObserved) {
    move(index, known, kUnknown, affected);
  }
  add_refused(known, affected);
  entries_.erase(found);
  return without(std::move(affected), key);
}

Claims::Verdict Claims::claim(const DatabaseMigration& resource, const DatabaseLocation& location) {
  const auto found = entries_.find(resource.key());
  if (found == entries_.end() || location.identity.empty()) {
    return {};
  }
  std::set<ResourceKey> affected;
  Known& known = *found;
  Entry& entry = known.second;
  const ShortDigest table = sha256_short(location.identity);
  const ShortDigest declared = sha256_short(claim_of(location.described, resource));
  add_refused(known, affected);
  const ShortDigest left = entry.observed;
  if (left == kUnknown && !entry.refused) {  // after a restart: an earlier operator process may have refused it
    auto owner = ResourceKey::parse(claimant_in(resource.status));
    if (!owner.name.empty() && resource.status.observed_generation == resource.metadata.generation) {
      entry.refused = std::make_unique<Refusal>(Refusal{std::move(owner), declared});
    }
  }
  const bool moved = left != table;
  entry.observed = table;
  move(kObserved[0], known, sha256_short("namespace " + known.first.name_space + "\n" + location.identity), affected);
  move(kObserved[1], known, sha256_short("server " + server_of(location.described) + "\n" + location.identity), affected);
  const Known* const owner = observed_owner_of(known);
  if (owner != nullptr && owner != &known) {
    entry.refused = std::make_unique<Refusal>(Refusal{owner->first, declared});
  } else if (!stays_refused(known, declared, moved, affected)) {
    entry.refused.reset();
  }
  return {entry.refused ? entry.refused->owner.text() : std::string(), without(std::move(affected), known.first)};
}

// No other resource is known to use this table now. But if it was refused for the same declared place, perhaps only the
// identity is new, because the server or the operator restarted. Then the resource in whose favour it was refused must be
// observed first.
bool Claims::stays_refused(const Known& known, const ShortDigest& declared, bool moved, std::set<ResourceKey>& affected) {
  const auto& refused = known.second.refused;
  if (!refused || refused->declared != declared) {
    return false;
  }
  const auto owner = entries_.find(refused->owner);
  if (owner == entries_.end() || !owner->second.may_own || !is_older(*owner, known)) {
    return false;
  }
  if (moved) {
    owner->second.awaited = true;
    affected.insert(owner->first);
  }
  return owner->second.awaited;
}

// Call it when `known` was observed or never will be: reconcile the resources that stay refused because of it again.
void Claims::add_refused(Known& known, std::set<ResourceKey>& affected) {
  if (!std::exchange(known.second.awaited, false)) {
    return;
  }
  for (const auto& [key, entry] : entries_) {
    if (entry.refused && entry.refused->owner == known.first) {
      affected.insert(key);
    }
  }
}

std::string Claims::declared_owner(const ResourceKey& key) const {
  const auto found = entries_.find(key);
  const Known* const owner = found == entries_.end() ? nullptr : owner_of(kDeclared, found->second.declared);
  return owner == nullptr || owner == &*found ? std::string() : owner->first.text();
}

std::string Claims::observed_owner(const ResourceKey& key) const {
  const auto found = entries_.find(key);
  const Known* const owner = found == entries_.end() ? nullptr : observed_owner_of(*found);
  return owner == nullptr || owner == &*found ? std::string() : owner->first.text();
}

}  // namespace athanor::controller
