#include "operator/standalone/folder_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {
namespace {

bool same_declaration(const DatabaseMigration& left, const DatabaseMigration& right) {
  return left.spec == right.spec && left.metadata.annotations == right.metadata.annotations &&
         left.metadata.labels == right.metadata.labels && left.folder == right.folder;
}

}  // namespace

FolderStore::FolderStore(const StateFolder& state, Clock& clock, Identify identify, Wake wake)
    : state_(state), clock_(clock), identify_(std::move(identify)), wake_(std::move(wake)) {}

FolderChange FolderStore::accept(ManifestSnapshot snapshot) {
  const std::lock_guard lock(mutex_);
  FolderChange change;
  std::set<ResourceKey> present;
  for (auto& resource : snapshot.resources) {
    const ResourceKey key = resource.key();
    present.insert(key);
    if (accept_resource(std::move(resource))) {
      change.changed.push_back(key);
    }
  }
  accept_problems(snapshot.problems, present, change);
  Claims::Affected affected;
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const bool gone = !present.contains(entry->first);
    const auto moved = gone ? claims_.remove(entry->first) : put_claim(entry->first, entry->second);
    affected.insert(affected.end(), moved.begin(), moved.end());
    if (gone) {
      change.removed.push_back(entry->first);
      state_.remove(entry->first);
    }
    entry = gone ? entries_.erase(entry) : std::next(entry);
  }
  add_affected(affected, change);
  if (std::exchange(first_, false)) {  // manifests may have been deleted while no operator ran
    std::vector<std::string> files;
    for (const auto& [file, errors] : problem_files_) {
      files.push_back(file);
    }
    state_.keep_only({present.begin(), present.end()}, files);
  }
  return change;
}

// Adds the resources that broken manifests name to `present`, so that they are kept and not treated as deleted.
void FolderStore::accept_problems(const std::map<std::string, std::vector<ManifestProblem>>& by_file,
                                  std::set<ResourceKey>& present, FolderChange& change) {
  // If the state folder cannot be written, report it and continue reconciling.
  const auto check = [&change](const Result<void>& written) {
    if (!written) {
      change.state_errors.push_back(written.error());
    }
  };
  std::map<std::string, std::vector<std::string>> texts_by_file;
  for (const auto& [file, problems] : by_file) {
    auto& texts = texts_by_file[file];
    const auto known = problem_files_.find(file);
    std::vector<Error> errors;
    for (const auto& problem : problems) {
      ++change.problem_count;
      texts.push_back(problem.error.describe());
      if (known == problem_files_.end() || std::ranges::find(known->second, texts.back()) == known->second.end()) {
        change.problems.push_back(problem);
      }
      if (problem.key && present.insert(*problem.key).second) {
        check(mark_invalid(*problem.key, problem.error));
      }
      errors.push_back(problem.error);
    }
    if (known == problem_files_.end() || known->second != texts) {
      check(state_.write_problem(file, errors));
    }
  }
  for (const auto& [file, texts] : problem_files_) {
    if (!texts_by_file.contains(file)) {
      state_.remove_problem(file);
    }
  }
  problem_files_ = std::move(texts_by_file);
}

// Returns whether the resource must be reconciled.
bool FolderStore::accept_resource(DatabaseMigration resource) {
  const ResourceKey key = resource.key();
  std::string hash = spec_hash(resource.spec);
  const auto known = entries_.find(key);
  if (known == entries_.end()) {
    Entry entry;
    if (auto stored = state_.read(key)) {
      resource.status = std::move(stored->status);
      // The spec may have changed while no operator ran.
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
  // As an API server does: only a change of the spec increases the generation.
  resource.metadata.generation = entry.resource.metadata.generation + (hash == entry.hash ? 0 : 1);
  resource.status = std::move(entry.resource.status);
  entry.identity = identify_(resource);  // a credential file may have changed
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
    entry.resource.spec.target_revision = entry.resource.status.target_revision;  // the new declaration is unknown
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

// Suspended and invalid resources own no table: their reconciles do not touch the database.
Claims::Affected FolderStore::put_claim(const ResourceKey& key, const Entry& entry) {
  Claims::Claimant claimant;
  claimant.may_own = !entry.invalid && !entry.resource.spec.suspend;
  claimant.declared = entry.identity.claim;
  return claims_.put(key, claimant);
}

void FolderStore::add_affected(const Claims::Affected& affected, FolderChange& change) const {
  for (const auto& key : affected) {
    const auto found = entries_.find(key);
    if (found != entries_.end() && !found->second.invalid && std::ranges::find(change.changed, key) == change.changed.end()) {
      change.changed.push_back(key);
    }
  }
}

std::string FolderStore::lost_to(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  std::string owner = claims_.declared_owner(key);
  return owner.empty() ? claims_.observed_owner(key) : owner;
}

std::string FolderStore::claim(const DatabaseMigration& resource, const DatabaseLocation& location) {
  Claims::Verdict verdict;
  {
    const std::lock_guard lock(mutex_);
    verdict = claims_.claim(resource, location);
  }
  for (const auto& key : verdict.affected) {
    wake_(key);
  }
  return std::move(verdict.owner);
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

std::optional<ObjectVersion> FolderStore::version(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() || found->second.invalid ? std::nullopt : std::optional<ObjectVersion>(std::in_place);
}

void FolderStore::for_each(const Visit& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    if (!entry.invalid) {
      visit(key, digest_of(entry.resource.status));
    }
  }
}

std::string FolderStore::claimed_by(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  return claims_.declared_owner(key);
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
  // Without the lock, because the disk may be slow.
  TRY(store(copy));
  const std::lock_guard lock(mutex_);
  if (!entries_.contains(key)) {  // deleted during the write: remove its file again
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
