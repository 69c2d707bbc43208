#include "operator/serve/metrics_access.hpp"

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::size_t kMostKnown = 256;
constexpr std::size_t kMostPending = 16;
constexpr std::chrono::seconds kAllowedFor{60};
constexpr std::chrono::seconds kRefusedFor{10};
constexpr std::chrono::seconds kPreferredFor{3'600};  // after kAllowedFor
constexpr std::string_view kScheme = "Bearer ";

}  // namespace

MetricsAccess::MetricsAccess(ReviewToken review, Clock& clock, Decided decided)
    : review_(std::move(review)), clock_(clock), decided_(std::move(decided)) {
  thread_ = std::thread([this] { run(); });
}

MetricsAccess::~MetricsAccess() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::optional<Access> MetricsAccess::check(std::uint64_t client, const std::string& authorization) {
  if (!authorization.starts_with(kScheme) || authorization.size() == kScheme.size()) {
    return Access::Unauthenticated;
  }
  std::string token = authorization.substr(kScheme.size());
  {
    const std::lock_guard lock(mutex_);
    if (const auto access = known(token)) {
      return access;
    }
    // Answer 503 instead of queueing without limit.
    std::deque<Pending>& queue = was_allowed(token) ? renewals_ : pending_;
    if (queue.size() >= kMostPending) {
      return Access::Unavailable;
    }
    queue.push_back({client, std::move(token)});
  }
  changed_.notify_all();
  return std::nullopt;
}

std::optional<Access> MetricsAccess::known(const std::string& token) const {
  const auto found = known_.find(sha256_short(token));
  return found != known_.end() && clock_.steady_now() < found->second.until ? std::optional(found->second.access)
                                                                            : std::nullopt;
}

bool MetricsAccess::was_allowed(const std::string& token) const {
  const auto found = known_.find(sha256_short(token));
  return found != known_.end() && found->second.access == Access::Allowed;
}

// Evict refused tokens before allowed ones: invalid tokens must not push the scraper's out of the cache.
void MetricsAccess::remember(const std::string& token, Access access) {
  const SteadyTime now = clock_.steady_now();
  std::erase_if(known_, [now](const auto& one) {
    const auto kept = one.second.access == Access::Allowed ? kPreferredFor : std::chrono::seconds(0);
    return one.second.until + kept <= now;
  });
  if (known_.size() >= kMostKnown) {
    const auto first = std::ranges::min_element(
        known_, {}, [](const auto& one) { return std::pair(one.second.access == Access::Allowed, one.second.until); });
    known_.erase(first);
  }
  const auto period = access == Access::Allowed ? kAllowedFor : kRefusedFor;
  known_[sha256_short(token)] = {access, now + period};
}

void MetricsAccess::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !renewals_.empty() || !pending_.empty(); });
    if (ends_) {
      return;
    }
    std::deque<Pending>& queue = renewals_.empty() ? pending_ : renewals_;
    const Pending next = std::move(queue.front());
    queue.pop_front();
    auto access = known(next.token);  // an earlier request with the same token may have been reviewed meanwhile
    if (!access) {
      lock.unlock();
      try {
        const auto reviewed = review_(next.token);
        access = reviewed ? *reviewed : Access::Unavailable;
      } catch (const std::exception&) {  // an exception must not leave the thread
        access = Access::Unavailable;
      }
      lock.lock();
      // Do not cache a failed review: the next request tries again.
      if (*access != Access::Unavailable) {
        remember(next.token, *access);
      }
    }
    lock.unlock();
    // Without the lock: it calls the server, whose thread may be waiting for the lock in check().
    decided_(next.client, *access);
    lock.lock();
  }
}

}  // namespace athanor::controller
