#include "operator/reconcile/back_off.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace athanor::controller {
namespace {

double luck() {
  static thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

}  // namespace

milliseconds BackOff::delay(int failures, double luck) const {
  const int doublings = std::clamp(failures, 0, 30);
  const double grown = static_cast<double>(first.count()) * std::pow(2.0, doublings);
  const double capped = std::min(grown, static_cast<double>(most.count()));
  const double jittered = capped * (1.0 + jitter * (2.0 * luck - 1.0));
  return milliseconds(static_cast<std::int64_t>(jittered));
}

milliseconds RetryBackOff::failed(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  return delay_after(++failures_[key]);
}

void RetryBackOff::forget(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

int RetryBackOff::failures(const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

milliseconds RetryBackOff::delay_after(int failures) const {
  return back_off_.delay(std::max(failures - 1, 0), luck());
}

}  // namespace athanor::controller
