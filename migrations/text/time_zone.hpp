// Local time in a named zone, from the system's zone files, independent of the process's own time zone. Abseil reads each file
// when its zone is first used, and keeps it for the life of the process.
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
  // A default-constructed zone is UTC.
  TimeZone() = default;
  // `name` is an IANA name such as "Europe/Zurich"; empty means UTC. Tried as written, then in capitals, as Alembic does.
  // Error: Configuration for a zone that the system does not have, or a name that would leave the zone folder.
  [[nodiscard]] static Result<TimeZone> load(std::string_view name);

  // The local time there at `time`, in whole seconds.
  [[nodiscard]] LocalTime local(WallTime time) const;

 private:
  struct Rules;
  std::shared_ptr<const Rules> rules_;  // null: UTC
};

// "2026-11-21T03:10:00+01:00".
[[nodiscard]] std::string format_iso8601(const LocalTime& time);

}  // namespace athanor
