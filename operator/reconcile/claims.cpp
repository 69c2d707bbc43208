#include "operator/reconcile/claims.hpp"

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

void Claims::move(Tables& tables, Known& known, ShortDigest Entry::*name, const ShortDigest& to) {
  ShortDigest& table = known.second.*name;
  if (table != kUnknown) {
    tables.erase({table, &known});
  }
  table = to;
  if (table != kUnknown) {
    tables.emplace(table, &known);
  }
}

bool Claims::is_older(const Known& known, const Known& other) {
  return std::tie(known.second.created, known.first) < std::tie(other.second.created, other.first);
}

const Claims::Known* Claims::owner_of(const Tables& tables, const ShortDigest& table) {
  const Known* owner = nullptr;
  for (auto each = tables.lower_bound({table, nullptr}); each != tables.end() && each->first == table; ++each) {
    const Known* const known = each->second;
    if (known->second.may_own && (owner == nullptr || is_older(*known, *owner))) {
      owner = known;
    }
  }
  return owner;
}

void Claims::add_claimants(const Tables& tables, const ShortDigest& table, std::set<ResourceKey>& affected) {
  for (auto each = tables.lower_bound({table, nullptr}); each != tables.end() && each->first == table; ++each) {
    affected.insert(each->second->first);
  }
}

Claims::Affected Claims::put(const ResourceKey& key, const Claimant& claimant) {
  std::set<ResourceKey> affected;
  Known& known = *entries_.try_emplace(key).first;
  Entry& entry = known.second;
  const ShortDigest left = entry.declared;
  const ShortDigest declared = digest_of_name(claimant.declared);
  // Compare the owners before and after the change: other resources are affected only if an owner changes.
  const Known* const left_to = owner_of(declared_, left);
  const Known* const before = owner_of(declared_, declared);
  const Known* const observed_before = owner_of(observed_, entry.observed);
  entry.created = claimant.created;
  entry.may_own = claimant.may_own;
  move(declared_, known, &Entry::declared, declared);
  // Notify all claimants of the table, not only the old and the new owner, because the status of each names the owner.
  if (owner_of(declared_, left) != left_to) {
    add_claimants(declared_, left, affected);
  }
  if (owner_of(declared_, declared) != before) {
    add_claimants(declared_, declared, affected);
  }
  if (owner_of(observed_, entry.observed) != observed_before) {
    add_claimants(observed_, entry.observed, affected);
  }
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
  const ShortDigest declared = known.second.declared;
  const ShortDigest observed = known.second.observed;
  const bool owned_declared = owner_of(declared_, declared) == &known;
  const bool owned_observed = owner_of(observed_, observed) == &known;
  move(declared_, known, &Entry::declared, kUnknown);
  move(observed_, known, &Entry::observed, kUnknown);
  if (owned_declared) {
    add_claimants(declared_, declared, affected);
  }
  if (owned_observed) {
    add_claimants(observed_, observed, affected);
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
  if (moved) {
    const Known* const left_to = owner_of(observed_, left);
    const Known* const before = owner_of(observed_, table);
    move(observed_, known, &Entry::observed, table);
    // The table it leaves goes to the next claimant. If it is older than the owner of the new table, that owner must learn that
    // it lost the table.
    if (owner_of(observed_, left) != left_to) {
      add_claimants(observed_, left, affected);
    }
    if (owner_of(observed_, table) != before) {
      add_claimants(observed_, table, affected);
    }
  }
  const Known* const owner = owner_of(observed_, table);
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

std::string Claims::other_owner(const ResourceKey& key, const Tables& tables, ShortDigest Entry::*name) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.*name == kUnknown) {
    return {};
  }
  const Known* const owner = owner_of(tables, found->second.*name);
  return owner == nullptr || owner == &*found ? std::string() : owner->first.text();
}

std::string Claims::declared_owner(const ResourceKey& key) const {
  return other_owner(key, declared_, &Entry::declared);
}

std::string Claims::observed_owner(const ResourceKey& key) const {
  return other_owner(key, observed_, &Entry::observed);
}

}  // namespace athanor::controller
