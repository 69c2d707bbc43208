// Exponential back-off for each failing key.
//
// Threads: BackOff is a plain value; RetryBackOff is safe from any thread. Ownership: stores an entry only for keys that have
// failed and not succeeded since.
#pragma once

#include <map>
#include <mutex>

#include "migrations/base/clock.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct BackOff {
  milliseconds first{1'000};
  milliseconds most{300'000};
  double jitter = 0.1;  // ± this share
  // Returns the delay after `failures` + 1 consecutive failures; `luck` in [0, 1) selects the jitter.
  [[nodiscard]] milliseconds delay(int failures, double luck) const;
};

class RetryBackOff {
 public:
  explicit RetryBackOff(BackOff back_off = {}) : back_off_(back_off) {}

  // Counts a failure and returns the delay before the next attempt.
  milliseconds failed(const ResourceKey& key);
  // Resets the count: the next failure is the first again.
  void forget(const ResourceKey& key);
  // Returns the number of consecutive failures; 0 for an unknown key.
  [[nodiscard]] int failures(const ResourceKey& key) const;
  // Returns the delay after this many consecutive failures, for callers that count themselves. Counts nothing.
  [[nodiscard]] milliseconds delay_after(int failures) const;

 private:
  BackOff back_off_;
  mutable std::mutex mutex_;
  std::map<ResourceKey, int> failures_;
};

}  // namespace athanor::controller
