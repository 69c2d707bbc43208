// A cron schedule of five fields (minute, hour, day of month, month, day of week), as Kubernetes' CronJob reads it.
//
// Numbers, names (JAN, MON), `*`, ranges, lists and steps; 7 is Sunday too. When both days are restricted, either one is
// enough. Local times that do not exist (the clock jumps forward) are passed over; those that exist twice fire the first time.
//
// Threads: plain value.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/text/time_zone.hpp"

namespace athanor::controller {

class CronSchedule {
 public:
  [[nodiscard]] static Result<CronSchedule> parse(std::string_view text);
  // Whether it fires in the minute of this local time.
  [[nodiscard]] bool fires(const LocalTime& time) const;
  // Whether there is such a day at all: 30 February never comes.
  [[nodiscard]] bool ever_fires() const;
  // The first firing at or after `from`, to the minute; empty when there is none within five years (30 February).
  [[nodiscard]] std::optional<WallTime> next(WallTime from, const TimeZone& zone) const;
  // The last firing at or before `until`, not more than `reach` before it.
  [[nodiscard]] std::optional<WallTime> last(WallTime until, milliseconds reach, const TimeZone& zone) const;

 private:
  [[nodiscard]] bool day_fires(const LocalTime& time) const;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace athanor::controller
