// Formats Kubernetes' MicroTime: "2026-11-21T02:10:00.123456Z".
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/base/clock.hpp"

namespace athanor::controller {

[[nodiscard]] inline std::string micro_time(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time - whole).count();
  std::string digits = std::to_string(micros);
  digits.insert(0, 6 - digits.size(), '0');
  return format_iso8601(whole).substr(0, 19) + "." + digits + "Z";
}

}  // namespace athanor::controller
