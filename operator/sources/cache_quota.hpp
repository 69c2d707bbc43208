// Limits what the cache of sources holds for each namespace: Git repositories, downloads and unpacked files.
//
// The cache is one volume, and the kubelet evicts the operator when it is full, so no namespace may fill it. A fetch that would
// exceed the namespace's quota is abandoned. A repository that several namespaces name is kept once, and counts in full for
// each namespace that used it recently.
//
// Threads: safe from any thread. Ownership: items share the counts, so they may outlive the quota.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor::controller {

class CacheQuota {
 public:
  // `most`: bytes of one namespace; 0: no limit. `recent`: how long an item counts for a namespace that used it.
  CacheQuota(std::uint64_t most, milliseconds recent) : counts_(std::make_shared<Counts>(most, recent)) {}

  [[nodiscard]] bool limited() const { return counts_->most > 0; }

 private:
  struct Counts;

 public:
  // One folder of the cache. It counts from the first hold() until it is emptied or destroyed.
  class Item {
   public:
    // Shared: it stops counting for a namespace that has not used it recently. Otherwise it counts while it exists.
    enum class Use : std::uint8_t { Shared, Own };
    Item(const CacheQuota& quota, Use use) : counts_(quota.counts_), use_(use) {}
    ~Item();
    Item(const Item&) = delete;
    Item& operator=(const Item&) = delete;
    // Sets the folder's size, and counts it for the namespace. FileTooLarge: the namespace exceeds its quota; the caller must
    // remove what it added.
    [[nodiscard]] Result<void> hold(const std::string& name_space, std::uint64_t bytes, SteadyTime now);
    // Call when the folder is removed.
    void empty();

   private:
    std::shared_ptr<Counts> counts_;
    Use use_;
    std::uint64_t bytes_ = 0;                 // guarded by the mutex of the counts
    std::map<std::string, SteadyTime> used_;  // by namespace: when it used this last
  };

 private:
  struct Counts {
    Counts(std::uint64_t limit, milliseconds time) : most(limit), recent(time) {}
    std::uint64_t most;
    milliseconds recent;
    std::mutex mutex;
    std::set<const Item*> items;
  };
  std::shared_ptr<Counts> counts_;
};

}  // namespace athanor::controller
