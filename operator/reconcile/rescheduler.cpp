#include "operator/reconcile/rescheduler.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace athanor::controller {
namespace {

// Returns the time until the key's own moment in the period. Skips a moment sooner than `least`, because the resource was
// reconciled just now.
milliseconds until_own_moment(milliseconds period, milliseconds least, const ResourceKey& key, SteadyTime now) {
  const std::int64_t length = std::max<std::int64_t>(period.count(), 1);
  const std::int64_t passed = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count() % length;
  const auto own = static_cast<std::int64_t>(std::hash<std::string>{}(key.text()) % static_cast<std::size_t>(length));
  const std::int64_t wait = (own - passed + length) % length;
  return milliseconds(wait >= least.count() ? wait : wait + length);
}

}  // namespace

Rescheduler::Rescheduler(WorkQueue& queue, ControllerObserver& observer, Clock& clock, const ControllerOptions& options)
    : queue_(queue), observer_(observer), clock_(clock), options_(options), back_off_(options.back_off) {}

int Rescheduler::count_race(const ResourceKey& key, bool lost_race) {
  const std::lock_guard lock(mutex_);
  if (!lost_race) {
    lost_races_.erase(key);
    return 0;
  }
  return lost_races_[key]++;
}

std::optional<milliseconds> Rescheduler::reschedule(const ResourceKey& key, Requeue next, std::optional<milliseconds> after) {
  if (next == Requeue::AtOnce) {  // not a retry, so it is part of the single pass of --once
    queue_.add(key);
    return std::nullopt;
  }
  queue_.set_failing(key, next == Requeue::BackOff);
  if (next != Requeue::BackOff) {
    back_off_.forget(key);
  }
  if (options_.once) {
    return std::nullopt;
  }
  switch (next) {
    case Requeue::BackOff: {
      const milliseconds delay = back_off_.failed(key);
      observer_.retry_scheduled();
      queue_.add_after(key, delay);
      return delay;
    }
    case Requeue::Shortly:
      queue_.add_after(key, options_.wait_again);
      break;
    case Requeue::Scheduled:
      queue_.add_after(key, std::min(after.value_or(options_.resync), until_resync(key)));
      break;
    case Requeue::Resync:
      queue_.add_after(key, until_resync(key));
      break;
    case Requeue::AtOnce:
    case Requeue::Never:
      break;
  }
  return std::nullopt;
}

void Rescheduler::retry(const ResourceKey& key) {
  queue_.set_failing(key, true);
  observer_.retry_scheduled();
  queue_.add_after(key, back_off_.failed(key));
}

void Rescheduler::retry_status(const ResourceKey& key, int failures) {
  queue_.add_after(key, back_off_.delay_after(failures));
}

void Rescheduler::forget(const ResourceKey& key) {
  back_off_.forget(key);
  const std::lock_guard lock(mutex_);
  lost_races_.erase(key);
}

milliseconds Rescheduler::until_resync(const ResourceKey& key) const {
  double periods = 1;
  if (options_.resyncs_per_second > 0) {
    // Use whole multiples: adding or removing one resource must not shift the moments of all others.
    const double in_one = options_.resyncs_per_second * std::chrono::duration<double>(options_.resync).count();
    periods = std::max(1.0, std::ceil(static_cast<double>(queue_.size()) / in_one));
  }
  const milliseconds period = options_.resync * static_cast<milliseconds::rep>(periods);
  return until_own_moment(period, options_.resync / 10, key, clock_.steady_now());
}

}  // namespace athanor::controller
