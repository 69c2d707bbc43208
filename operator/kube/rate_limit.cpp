#include "operator/kube/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace athanor::controller {

TokenBucket::TokenBucket(Clock& clock, double per_second, double burst)
    : clock_(clock), per_second_(per_second), burst_(std::max(burst, 1.0)), tokens_(burst_), filled_at_(clock.steady_now()) {}

std::optional<milliseconds> TokenBucket::reserve(milliseconds max_wait) {
  if (per_second_ <= 0) {
    return milliseconds(0);
  }
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  const double elapsed = std::chrono::duration<double>(now - filled_at_).count();
  tokens_ = std::min(burst_, tokens_ + std::max(elapsed, 0.0) * per_second_);
  filled_at_ = now;
  // Earlier reservations may have made tokens_ negative; each of them adds one token's time to this wait.
  const double missing = std::max(1.0 - tokens_, 0.0);
  // Subtract a rounding error before rounding up: a bucket that lacks exactly one token must not wait an additional
  // millisecond.
  const milliseconds delay(static_cast<milliseconds::rep>(std::ceil(missing / per_second_ * 1000.0 - 1e-6)));
  if (delay > max_wait) {
    return std::nullopt;
  }
  // Only now: a rejected reservation must not delay later requests.
  tokens_ -= 1.0;
  return delay;
}

}  // namespace athanor::controller
