// A token bucket: requests at a steady rate, and a burst of them after a rest.
//
// A token may be taken before it is there; who takes it waits for it. So requests that queue up leave in the order in which
// they came, and nobody polls.
//
// Threads: safe from any thread. Ownership: borrows the clock.
#pragma once

#include <mutex>
#include <optional>

#include "migrations/base/clock.hpp"

namespace athanor::controller {

class TokenBucket {
 public:
  // A rate of 0 or less: no limit.
  TokenBucket(Clock& clock, double per_second, double burst);
  // Takes a token and says how long to wait for it; takes nothing when that is longer than `patience`.
  [[nodiscard]] std::optional<milliseconds> reserve(milliseconds patience);

 private:
  Clock& clock_;
  const double per_second_;
  const double burst_;
  std::mutex mutex_;
  double tokens_;
  SteadyTime filled_at_;
};

}  // namespace athanor::controller
