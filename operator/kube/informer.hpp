// Lists and watches one resource type and reports every change to a handler, like client-go's reflector.
//
// It starts with a WatchList where the server supports it, otherwise with a paged list, and then watches. Each watch resumes at
// the last resourceVersion seen. It lists again after a 410, after ten failures in a row, and when a watch was silent for 85
// seconds without even a bookmark, because etcd may have been restored from a backup. It reports objects that are missing from
// a new list as deleted. The informer keeps only keys and versions; the handler stores objects if it needs them.
//
// Threads: run() blocks its thread and calls the handler from it; synced() and statistics() from any thread. Ownership: borrows
// client, clock and handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <random>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

class InformerHandler {
 public:
  virtual ~InformerHandler() = default;
  // An object was added or changed. Called once for each resourceVersion, and never with an older version after a newer one. An
  // exception is logged and the object skipped.
  virtual void applied(const ResourceKey& key, const KubeObject& object) = 0;
  // An object was deleted, or is missing from a new list.
  virtual void deleted(const ResourceKey& key) = 0;
  // The first list is complete. Called once.
  virtual void synced() {}
};

struct InformerOptions {
  ResourceType type;
  std::string name_space{};
  std::string label_selector{};
  std::string field_selector{};
  bool metadata_only = false;  // see ListOptions
  milliseconds initial_backoff{800};
  milliseconds max_backoff{30'000};
  milliseconds oversized_backoff{300'000};  // after a list with an object that is too large for the client
  // A watch lasts between this and twice this time, at random, so that thousands of watches do not end together.
  std::chrono::seconds min_watch{300};
  std::uint64_t seed = 0;  // of jitter and watch times
};

struct InformerStatistics {
  std::uint64_t lists = 0;  // completed lists and WatchLists
  std::uint64_t watches = 0;
  std::uint64_t events = 0;    // in watches, without bookmarks
  std::uint64_t expired = 0;   // 410 responses
  std::uint64_t failures = 0;  // consecutive failures up to now
};

// One instance per resource type and selector. Run it in its own thread.
class Informer {
 public:
  Informer(KubeClient& client, Clock& clock, InformerHandler& handler, InformerOptions options, const Log& log);

  // Blocks until `stop` is requested. Failures are logged and retried after a back-off from initial_backoff to max_backoff.
  void run(const StopToken& stop);
  // Whether the first list is complete.
  [[nodiscard]] bool synced() const { return synced_; }
  [[nodiscard]] InformerStatistics statistics() const;
  [[nodiscard]] const ResourceType& type() const { return options_.type; }

 private:
  // One list or one watch. Like list() and watch(), it returns whether to back off before the next.
  [[nodiscard]] bool step(const StopToken& stop);
  [[nodiscard]] bool list();
  [[nodiscard]] bool watch(bool from_the_beginning, const StopToken& stop);
  [[nodiscard]] bool handle_error(const Error& error, bool from_the_beginning);
  [[nodiscard]] bool handle_oversized(const Error& error, bool from_the_beginning);
  void pause(const StopToken& stop);
  void handle_event(WatchEvent event);
  void deliver(const KubeObject& object, bool removed);
  void apply(const ResourceKey& key, const KubeObject& object);
  void skip(const KubeObject& object);
  void begin_list();
  void finish_list(std::string resource_version);
  void start_over();
  [[nodiscard]] std::chrono::seconds watch_time(std::chrono::seconds shortest);

  KubeClient& client_;
  Clock& clock_;
  InformerHandler& handler_;
  InformerOptions options_;
  Log log_;
  std::minstd_rand random_;
  struct Known {
    std::string resource_version;
    bool listed = false;  // seen since begin_list()
  };
  std::map<ResourceKey, Known> known_;
  std::string resource_version_;  // where the next watch resumes; empty: list first
  bool listing_ = false;          // between begin_list() and finish_list()
  bool gap_ = false;              // an event was unreadable: an object missing from this list may exist after all
  int expired_in_a_row_ = 0;      // 410 responses since the last event
  bool oversized_ = false;        // the last list had an object that is too large
  bool watch_list_ = true;        // false once the server turned out not to support WatchList
  int broken_watch_lists_ = 0;    // in a row
  std::uint64_t received_ = 0;    // events and bookmarks in this watch
  std::atomic<bool> synced_{false};
  std::atomic<std::uint64_t> lists_{0}, watches_{0}, events_{0}, expired_{0}, failures_{0};
};

}  // namespace athanor::controller
