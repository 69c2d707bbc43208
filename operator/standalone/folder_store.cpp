#include "operator/standalone/folder_store.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {
namespace {

bool same_declaration(const DatabaseMigration& left, const DatabaseMigration& right) {
  return left.spec == right.spec && left.metadata.annotations == right.metadata.annotations &&
         left.metadata.labels == right.metadata.labels && left.folder == right.folder;
}

}  // namespace

FolderStore::FolderStore(const StateFolder& state, Clock& clock, Identify identify)
    : state_(state), clock_(clock), identify_(std::move(identify)) {}

CatalogueChange FolderStore::accept(ManifestSnapshot picture) {
  const std::lock_guard lock(mutex_);
  CatalogueChange change;
  // A state folder that cannot be written is told, and keeps nothing from being reconciled.
  const auto note = [&change](const Result<void>& written) {
    if (!written) {
      change.state_errors.push_back(written.error());
    }
  };
  std::set<ResourceKey> present;
  for (auto& resource : picture.resources) {
    const ResourceKey key = resource.key();
    present.insert(key);
    if (accept_resource(std::move(resource))) {
      change.changed.push_back(key);
    }
  }
  std::map<std::string, std::vector<std::string>> problem_files;
  for (const auto& [file, problems] : picture.problems) {
    std::vector<Error> anonymous;
    for (const auto& problem : problems) {
      ++change.problem_count;
      auto& known = problem_files[file];
      known.push_back(problem.error.describe());
      const auto before = problem_files_.find(file);
      if (before == problem_files_.end() ||
          std::find(before->second.begin(), before->second.end(), known.back()) == before->second.end()) {
        change.problems.push_back(problem);
      }
      if (problem.key && !present.contains(*problem.key)) {
        note(mark_invalid(*problem.key, problem.error));
        present.insert(*problem.key);
      }
      anonymous.push_back(problem.error);
    }
    if (const auto before = problem_files_.find(file);
        before == problem_files_.end() || before->second != problem_files[file]) {
      note(state_.write_problem(file, anonymous));
    }
  }
  for (const auto& [file, errors] : problem_files_) {
    if (!problem_files.contains(file)) {
      state_.remove_problem(file);
    }
  }
  problem_files_ = std::move(problem_files);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (present.contains(entry->first)) {
      ++entry;
      continue;
    }
    change.removed.push_back(entry->first);
    state_.remove(entry->first);
    see(entry->first, entry->second, "");
    entry = entries_.erase(entry);
  }
  rebuild_claims(change);
  if (std::exchange(first_, false)) {
    std::vector<std::string> files;
    for (const auto& [file, errors] : problem_files_) {
      files.push_back(file);
    }
    state_.keep_only({present.begin(), present.end()}, files);
  }
  return change;
}

// True when there is something new to reconcile.
bool FolderStore::accept_resource(DatabaseMigration resource) {
  const ResourceKey key = resource.key();
  std::string hash = spec_hash(resource.spec);
  const auto known = entries_.find(key);
  if (known == entries_.end()) {
    Entry entry;
    if (auto stored = state_.read(key)) {
      resource.status = std::move(stored->status);
      resource.metadata.generation = stored->spec_hash == hash ? stored->generation : stored->generation + 1;
    } else {
      resource.metadata.generation = 1;
    }
    entry.identity = identify_(resource);
    entry.hash = std::move(hash);
    entry.resource = std::move(resource);
    entries_.emplace(key, std::move(entry));
    return true;
  }
  Entry& entry = known->second;
  const bool changed = entry.invalid || !same_declaration(entry.resource, resource);
  resource.metadata.generation = entry.resource.metadata.generation + (hash == entry.hash ? 0 : 1);
  resource.status = std::move(entry.resource.status);
  entry.identity = identify_(resource);  // a credential file may say something else by now
  entry.hash = std::move(hash);
  entry.invalid = false;
  entry.resource = std::move(resource);
  return changed;
}

Result<void> FolderStore::mark_invalid(const ResourceKey& key, const Error& error) {
  auto [place, is_new] = entries_.try_emplace(key);
  Entry& entry = place->second;
  if (is_new) {
    entry.resource.metadata.name = key.name;
    entry.resource.metadata.name_space = key.name_space;
    if (auto stored = state_.read(key)) {
      entry.resource.status = std::move(stored->status);
      entry.resource.metadata.generation = stored->generation;
      entry.hash = stored->spec_hash;
    }
    entry.resource.spec.target_revision = entry.resource.status.target_revision;  // what is declared now is not known
  }
  entry.invalid = true;
  Outcome outcome;
  outcome.kind = Verdict::Kind::Stalled;
  outcome.reason = Reason::InvalidManifest;
  outcome.message = error.describe();
  outcome.error = error;
  Attempt attempt;
  attempt.now = clock_.wall_now();
  auto status = summarise(entry.resource, outcome, attempt);
  if (status == entry.resource.status) {
    return {};
  }
  entry.resource.status = std::move(status);
  return store(entry);
}

// Whoever waited for a claim that changed hands is looked at again.
void FolderStore::rebuild_claims(CatalogueChange& change) {
  const auto before = std::exchange(claims_, {});
  for (const auto& [key, entry] : entries_) {
    if (!entry.invalid && !entry.identity.claim.empty() && !entry.resource.spec.suspend) {
      claims_.emplace(entry.identity.claim, key);
    }
  }
  const auto owner = [](const std::map<std::string, ResourceKey>& claims, const std::string& claim) {
    const auto found = claims.find(claim);
    return found == claims.end() ? ResourceKey{} : found->second;
  };
  for (const auto& [key, entry] : entries_) {
    const std::string refused_for = claimant_in(entry.resource.status);
    const bool moved = (!before.empty() && owner(before, entry.identity.claim) != owner(claims_, entry.identity.claim)) ||
                       (!refused_for.empty() && !may_own(ResourceKey::parse(refused_for)));
    if (moved && !entry.invalid && std::ranges::find(change.changed, key) == change.changed.end()) {
      change.changed.push_back(key);
    }
  }
}

void FolderStore::see(const ResourceKey& key, Entry& entry, const std::string& identity) {
  if (const auto place = seen_.find(entry.seen); place != seen_.end()) {
    place->second.erase(key);
    if (place->second.empty()) {
      seen_.erase(place);
    }
  }
  entry.seen = identity;
  if (!identity.empty()) {
    seen_[identity].insert(key);
  }
}

bool FolderStore::may_own(const ResourceKey& key) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && !found->second.invalid && !found->second.resource.spec.suspend;
}

// Who has the version table that the server calls this; null when nobody may have it.
const ResourceKey* FolderStore::first_seen_at(const std::string& identity) const {
  const auto here = seen_.find(identity);
  if (here == seen_.end()) {
    return nullptr;
  }
  const auto owner = std::ranges::find_if(here->second, [this](const ResourceKey& each) { return may_own(each); });
  return owner == here->second.end() ? nullptr : &*owner;
}

std::string FolderStore::lost_to(const ResourceKey& key) const {
  if (std::string other = claimed_by(key); !other.empty()) {
    return other;
  }
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  const ResourceKey* const owner = found == entries_.end() ? nullptr : first_seen_at(found->second.seen);
  return owner != nullptr && *owner < key ? owner->text() : std::string();
}

std::string FolderStore::claim(const ResourceKey& key, const std::string& identity) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || identity.empty()) {
    return {};
  }
  Entry& entry = found->second;
  const std::string before = entry.seen;
  see(key, entry, identity);
  if (const ResourceKey* const owner = first_seen_at(identity); owner != nullptr && *owner < key) {
    return owner->text();
  }
  // It was refused before, and now the server, or the operator, was started anew: the other one is looked at first.
  const std::string refused_for = claimant_in(entry.resource.status);
  const auto other = entries_.find(ResourceKey::parse(refused_for));
  const bool unknown = other != entries_.end() && may_own(other->first) && other->first < key &&
                       (other->second.seen.empty() || (before != identity && other->second.seen == before)) &&
                       entry.resource.status.observed_generation == entry.resource.metadata.generation;
  return unknown ? refused_for : std::string();
}

Result<void> FolderStore::store(const Entry& entry) const {
  return state_.write({entry.resource.key(), entry.resource.metadata.generation, entry.hash, entry.resource.status});
}

std::optional<DatabaseMigration> FolderStore::find(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.invalid) {
    return std::nullopt;
  }
  return found->second.resource;
}

std::optional<ObjectVersion> FolderStore::mark(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() || found->second.invalid ? std::nullopt : std::optional<ObjectVersion>(std::in_place);
}

void FolderStore::each(const std::function<void(const ResourceKey&, const StatusDigest&)>& look) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    if (!entry.invalid) {
      look(key, digest_of(entry.resource.status));
    }
  }
}

std::string FolderStore::claimed_by(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return {};
  }
  const auto claim = claims_.find(found->second.identity.claim);
  return claim == claims_.end() || claim->second == key ? std::string() : claim->second.text();
}

Result<void> FolderStore::write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) {
  Entry copy;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.invalid) {
      return {};
    }
    found->second.resource.status = status;
    copy = found->second;
  }
  TRY(store(copy));
  const std::lock_guard lock(mutex_);
  if (!entries_.contains(key)) {  // deleted while it was written: its file must not outlive it
    state_.remove(key);
  }
  return {};
}

std::vector<DatabaseMigration> FolderStore::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<DatabaseMigration> resources;
  for (const auto& [key, entry] : entries_) {
    resources.push_back(entry.resource);
  }
  return resources;
}

std::string FolderStore::server(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::string() : found->second.identity.server;
}

}  // namespace athanor::controller
