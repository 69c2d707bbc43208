// Who may read the metrics: bearers of a token that the API server vouches for.
//
// An answer is remembered for a short while, so that a scraper costs one review a minute; tokens are remembered as digests.
// Tokens that are not known yet are reviewed one after the other on a thread of its own, and a bounded number waits: a crowd
// with made-up tokens shuts out neither the scraper whose token is known, nor the API server.
//
// Threads: one of its own, which calls `review` and `decided`; check() is safe from any thread. Ownership: owns the thread.
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

// Asks the API server. Errors: it could not be asked.
using ReviewToken = std::function<Result<Access>(const std::string& token)>;

class MetricsAccess {
 public:
  using Decided = std::function<void(std::uint64_t client, Access access)>;

  MetricsAccess(ReviewToken review, Clock& clock, Decided decided);
  ~MetricsAccess();
  MetricsAccess(const MetricsAccess&) = delete;
  MetricsAccess& operator=(const MetricsAccess&) = delete;

  // `authorization`: the header. Empty when the API server is asked first: `decided` is called then.
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
  [[nodiscard]] std::optional<Access> known(const std::string& token) const;

  ReviewToken review_;
  Clock& clock_;
  Decided decided_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<ShortDigest, Known> known_;
  std::deque<Pending> pending_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace athanor::controller
