#include "operator/standalone/standalone.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "operator/sources/allowed_roots.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kManifestsTag = "manifests";
constexpr std::chrono::seconds kPollEvery(10);

std::string tag_of(const ResourceKey& key) {
  return "resource " + key.text();
}

}  // namespace

Standalone::Standalone(StandaloneParts parts, std::vector<std::string> roots, milliseconds resync, Log log)
    : parts_(std::move(parts)), roots_(std::move(roots)), resync_(resync), log_(std::move(log)) {}

Result<void> Standalone::load() {
  TRY_ASSIGN(auto snapshot, parts_.manifests.scan());
  const FolderChange change = parts_.store.accept(std::move(snapshot));
  problems_ = change.problem_count;
  report(change);
  for (const auto& key : change.removed) {
    parts_.removed(key);
  }
  const auto resources = parts_.store.all();
  for (const auto& resource : resources) {
    parts_.queue.set_group(resource.key(), parts_.store.server(resource.key()));
  }
  parts_.counted(resources.size(), change.problem_count);
  if (watch_) {
    watch_all();  // watch before queueing: a change after the reconcile must not be missed
  }
  for (const auto& key : change.changed) {
    parts_.queue.add(key);
  }
  ready_ = true;
  return {};
}

void Standalone::report(const FolderChange& change) const {
  for (const auto& problem : change.problems) {
    LogFields fields = error_fields(problem.error);
    if (problem.key) {
      fields.emplace_back("resource", problem.key->text());
    }
    log_.error("a manifest is invalid", fields);
  }
  for (const auto& error : change.state_errors) {
    log_.error("failed to write to the state folder", error_fields(error));
  }
  for (const auto& key : change.removed) {
    log_.info("a resource was removed; its database is unchanged", {{"resource", key.text()}});
  }
}

FolderInterest Standalone::interest_of(const DatabaseMigration& resource) const {
  FolderInterest interest;
  interest.recursive = resource.spec.source.recursive;
  interest.folders.push_back(AllowedRoots::absolute(resource.folder, resource.spec.source.path));
  const DatabaseSpec& database = resource.spec.database;
  for (const auto& reference :
       {database.url_from, database.host_from, database.port_from, database.name_from, database.user_from,
        database.password_from, database.root_certificate_from, database.client_certificate_from, database.client_key_from,
        resource.spec.scratch_url_from, resource.spec.scratch_root_certificate_from}) {
    if (reference && reference->kind == SecretReference::Kind::File) {
      const std::string file = AllowedRoots::absolute(resource.folder, reference->value);
      interest.folders.push_back(std::filesystem::path(file).parent_path());
    }
  }
  const auto holds = [&interest](const std::string& root) { return interest.folders.front().starts_with(root + "/"); };
  if (const auto root = std::ranges::find_if(roots_, holds); root != roots_.end()) {
    interest.root = *root;
  }
  return interest;
}

void Standalone::open_watch() {
  auto watch = FolderWatch::open();
  if (!watch) {
    log_.warn("folders cannot be watched; polling every ten seconds instead", error_fields(watch.error()));
    return;
  }
  watch_.emplace(std::move(*watch));
  watch_all();
}

void Standalone::watch_all() {
  std::map<std::string, FolderInterest> interests;
  interests[kManifestsTag].folders = {parts_.manifests.path()};
  key_of_tag_.clear();
  for (const auto& resource : parts_.store.all()) {
    if (resource.spec.source.path.empty()) {
      continue;  // its manifest was never valid
    }
    interests[tag_of(resource.key())] = interest_of(resource);
    key_of_tag_[tag_of(resource.key())] = resource.key();
  }
  const auto watched = watch_->watch(std::move(interests));
  if (!watched && !std::exchange(watch_limited_, true)) {
    log_.warn("not every folder can be watched; polling every ten seconds as well", error_fields(watched.error()));
  }
}

void Standalone::follow(const StopToken& stop) {
  open_watch();
  bool reload = true;  // manifests may have changed between load() and open_watch()
  while (!stop.requested()) {
    if (reload) {
      const auto loaded = load();
      if (!loaded && !folder_failed_) {
        log_.error("the manifest folder cannot be read; keeping the manifests read last", error_fields(loaded.error()));
      }
      folder_failed_ = !loaded.has_value();
    }
    const bool polling = !watch_ || watch_limited_ || folder_failed_;
    const milliseconds longest = polling ? std::min<milliseconds>(resync_, kPollEvery) : resync_;
    std::set<std::string> touched;
    if (watch_) {
      touched = watch_->touched(longest, stop);
    } else {
      SystemClock().wait(longest, stop);
    }
    // Empty: the resync or polling interval has passed.
    reload = touched.empty() || touched.contains(kManifestsTag);
    for (const auto& tag : touched) {
      if (const auto key = key_of_tag_.find(tag); key != key_of_tag_.end()) {
        parts_.queue.add(key->second);
      }
    }
    if (polling && touched.empty()) {
      for (const auto& [tag, key] : key_of_tag_) {
        parts_.queue.add(key);
      }
    }
  }
}

}  // namespace athanor::controller
