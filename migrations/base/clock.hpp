// Time as an argument. Everything that waits, measures or stamps takes a Clock, so a test decides what time it is and no test
// sleeps to hope.
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
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  // Waits for the duration or until a stop is requested. True when the whole duration passed.
  virtual bool wait(milliseconds duration, const StopToken& stop) = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  bool wait(milliseconds duration, const StopToken& stop) override;
};

// "2026-11-21T02:10:00+00:00" (seconds) in UTC.
[[nodiscard]] std::string format_iso8601(WallTime time);
// Of a text as format_iso8601 writes it, or with Z, as Kubernetes does; empty when it is something else.
[[nodiscard]] std::optional<WallTime> parse_iso8601(const std::string& text);

}  // namespace athanor
