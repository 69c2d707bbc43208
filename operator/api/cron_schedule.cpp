#include "operator/api/cron_schedule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

namespace athanor::controller {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int kYearsAhead = 5;

struct FieldRule {
  std::string_view name;
  int least;
  int most;
};
constexpr std::array<FieldRule, 5> kFields{
    {{"minute", 0, 59}, {"hour", 0, 23}, {"day of month", 1, 31}, {"month", 1, 12}, {"day of week", 0, 7}}};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

std::optional<int> value_of(std::string_view text, const FieldRule& rule) {
  const std::string name = lower(text);
  if (rule.most == 12) {
    if (const auto found = std::ranges::find(kMonths, name); found != kMonths.end()) {
      return static_cast<int>(found - kMonths.begin()) + 1;
    }
  }
  if (rule.most == 7) {
    if (const auto found = std::ranges::find(kWeekdays, name); found != kWeekdays.end()) {
      return static_cast<int>(found - kWeekdays.begin());
    }
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < rule.least || value > rule.most) {
    return std::nullopt;
  }
  return value;
}

Error bad_field(const FieldRule& rule) {
  return Error(ErrorCode::Configuration, "invalid " + std::string(rule.name) + " in the schedule")
      .advise("write five fields as in cron, for example `0 2 * * SAT,SUN`");
}

// "a", "a-b", "*", each with "/step".
Result<std::vector<int>> values_of(std::string_view part, const FieldRule& rule) {
  int step = 1;
  const std::size_t slash = part.find('/');
  const bool stepped = slash != std::string_view::npos;
  if (stepped) {
    const std::string_view text = part.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (error != std::errc{} || end != text.data() + text.size() || step < 1 || step > rule.most) {
      return fail(bad_field(rule));
    }
    part = part.substr(0, slash);
  }
  int first = rule.least;
  int last = rule.most == 7 ? 6 : rule.most;
  if (part != "*") {
    const std::size_t dash = part.find('-');
    const auto begin = value_of(part.substr(0, dash), rule);
    const auto end = dash == std::string_view::npos ? (stepped ? last : begin) : value_of(part.substr(dash + 1), rule);
    if (!begin || !end || *end < *begin) {
      return fail(bad_field(rule));
    }
    first = *begin;
    last = *end;
  }
  std::vector<int> values;
  for (int value = first; value <= last; value += step) {
    values.push_back(value);
  }
  return values;
}

template <std::size_t kSize>
Result<void> read_field(std::string_view text, const FieldRule& rule, std::bitset<kSize>& bits) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    TRY_ASSIGN(const auto values, values_of(text.substr(begin, comma - begin), rule));
    for (const int value : values) {
      bits.set(static_cast<std::size_t>(rule.most == 7 && value == 7 ? 0 : value));
    }
    begin = comma + 1;
  }
  return {};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t begin = text.find_first_not_of(' '); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(' ', end);
  }
  return words;
}

std::size_t weekday_of(const LocalTime& time) {
  const std::chrono::year_month_day date{std::chrono::year(time.year), std::chrono::month(static_cast<unsigned>(time.month)),
                                         std::chrono::day(static_cast<unsigned>(time.day))};
  return std::chrono::weekday(std::chrono::sys_days(date)).c_encoding();
}

WallTime to_minute(WallTime time) {
  return std::chrono::floor<std::chrono::minutes>(time);
}

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() != kFields.size()) {
    return fail(Error(ErrorCode::Configuration, "a schedule has five fields, not " + std::to_string(words.size()))
                    .advise("write minute, hour, day of month, month and day of week, for example `0 2 * * SAT,SUN`"));
  }
  CronSchedule schedule;
  TRY(read_field(words[0], kFields[0], schedule.minutes_));
  TRY(read_field(words[1], kFields[1], schedule.hours_));
  TRY(read_field(words[2], kFields[2], schedule.days_));
  TRY(read_field(words[3], kFields[3], schedule.months_));
  TRY(read_field(words[4], kFields[4], schedule.weekdays_));
  // As in cron, a field that starts with `*` counts as unrestricted, also `*/2`.
  schedule.any_day_ = words[2].starts_with('*');
  schedule.any_weekday_ = words[4].starts_with('*');
  return schedule;
}

bool CronSchedule::day_fires(const LocalTime& time) const {
  if (!months_.test(static_cast<std::size_t>(time.month))) {
    return false;
  }
  const bool day = days_.test(static_cast<std::size_t>(time.day));
  const bool weekday = weekdays_.test(weekday_of(time));
  // As in cron: when both fields are restricted, a day that matches one of them is enough.
  return any_day_ || any_weekday_ ? day && weekday : day || weekday;
}

bool CronSchedule::ever_fires() const {
  if (any_day_ || !any_weekday_) {
    return true;  // every month has a matching day or weekday
  }
  constexpr std::array<std::size_t, 12> kLongest{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (std::size_t month = 1; month <= kLongest.size(); ++month) {
    for (std::size_t day = 1; months_.test(month) && day <= kLongest.at(month - 1); ++day) {
      if (days_.test(day)) {
        return true;
      }
    }
  }
  return false;
}

bool CronSchedule::fires(const LocalTime& time) const {
  return minutes_.test(static_cast<std::size_t>(time.minute)) && hours_.test(static_cast<std::size_t>(time.hour)) &&
         day_fires(time);
}

std::optional<WallTime> CronSchedule::next(WallTime from, const TimeZone& zone) const {
  WallTime time = to_minute(from);
  if (time < from) {
    time += std::chrono::minutes(1);
  }
  const WallTime limit = time + std::chrono::hours(24 * 366 * kYearsAhead);
  while (time < limit) {
    // Step in absolute time and convert every step, so that hours which daylight saving skips or repeats need no special case.
    const LocalTime local = zone.local(time);
    if (!day_fires(local) ||
        !hours_.test(static_cast<std::size_t>(local.hour))) {  // skip to the next local hour, which may be on another day
      time += std::chrono::minutes(60 - local.minute);
    } else if (!minutes_.test(static_cast<std::size_t>(local.minute))) {
      time += std::chrono::minutes(1);
    } else {
      return time;
    }
  }
  return std::nullopt;
}

std::optional<WallTime> CronSchedule::last(WallTime until, milliseconds reach, const TimeZone& zone) const {
  const WallTime limit = until - reach;
  for (WallTime time = to_minute(until); time >= limit; time -= std::chrono::minutes(1)) {
    if (fires(zone.local(time))) {
      return time;
    }
  }
  return std::nullopt;
}

}  // namespace athanor::controller
