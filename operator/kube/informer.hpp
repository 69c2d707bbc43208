// An informer: keeps somebody's picture of one kind of object in step with the API server.
//
// It lists (as a WatchList where the server can, otherwise page by page), then watches from there, and goes on after every
// dropped watch at the last resourceVersion it saw, without listing again. A history that is gone (410, as a status or inside
// the stream) makes it list anew; so do ten failures in a row, and a watch without even a bookmark for 85 seconds, because
// the server may have been set back to a backup. Then what is missing is told as deleted. The informer itself remembers
// nothing of an object but its identity and version: what is kept of it is the handler's business.
//
// Pauses between failed attempts grow from 800 ms to 30 s, with jitter. A watch is asked for with a random time of five to ten
// minutes, so that thousands of watches do not end at once.
//
// An event that cannot be read is skipped with a line in the log; when that watch ends, everything is listed anew. An object
// that the handler throws at is skipped too: it must not end the others.
//
// Threads: run() occupies its thread until stopped and calls the handler from it; synced() and statistics() from any thread.
// Ownership: borrows client, clock and handler.
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
  // New or changed; told once for every resourceVersion, never an older one after a newer one.
  virtual void applied(const ResourceKey& key, const KubeObject& object) = 0;
  virtual void deleted(const ResourceKey& key) = 0;
  // The first list is complete.
  virtual void synced() {}
};

struct InformerOptions {
  ResourceType type;
  std::string name_space{};
  std::string label_selector{};
  std::string field_selector{};
  bool metadata_only = false;  // the handler gets no more than identity, labels, annotations and owners
  milliseconds first_pause{800};
  milliseconds longest_pause{30'000};
  std::chrono::seconds shortest_watch{300};  // and up to twice that
  std::uint64_t seed = 0;                    // of jitter and watch times
};

struct InformerStatistics {
  std::uint64_t lists = 0;  // complete ones, of either way
  std::uint64_t watches = 0;
  std::uint64_t events = 0;    // of objects, in watches
  std::uint64_t expired = 0;   // 410
  std::uint64_t failures = 0;  // in a row, now
};

class Informer {
 public:
  Informer(KubeClient& client, Clock& clock, InformerHandler& handler, InformerOptions options, const Log& log);

  void run(const StopToken& stop);
  [[nodiscard]] bool synced() const { return synced_; }
  [[nodiscard]] InformerStatistics statistics() const;

 private:
  // One list or one watch; whether to pause before the next.
  [[nodiscard]] bool step(const StopToken& stop);
  [[nodiscard]] bool list();
  [[nodiscard]] bool watch(bool from_the_beginning, const StopToken& stop);
  [[nodiscard]] bool judge(const Error& error, bool from_the_beginning);
  void pause(const StopToken& stop);
  void take(WatchEvent event);
  void tell(const KubeObject& object, bool removed);
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
  std::minstd_rand luck_;
  struct Known {
    std::string resource_version;
    bool listed = false;  // since begin_list()
  };
  std::map<ResourceKey, Known> known_;
  std::string resource_version_;  // where to go on; empty: a list is due
  bool listing_ = false;          // between the beginning of a list and its end
  bool gap_ = false;              // something was unreadable: what is not in this list may exist nevertheless
  int expired_in_a_row_ = 0;      // 410 answers since the last event
  bool watch_list_ = true;        // until the server says it cannot
  int broken_watch_lists_ = 0;    // in a row
  std::uint64_t received_ = 0;    // in this watch
  std::atomic<bool> synced_{false};
  std::atomic<std::uint64_t> lists_{0}, watches_{0}, events_{0}, expired_{0}, failures_{0};
};

}  // namespace athanor::controller
