// Exponential back-off of keys that fail, each by itself.
//
// Threads: BackOff is a plain value; RetryBackOff is safe from any thread. Ownership: keeps an entry only for keys that have
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
  // The delay after `failures` + 1 failures in a row; `luck` in [0, 1) decides the jitter.
  [[nodiscard]] milliseconds delay(int failures, double luck) const;
};

class RetryBackOff {
 public:
  explicit RetryBackOff(BackOff back_off = {}) : back_off_(back_off) {}

  // Counts a failure; returns how long to wait before the next attempt.
  milliseconds failed(const ResourceKey& key);
  // The next failure is the first one again.
  void forget(const ResourceKey& key);
  // In a row; 0 for an unknown key.
  [[nodiscard]] int failures(const ResourceKey& key) const;
  // The delay after that many failures in a row, for callers that count themselves. Counts nothing.
  [[nodiscard]] milliseconds delay_after(int failures) const;

 private:
  BackOff back_off_;
  mutable std::mutex mutex_;
  std::map<ResourceKey, int> failures_;
};

}  // namespace athanor::controller
