// The work queue: which resource is reconciled next, whatever its kind.
//
// A key is never handed out twice at once: added while it is processed, it comes back when it is done. An immediate add
// replaces a scheduled one. Keys belong to a group (a database server), and at most so many of a group, and of a namespace, are
// out at a time; others overtake meanwhile. Namespaces take turns, and keys that failed the last time leave room for those that
// did not (fair_turns.hpp): servers that never answer keep nobody else waiting.
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
  std::size_t depth = 0;               // keys that wait for a worker
  std::size_t processing = 0;          // keys that are out
  std::size_t scheduled = 0;           // keys with a time before which they do not wait
  std::size_t waiting = 0;             // workers that have nothing to do
  double unfinished_seconds = 0;       // sum over what is out
  double longest_running_seconds = 0;  // of what is out
};

// Keys that may be out at a time; 0: any number.
struct QueueLimits {
  std::size_t per_group = 0;
  std::size_t per_namespace = 0;
  std::size_t failing = 0;  // of those that failed the last time
};

// Called without the queue's lock, from whichever thread called the queue.
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

  // Queues the key for now. While it is out it is queued again by done().
  void add(const ResourceKey& key);
  // Queues the key when `delay` has passed. An earlier schedule or a key that already waits stays as it is.
  void add_after(const ResourceKey& key, milliseconds delay);
  // Sets the group of a key from now on; empty: no limit. False when the key is out and its group now has more out than it may:
  // a worker that has not begun yet calls requeue() and done().
  bool set_group(const ResourceKey& key, const std::string& group);
  // Forgets a key whose resource is gone: not queued, not scheduled, no group. While it is out, its entry stays until done().
  void remove(const ResourceKey& key);
  // For the worker that finds no resource under the key: forgets it with done(), unless it was added since it was taken.
  void retire(const ResourceKey& key);

  // Takes the next key that may be worked on; waits for one. Empty when the queue was shut down.
  [[nodiscard]] std::optional<ResourceKey> get();
  // The same without waiting.
  [[nodiscard]] std::optional<ResourceKey> try_get();
  // Ends the work on a key that was taken. Every key from get() must come here.
  void done(const ResourceKey& key);
  // For the worker that did nothing: done() queues the key at the place it had, until its group has room.
  void requeue(const ResourceKey& key);
  // For the worker that has the key: whether it failed. Until it succeeds, or is added again, it is one of the failing.
  void set_failing(const ResourceKey& key, bool failing);
  // For the worker that has the key: from now on it does what may take any time.
  void expect_long(const ResourceKey& key);
  // Keys that have been out for longer than this, without that being expected.
  [[nodiscard]] std::size_t stuck(milliseconds longest) const;
  // When the key was last added or became due: what a reconcile reads may be no older than this. Now, for an unknown key.
  [[nodiscard]] SteadyTime requested_at(const ResourceKey& key) const;

  // Whether a worker has it.
  [[nodiscard]] bool is_taken(const ResourceKey& key) const;

  // Hands out no key from now on; waiting workers return.
  void shut_down();
  // Waits until nothing is queued or out. Schedules are not waited for.
  void wait_until_idle();
  [[nodiscard]] QueueStatistics statistics() const;
  // All known keys, whether they wait, are out or are scheduled, or none of it.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry;
  using Known = std::pair<const ResourceKey, Entry>;  // of entries_, where its address stays the same
  using Groups = FairTurns<Known>;
  struct Entry {
    Groups::Place group{};
    bool processing = false;
    bool again = false;          // added while processing
    bool requeued = false;       // requeue() was called while processing
    bool removed = false;        // dropped when it is done, unless it is added or scheduled before that
    bool failing = false;        // does not change while it waits
    bool taken_failing = false;  // what it was when it was taken
    Ticket ticket;               // its place in the queue; none: not queued
    Ticket taken_ticket;         // the place it had when it was taken
    std::optional<SteadyTime> scheduled;
    SteadyTime queued_at{};
    SteadyTime requested_at{};
  };
  struct Out {
    SteadyTime since;
    bool takes_long = false;
  };
  // What is due first; of two at once the one whose key is smaller.
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
  std::condition_variable due_;  // one of the waiting workers watches the schedule; the others sleep until there is a key
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
