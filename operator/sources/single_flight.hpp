// Work that many ask for and one does: the others wait, and share its result, be it a value or an error.
//
// An earlier value is taken as long as the asker finds it good. An error is shared with those who waited for it, and kept for
// as long as it took to come about: a server that answers nothing within a minute is not asked all the time by every worker
// there is, one that refuses at once may be asked again at once. It is the answer to what was asked for and to nothing else:
// who names another subject (a newer commit, another artifact) does not get it.
//
// Threads: safe from any thread. Ownership: borrows the clock.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor::controller {

template <class T>
class SingleFlight {
 public:
  explicit SingleFlight(Clock& clock) : clock_(clock) {}

  [[nodiscard]] Result<T> get(const std::function<bool(const T&)>& good, const std::function<Result<T>()>& work,
                              const std::string& subject = {}) {
    const std::uint64_t seen = ended_;
    const std::lock_guard lock(mutex_);
    if (last_ &&
        (last_->has_value() ? good(**last_) : subject == subject_ && (ended_ != seen || clock_.steady_now() < failed_until_))) {
      return *last_;
    }
    subject_ = subject;
    const SteadyTime begun = clock_.steady_now();
    last_ = work();
    const SteadyTime now = clock_.steady_now();
    failed_until_ = now + (now - begun);
    ++ended_;
    return *last_;
  }

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> ended_{0};
  std::optional<Result<T>> last_;
  std::string subject_;  // of the last one
  SteadyTime failed_until_{};
};

}  // namespace athanor::controller
