// A token bucket: a steady rate of requests, and a burst after a pause.
//
// A token may be reserved before it is available; the caller then waits for it. So waiting requests leave in the order in which
// they arrived, without polling.
//
// Threads: safe from any thread. Ownership: borrows the clock.
#pragma once

#include <mutex>
#include <optional>

#include "migrations/base/clock.hpp"

namespace athanor::controller {

class TokenBucket {
 public:
  // `per_second` of 0 or less: no limit. The bucket starts full.
  TokenBucket(Clock& clock, double per_second, double burst);
  // Reserves a token and returns how long the caller must wait before using it. nullopt, and nothing is reserved, when that is
  // longer than `max_wait`.
  [[nodiscard]] std::optional<milliseconds> reserve(milliseconds max_wait);

 private:
  Clock& clock_;
  const double per_second_;
  const double burst_;
  std::mutex mutex_;
  double tokens_;
  SteadyTime filled_at_;
};

}  // namespace athanor::controller
