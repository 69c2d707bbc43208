// Local time in a named zone, from the system's zone files (TZif, RFC 8536), without touching the process's own time zone.
//
// Threads: plain value after load().
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
  // An IANA name such as "Europe/Zurich"; empty is UTC. Tried as written, then in capitals, as Alembic does. Names that would
  // leave the zone folder are refused.
  [[nodiscard]] static Result<TimeZone> load(std::string_view name, const std::string& folder = "/usr/share/zoneinfo");

  [[nodiscard]] LocalTime local(WallTime time) const;

 private:
  // Offset from a moment on. Beyond the last one the footer's rule holds.
  struct Transition {
    std::int64_t at;
    int offset;
  };
  // "the week-th weekday of the month at time", or a day of the year.
  struct RuleDate {
    enum class Kind : std::uint8_t { Month, Julian, Day } kind = Kind::Month;
    int month = 1;
    int week = 1;
    int day = 0;
    int time = 7200;
  };
  struct Rule {
    bool present = false;
    bool daylight = false;
    int standard_offset = 0;
    int daylight_offset = 0;
    RuleDate start;
    RuleDate end;
  };

  [[nodiscard]] bool parse(std::string_view bytes);
  [[nodiscard]] bool parse_rule(std::string_view text);
  [[nodiscard]] int offset_at(std::int64_t seconds) const;
  [[nodiscard]] int rule_offset(std::int64_t seconds) const;
  static bool take_date(std::string_view& text, RuleDate& date);
  static std::int64_t moment_of(const RuleDate& date, int year, int offset);

  int first_offset_ = 0;
  std::vector<Transition> transitions_;
  Rule rule_;
};

// "2026-11-21T03:10:00+01:00".
[[nodiscard]] std::string format_iso8601(const LocalTime& time);

}  // namespace athanor
