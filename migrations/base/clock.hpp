// Time as an argument. Everything that waits, measures or records a time takes a Clock, so tests set the time and never sleep.
//
// Threads: implementations are safe to share between threads.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "migrations/base/stop.hpp"

namespace athanor {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic: for deadlines and durations.
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;
  // Calendar time: for timestamps that are stored or shown.
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  // Blocks for `duration` or until a stop is requested. Returns true when the whole duration passed.
  virtual bool wait(milliseconds duration, const StopToken& stop) = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  bool wait(milliseconds duration, const StopToken& stop) override;
};

// UTC, in whole seconds: "2026-11-21T02:10:00+00:00".
[[nodiscard]] std::string format_iso8601(WallTime time);
// Reads what format_iso8601() writes, and the same with "Z", as Kubernetes writes it. Empty for any other text.
[[nodiscard]] std::optional<WallTime> parse_iso8601(const std::string& text);

}  // namespace athanor
