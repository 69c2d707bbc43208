#include "migrations/base/clock.hpp"

#include <poll.h>

#include <algorithm>
#include <ctime>
#include <string_view>

namespace athanor {

SteadyTime SystemClock::steady_now() const {
  return std::chrono::steady_clock::now();
}
WallTime SystemClock::wall_now() const {
  return std::chrono::system_clock::now();
}

bool SystemClock::wait(milliseconds duration, const StopToken& stop) {
  const auto deadline = steady_now() + duration;
  while (!stop.requested()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_now());
    if (left.count() <= 0) {
      return true;
    }
    pollfd descriptor{stop.descriptor(), POLLIN, 0};
    // In slices of a minute at most: poll() takes an int, which a long duration in milliseconds would overflow.
    ::poll(&descriptor, 1, static_cast<int>(std::min<milliseconds::rep>(left.count(), 60'000)));
  }
  return false;
}

std::string format_iso8601(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return {text, length};
}

std::optional<WallTime> parse_iso8601(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr || (std::string_view(end) != "+00:00" && std::string_view(end) != "Z")) {
    return std::nullopt;
  }
  // A WallTime counts nanoseconds. Outside 1678 to 2261 it would wrap around, and a past time could become a future one.
  constexpr int kFirstYear = 1678;
  constexpr int kLastYear = 2261;
  constexpr int kTmYear = 1900;
  if (parts.tm_year + kTmYear < kFirstYear || parts.tm_year + kTmYear > kLastYear) {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace athanor
