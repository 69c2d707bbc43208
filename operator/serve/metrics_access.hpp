// Checks the bearer tokens of clients that read the metrics: the API server must know the token, and its user must have the
// right to get /metrics.
//
// Results are cached for a short time, so that a scraper costs one review a minute; the cache stores digests of tokens. Unknown
// tokens are reviewed one after another on a separate thread, with a bounded queue. A token that was allowed within the last
// hour has a queue of its own, which goes first. So a flood of invalid tokens neither locks out a scraper that was allowed
// before nor overloads the API server.
//
// Threads: its own thread calls `review` and `decided`; check() is safe from any thread. Ownership: owns the thread; borrows
// the clock.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/sha256.hpp"

namespace athanor::controller {

enum class Access : std::uint8_t { Allowed, Unauthenticated, Forbidden, Unavailable };

// Asks the API server whether the token's user may read the metrics. Error: the API server could not be asked.
using ReviewToken = std::function<Result<Access>(const std::string& token)>;

class MetricsAccess {
 public:
  using Decided = std::function<void(std::uint64_t client, Access access)>;

  MetricsAccess(ReviewToken review, Clock& clock, Decided decided);
  ~MetricsAccess();
  MetricsAccess(const MetricsAccess&) = delete;
  MetricsAccess& operator=(const MetricsAccess&) = delete;

  // Checks the value of the Authorization header. Returns nullopt when the API server must be asked first; `decided` is then
  // called with `client`.
  [[nodiscard]] std::optional<Access> check(std::uint64_t client, const std::string& authorization);

 private:
  struct Known {
    Access access = Access::Unauthenticated;
    SteadyTime until{};
  };
  struct Pending {
    std::uint64_t client;
    std::string token;
  };
  void run();
  void remember(const std::string& token, Access access);
  [[nodiscard]] bool was_allowed(const std::string& token) const;
  [[nodiscard]] std::optional<Access> known(const std::string& token) const;

  ReviewToken review_;
  Clock& clock_;
  Decided decided_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<ShortDigest, Known> known_;  // allowed tokens also after `until`
  std::deque<Pending> renewals_;        // of tokens that were allowed before
  std::deque<Pending> pending_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace athanor::controller
