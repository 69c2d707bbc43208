// Standalone mode: keeps the store and the queue up to date with the manifest folder.
//
// load() reads the folder once. follow() then reacts to changes of manifests, revision folders and secret files within about 50
// ms, and to everything else at the resync. If folders cannot be watched, it logs that and polls every ten seconds instead.
//
// Threads: one thread calls load() and follow(); ready() from any. Ownership: borrows everything in StandaloneParts.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operator/log/log.hpp"
#include "operator/reconcile/work_queue.hpp"
#include "operator/standalone/folder_store.hpp"
#include "operator/standalone/folder_watch.hpp"
#include "operator/standalone/manifest_folder.hpp"

namespace athanor::controller {

struct StandaloneParts {
  ManifestFolder& manifests;
  FolderStore& store;
  WorkQueue& queue;
  std::function<void(const ResourceKey&)> removed;                           // a manifest was deleted
  std::function<void(std::size_t resources, std::size_t problems)> counted;  // after each load()
};

class Standalone {
 public:
  // `roots`: the roots that source paths may be in; links below them are watched.
  Standalone(StandaloneParts parts, std::vector<std::string> roots, milliseconds resync, Log log);

  // Reads the manifests and queues the resources that changed. The error is about the folder itself; broken manifests are
  // counted.
  [[nodiscard]] Result<void> load();
  // Queues the resources that change from now on. Returns when a stop was requested.
  void follow(const StopToken& stop);
  // Whether manifests were loaded at least once.
  [[nodiscard]] bool ready() const { return ready_; }
  // The number of problems in manifests as of the last load.
  [[nodiscard]] std::size_t problems() const { return problems_; }

 private:
  void open_watch();
  void watch_all();
  [[nodiscard]] FolderInterest interest_of(const DatabaseMigration& resource) const;
  void report(const FolderChange& change) const;

  StandaloneParts parts_;
  std::vector<std::string> roots_;
  milliseconds resync_;
  Log log_;
  std::optional<FolderWatch> watch_;
  std::map<std::string, ResourceKey> key_of_tag_;
  std::atomic<bool> ready_{false};
  std::size_t problems_ = 0;
  bool watch_limited_ = false;
  bool folder_failed_ = false;
};

}  // namespace athanor::controller
