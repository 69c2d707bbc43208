// The work queue: which resource is looked at next.
//
// A key is never handed out twice at once: added while it is processed, it comes back when it is done. An immediate add
// replaces a scheduled one. Failures of a key are spaced by an exponential back-off with jitter, its own and nobody else's.
// Keys belong to a group (a database server), and at most `per_group` of a group are out at a time; others overtake meanwhile.
// Of the keys that may go, the one that has waited longest goes first. Finding it takes the logarithm of how many wait, however
// many of them are held back: each group has a queue of its own, and groups that have room and keys are listed by their first.
//
// Threads: safe from any thread. Time comes from the Clock; only get() blocks. Ownership: borrows the clock.
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

namespace athanor::controller {

struct BackOff {
  milliseconds first{1'000};
  milliseconds most{300'000};
  double jitter = 0.1;  // ± this share
  // The delay before attempt `failures` + 1; `luck` in [0, 1) decides the jitter.
  [[nodiscard]] milliseconds delay(int failures, double luck) const;
};

struct QueueStatistics {
  std::size_t depth = 0;
  std::size_t processing = 0;
  std::size_t scheduled = 0;
  std::size_t waiting = 0;             // workers that have nothing to do
  double unfinished_seconds = 0;       // sum over what is out
  double longest_running_seconds = 0;  // of what is out
};

// What the queue tells whoever counts. Called without the queue's lock.
class QueueObserver {
 public:
  virtual ~QueueObserver() = default;
  virtual void added() {}
  virtual void retried() {}
  virtual void taken(double /*waited_seconds*/) {}
  virtual void finished(double /*worked_seconds*/) {}
};

class WorkQueue {
 public:
  WorkQueue(Clock& clock, BackOff back_off, std::size_t per_group, QueueObserver* observer = nullptr);

  // The group of a key from now on; empty: no limit. False when the key is out and its new group is too full with it: who has
  // not begun yet gives it back.
  bool set_group(const ResourceKey& key, const std::string& group);
  void add(const ResourceKey& key);
  // Not before `delay` has passed. An earlier schedule or a queued key stays.
  void add_after(const ResourceKey& key, milliseconds delay);
  // Counts a failure and schedules the next attempt; returns the delay.
  milliseconds add_rate_limited(const ResourceKey& key);
  // How long to wait after so many failures in a row, for whoever counts failures of another kind.
  [[nodiscard]] milliseconds pause_after(int failures) const;
  // The key's failures are history.
  void forget(const ResourceKey& key);
  // The key is gone: not queued, not scheduled, no group; while it is out its entry stays until done().
  void remove(const ResourceKey& key);
  // Who works on the key found nothing to work on: it is gone with done(), unless it was added since it was taken.
  void retire(const ResourceKey& key);
  [[nodiscard]] int failures(const ResourceKey& key) const;

  // The next key that may be worked on; waits for one. Empty when the queue was shut down.
  [[nodiscard]] std::optional<ResourceKey> get();
  // The same without waiting.
  [[nodiscard]] std::optional<ResourceKey> try_get();
  void done(const ResourceKey& key);
  // Nothing was done with the key: with done() it waits once more, at the place it had, until its group has room.
  void requeue(const ResourceKey& key);
  // When the key was last added or became due: who works on it now works for nothing newer than this. Now for an unknown key.
  [[nodiscard]] SteadyTime asked(const ResourceKey& key) const;

  // No key is handed out from now on; waiting workers return.
  void shut_down();
  // Waits until nothing is queued or out (schedules are not waited for).
  void wait_until_idle();
  [[nodiscard]] QueueStatistics statistics() const;
  // Keys it knows, whether they wait, are out or are scheduled, or none of it.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry;
  using Known = std::pair<const ResourceKey, Entry>;  // of entries_, where it stays until it is removed
  struct Group {
    std::map<std::uint64_t, Known*> waiting;  // by ticket
    std::size_t out = 0;
    std::size_t members = 0;
    std::uint64_t listed = 0;  // the ticket under which it is in open_; 0: it is not
  };
  using GroupPlace = std::map<std::string, Group>::iterator;
  struct Entry {
    GroupPlace group{};
    int failures = 0;
    bool processing = false;
    bool again = false;        // added while processing
    bool back = false;         // given back
    bool leaving = false;      // gone when it is done, unless something is asked of it meanwhile
    std::uint64_t ticket = 0;  // of the queue; 0: not queued
    std::uint64_t taken = 0;   // with which ticket it was
    std::optional<SteadyTime> scheduled;
    SteadyTime queued_at{};
    SteadyTime asked{};
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
  GroupPlace join_group(const std::string& name);
  void leave_group(GroupPlace place);
  void relist(GroupPlace place);
  void drop(std::map<ResourceKey, Entry>::iterator place);
  void enqueue(Known& known, SteadyTime since, std::uint64_t ticket);
  void dequeue(Entry& entry);
  void schedule(Known& known, SteadyTime when);
  void unschedule(Known& known);
  void promote_due(SteadyTime now);
  void wake_one();
  void wait_for_work(std::unique_lock<std::mutex>& lock, SteadyTime now);
  [[nodiscard]] std::optional<ResourceKey> take(SteadyTime now, double& waited);

  Clock& clock_;
  BackOff back_off_;
  std::size_t per_group_;
  QueueObserver* observer_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable due_;  // one of the waiting workers watches the schedule; the others sleep until there is a key
  std::condition_variable idle_;
  std::map<ResourceKey, Entry> entries_;
  std::map<std::string, Group> groups_;
  std::map<std::uint64_t, GroupPlace> open_;  // groups that have a key and room, by their first ticket
  std::set<Due> schedule_;
  std::uint64_t tickets_ = 0;
  std::map<ResourceKey, SteadyTime> out_;  // since when
  std::size_t queued_ = 0;
  std::size_t asleep_ = 0;
  bool watched_ = false;  // somebody waits on due_
  bool shut_down_ = false;
};

}  // namespace athanor::controller
