#include "migrations/base/stop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace athanor {

StopLevel StopToken::level() const {
  const StopLevel flagged = flag_ != nullptr && flag_->load(std::memory_order_acquire) ? StopLevel::Graceful : StopLevel::None;
  if (source_ == nullptr) {
    return flagged;
  }
  const auto own = static_cast<StopLevel>(source_->level_.load(std::memory_order_acquire));
  // `urging_` alone stops nothing: it only makes a stop that was requested here more urgent.
  return std::max(flagged, own == StopLevel::None ? own : std::max(own, source_->urging_.level()));
}

StopToken StopToken::or_once(const std::atomic<bool>& flag) const {
  StopToken token = *this;
  token.flag_ = &flag;
  return token;
}

int StopToken::descriptor() const {
  return source_ == nullptr ? -1 : source_->descriptor_;
}

StopSource::StopSource() : StopSource(StopToken()) {}

StopSource::StopSource(StopToken urging) : urging_(urging), descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

StopSource::~StopSource() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void StopSource::request() noexcept {
  const int level = level_.load(std::memory_order_acquire);
  request(level == 0 ? StopLevel::Graceful : StopLevel::Now);
}

void StopSource::request(StopLevel level) noexcept {
  const int wanted = static_cast<int>(level);
  int seen = level_.load(std::memory_order_acquire);
  while (seen < wanted && !level_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel)) {
  }
  // Never read, so it stays readable: every thread that polls it wakes up, now and later.
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

}  // namespace athanor
