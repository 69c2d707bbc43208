// Writes statuses to a store, and keeps those that could not be written.
//
// A status equal to the stored one is not written. One that could not be written is kept, and the next status is based on it;
// otherwise a run that ended while the API server was down would never be reported.
//
// Threads: safe from any thread; for each key, only one thread may call at a time. Ownership: borrows the store.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

template <typename Resource>
class StatusPublisher {
 public:
  using Status = typename ResourceStore<Resource>::Status;

  explicit StatusPublisher(ResourceStore<Resource>& store) : store_(store) {}

  // Writes a status that may be lost, because the next one supersedes it.
  [[nodiscard]] Result<void> write(const ResourceKey& key, const Status& status) {
    const auto stored = store_.find(key);
    return !stored || stored->status == status ? Result<void>() : store_.write_status(key, status);
  }

  // Writes the status of a finished reconcile, or keeps it when that fails.
  [[nodiscard]] Result<void> publish(const Resource& resource, const Status& status) {
    auto written = write(resource.key(), status);
    const std::lock_guard lock(mutex_);
    if (written) {
      unwritten_.erase(resource.key());
    } else {
      Unwritten& kept = unwritten_[resource.key()];
      kept = {resource.metadata.uid, status, (kept.uid == resource.metadata.uid ? kept.failures : 0) + 1};
    }
    return written;
  }

  // Returns the status to base the next one on, if it is newer than that of `resource`: an unwritten one, or the stored one,
  // which progress reports may have changed since `resource` was read.
  [[nodiscard]] std::optional<Status> newest(const Resource& resource) const {
    {
      const std::lock_guard lock(mutex_);
      const auto kept = unwritten_.find(resource.key());
      if (kept != unwritten_.end() && kept->second.uid == resource.metadata.uid) {
        return kept->second.status;
      }
    }
    // Compare resourceVersion before reading the whole resource. In standalone mode there are no versions.
    const auto version = store_.version(resource.key());
    if (!version || (!version->resource_version.empty() && version->resource_version == resource.metadata.resource_version)) {
      return std::nullopt;
    }
    auto stored = store_.find(resource.key());
    return stored ? std::optional(std::move(stored->status)) : std::nullopt;
  }

  // The number of consecutive failures to write the status of this resource.
  [[nodiscard]] int failures(const ResourceKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto kept = unwritten_.find(key);
    return kept == unwritten_.end() ? 0 : kept->second.failures;
  }

  void forget(const ResourceKey& key) {
    const std::lock_guard lock(mutex_);
    unwritten_.erase(key);
  }

 private:
  struct Unwritten {
    std::string uid;  // of the resource, so that a recreated one starts afresh
    Status status;
    int failures = 0;
  };

  ResourceStore<Resource>& store_;
  mutable std::mutex mutex_;
  std::map<ResourceKey, Unwritten> unwritten_;
};

}  // namespace athanor::controller
