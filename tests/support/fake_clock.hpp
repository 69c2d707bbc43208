// A clock that a test controls. wait() records the duration and advances the time without sleeping.
//
// Threads: any thread may read the time; only one may advance it or wait.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "migrations/base/clock.hpp"

namespace athanor::test {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override { return steady_; }
  [[nodiscard]] WallTime wall_now() const override { return WallTime(std::chrono::seconds(1'790'000'000)) + elapsed(); }
  bool wait(milliseconds duration, const StopToken& stop) override {
    waits.push_back(duration);
    if (on_wait) {
      on_wait(duration);
    }
    if (stop.requested()) {
      return false;
    }
    advance(duration);
    return true;
  }
  void advance(milliseconds duration) { steady_ = steady_now() + duration; }
  [[nodiscard]] std::chrono::system_clock::duration elapsed() const {
    return std::chrono::duration_cast<std::chrono::system_clock::duration>(steady_now() - SteadyTime{});
  }

  std::vector<milliseconds> waits;
  std::function<void(milliseconds)> on_wait;  // runs inside wait(), before the time advances

 private:
  std::atomic<SteadyTime> steady_{};
};

}  // namespace athanor::test
