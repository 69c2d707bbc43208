// A cron schedule of five fields (minute, hour, day of month, month, day of week), as Kubernetes' CronJob reads it.
//
// Supports numbers, names (JAN, MON), `*`, ranges, lists and steps; both 0 and 7 mean Sunday. When both day fields are
// restricted, a match of either is enough. Local times that do not exist (clocks set forward) are skipped; those that occur
// twice fire the first time.
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
  // Error: Configuration.
  [[nodiscard]] static Result<CronSchedule> parse(std::string_view text);
  // Whether it fires in the minute of this local time.
  [[nodiscard]] bool fires(const LocalTime& time) const;
  // Whether the schedule can match any date at all; 30 February never does.
  [[nodiscard]] bool ever_fires() const;
  // Returns the first match at or after `from`, to the minute; nullopt when there is none within five years.
  [[nodiscard]] std::optional<WallTime> next(WallTime from, const TimeZone& zone) const;
  // Returns the last match at or before `until`, at most `reach` before it; nullopt when there is none.
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
