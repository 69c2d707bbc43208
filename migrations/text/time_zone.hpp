// Local time in a named zone, from the system's zone files, without touching the process's own time zone. Abseil reads the
// files, each when it is first named, and keeps what it read for as long as the process runs.
//
// Threads: a plain value after load(), which is safe from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor {

struct LocalTime {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int offset = 0;  // seconds east of UTC
};

class TimeZone {
 public:
  // UTC.
  TimeZone() = default;
  // `name` is an IANA name such as "Europe/Zurich"; empty is UTC. Tried as written, then in capitals, as Alembic does. A zone
  // that the system does not have, and a name that would leave the zone folder, is a Configuration error.
  [[nodiscard]] static Result<TimeZone> load(std::string_view name);

  // What a clock on the wall shows there at `time`, in whole seconds.
  [[nodiscard]] LocalTime local(WallTime time) const;

 private:
  struct Rules;
  std::shared_ptr<const Rules> rules_;  // null: UTC
};

// "2026-11-21T03:10:00+01:00".
[[nodiscard]] std::string format_iso8601(const LocalTime& time);

}  // namespace athanor
