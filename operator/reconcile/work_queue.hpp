// The work queue: decides which resource is reconciled next, for any kind of resource.
//
// A key is never given to two workers at the same time: if added while it is processed, it is queued again when it is done. An
// immediate add replaces a scheduled one. Keys belong to a group (a database server). Limits apply to how many keys of a group
// and of a namespace are out at the same time; others overtake. Namespaces take turns, and keys that failed the last time leave
// room for the others (fair_turns.hpp), so servers that never answer do not block other work.
//
// Threads: safe from any thread. Only get() and wait_until_idle() block. Time comes from the clock. Ownership: borrows clock
// and observer.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "migrations/base/clock.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/fair_turns.hpp"

namespace athanor::controller {

struct QueueStatistics {
  std::size_t depth = 0;               // keys waiting for a worker
  std::size_t processing = 0;          // keys being processed
  std::size_t scheduled = 0;           // keys that will be queued at a later time
  std::size_t waiting = 0;             // idle workers
  double unfinished_seconds = 0;       // sum over keys being processed
  double longest_running_seconds = 0;  // of the keys being processed
};

// How many keys may be out at the same time; 0: no limit.
struct QueueLimits {
  std::size_t per_group = 0;
  std::size_t per_namespace = 0;
  std::size_t failing = 0;  // keys that failed the last time
};

// Called without the queue's lock, on the thread that called the queue.
class QueueObserver {
 public:
  virtual ~QueueObserver() = default;
  virtual void added() {}
  virtual void taken(double /*waited_seconds*/) {}
  virtual void finished(double /*worked_seconds*/) {}
};

class WorkQueue {
 public:
  WorkQueue(Clock& clock, QueueLimits limits, QueueObserver* observer = nullptr);
  WorkQueue(Clock& clock, std::size_t per_group, QueueObserver* observer = nullptr)
      : WorkQueue(clock, QueueLimits{per_group}, observer) {}

  // Queues the key immediately. If it is out, done() queues it again.
  void add(const ResourceKey& key);
  // Queues the key after `delay`. Does not change an earlier schedule or a key that is already queued.
  void add_after(const ResourceKey& key, milliseconds delay);
  // Sets the group of a key; empty: no limit. Returns false when the key is out and its new group has more keys out than
  // allowed: a worker that has done nothing yet then calls requeue() and done().
  bool set_group(const ResourceKey& key, const std::string& group);
  // Removes a key whose resource was deleted from queue, schedule and group. While it is out, its entry stays until done().
  void remove(const ResourceKey& key);
  // Called by the worker that finds no resource for the key: removes it with done(), unless it was added since it was taken.
  void retire(const ResourceKey& key);

  // Takes the next key that may be processed; blocks until there is one. Returns nullopt when the queue was shut down.
  [[nodiscard]] std::optional<ResourceKey> get();
  // As get(), without blocking.
  [[nodiscard]] std::optional<ResourceKey> try_get();
  // Ends the processing of a key. Call it for every key from get().
  void done(const ResourceKey& key);
  // Called by a worker that did nothing: done() then queues the key at its former place, until its group has room.
  void requeue(const ResourceKey& key);
  // Called by the worker that has the key: whether it failed. It counts as failing until it succeeds or is added again.
  void set_failing(const ResourceKey& key, bool failing);
  // Called by the worker that has the key before work that may take arbitrarily long.
  void expect_long(const ResourceKey& key);
  // Returns the number of keys that have been out for longer than this without expect_long().
  [[nodiscard]] std::size_t stuck(milliseconds longest) const;
  // Returns when the key was last added or became due: a reconcile must not use older reads. Returns now for an unknown key.
  [[nodiscard]] SteadyTime requested_at(const ResourceKey& key) const;

  // Whether a worker is processing the key.
  [[nodiscard]] bool is_taken(const ResourceKey& key) const;

  // Ends the queue: get() returns nullopt from now on, also in waiting workers.
  void shut_down();
  // Blocks until no key is queued or out. Ignores scheduled keys.
  void wait_until_idle();
  [[nodiscard]] QueueStatistics statistics() const;
  // The number of known keys in any state.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry;
  using Known = std::pair<const ResourceKey, Entry>;  // a node of entries_, with a stable address
  using Groups = FairTurns<Known>;
  struct Entry {
    Groups::Place group{};
    bool processing = false;
    bool again = false;          // added while processing
    bool requeued = false;       // requeue() was called while processing
    bool removed = false;        // erase it in done(), unless it is added or scheduled before
    bool failing = false;        // constant while it is queued
    bool taken_failing = false;  // its value when it was taken
    Ticket ticket;               // its place in the queue; default: not queued
    Ticket taken_ticket;         // its place when it was taken
    std::optional<SteadyTime> scheduled;
    SteadyTime queued_at{};
    SteadyTime requested_at{};
  };
  struct Out {
    SteadyTime since;
    bool takes_long = false;
  };
  // Ordered by time, then by key.
  struct Due {
    SteadyTime when;
    Known* known;
    bool operator<(const Due& other) const {
      return when != other.when ? when < other.when : known->first < other.known->first;
    }
  };

  Known& known_of(const ResourceKey& key);
  void drop_if_removed(std::map<ResourceKey, Entry>::iterator place);
  void enqueue(Known& known, SteadyTime since, Ticket ticket);
  void dequeue(Entry& entry);
  void schedule(Known& known, SteadyTime when);
  void unschedule(Known& known);
  void promote_due(SteadyTime now);
  void wake_one();
  void wait_for_work(std::unique_lock<std::mutex>& lock, SteadyTime now);
  [[nodiscard]] std::optional<ResourceKey> take(SteadyTime now, double& waited);

  Clock& clock_;
  QueueObserver* observer_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable due_;  // one waiting worker watches the schedule; the others wait on ready_
  std::condition_variable idle_;
  std::map<ResourceKey, Entry> entries_;
  Groups groups_;
  std::set<Due> schedule_;
  std::map<ResourceKey, Out> out_;
  std::size_t queued_ = 0;
  std::size_t asleep_ = 0;
  bool watched_ = false;  // a worker waits on due_
  bool shut_down_ = false;
};

}  // namespace athanor::controller
