// Runs a piece of work once for all threads that need it at the same time; the others wait and share its result, a value or an
// error.
//
// An earlier value is reused while the caller considers it good. An error is shared with the threads that waited for it, and
// reused for as long as the work took: a server that does not answer for a minute is not asked again by every worker, and one
// that refuses immediately may be asked again immediately. An error is reused only for the same subject; a caller with another
// subject (a newer commit, another artifact) does not get it.
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

  // Returns the last result if it may be reused, otherwise that of `work`, which runs under the lock. `good`: whether an
  // earlier value still serves. `subject`: what the work is about, see above.
  [[nodiscard]] Result<T> get(const std::function<bool(const T&)>& good, const std::function<Result<T>()>& work,
                              const std::string& subject = {}) {
    // Read before waiting for the lock. If it differs afterwards, the work ended while this thread waited, and its error
    // answers this call too.
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
  std::string subject_;  // of last_
  SteadyTime failed_until_{};
};

}  // namespace athanor::controller
