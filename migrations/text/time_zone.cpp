#include "migrations/text/time_zone.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace athanor {
namespace {

constexpr std::int64_t kDay = 86'400;

// Big-endian fields of a TZif file; reading past the end makes it fail for good.
class ZoneBytes {
 public:
  explicit ZoneBytes(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::string_view rest() const { return bytes_; }

  std::string_view take(std::size_t count) {
    if (count > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const auto taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::int64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const char c : take(width)) {
      value = value << 8U | static_cast<unsigned char>(c);
    }
    return width == 4 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value)) : static_cast<std::int64_t>(value);
  }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

struct ZoneHeader {
  char version = '\0';
  std::array<std::size_t, 6> counts{};  // isut, isstd, leap, time, type, char
  [[nodiscard]] std::size_t body_size(std::size_t time_width) const {
    return counts[3] * (time_width + 1) + counts[4] * 6 + counts[5] + counts[2] * (time_width + 4) + counts[1] + counts[0];
  }
};

bool take_header(ZoneBytes& bytes, ZoneHeader& header) {
  if (bytes.take(4) != "TZif") {
    return false;
  }
  const auto version = bytes.take(16);
  header.version = version.empty() ? '\0' : version.front();
  for (auto& count : header.counts) {
    const auto number = bytes.number(4);
    if (number < 0 || number > 1'000'000) {
      return false;
    }
    count = static_cast<std::size_t>(number);
  }
  return !bytes.failed();
}

bool take_int(std::string_view& text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// "[+-]hh[:mm[:ss]]" in seconds.
bool take_clock(std::string_view& text, int& seconds) {
  int sign = 1;
  if (text.starts_with('-') || text.starts_with('+')) {
    sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  int total = 0;
  for (const int unit : {3600, 60, 1}) {
    int part = 0;
    if (unit != 3600) {
      if (!text.starts_with(':')) {
        break;
      }
      text.remove_prefix(1);
    }
    if (!take_int(text, part) || part < 0 || part > 999) {
      return false;
    }
    total += part * unit;
  }
  seconds = sign * total;
  return true;
}

bool skip_zone_name(std::string_view& text) {
  const auto end = text.starts_with('<') ? text.find('>') : text.find_first_of("0123456789+-,");
  if (end == 0 || end == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(text.starts_with('<') ? end + 1 : end);
  return true;
}

std::int64_t days_from_epoch(int year, int month, int day) {
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::chrono::year_month_day date_of(std::int64_t days) {
  return std::chrono::year_month_day(std::chrono::sys_days(std::chrono::days(days)));
}

std::int64_t floor_days(std::int64_t seconds) {
  return seconds / kDay - (seconds % kDay < 0 ? 1 : 0);
}

}  // namespace

Result<TimeZone> TimeZone::load(std::string_view name, const std::string& folder) {
  TimeZone zone;
  if (name.empty() || name == "UTC" || name == "utc") {
    return zone;
  }
  const Error unknown = Error(ErrorCode::Configuration, "unknown time zone `" + std::string(name) + "`")
                            .advise("use an IANA name such as Europe/Zurich; the system's zone files must be installed");
  const bool tidy = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+-/").find(c) != std::string_view::npos;
  });
  if (!tidy || name.front() == '/') {
    return fail(unknown);
  }
  std::string capitals(name);
  std::ranges::transform(capitals, capitals.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  for (const auto& spelling : {std::string(name), capitals}) {
    const std::filesystem::path path = std::filesystem::path(folder) / spelling;
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) {
      continue;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file && zone.parse(bytes)) {
      return zone;
    }
  }
  return fail(unknown);
}

bool TimeZone::parse(std::string_view text) {
  ZoneBytes bytes(text);
  ZoneHeader header;
  if (!take_header(bytes, header)) {
    return false;
  }
  std::size_t width = 4;
  if (header.version >= '2') {  // the 64-bit block follows the old one
    (void)bytes.take(header.body_size(4));
    width = 8;
    if (!take_header(bytes, header)) {
      return false;
    }
  }
  ZoneBytes body(bytes.take(header.body_size(width)));
  if (bytes.failed() || header.counts[4] == 0) {
    return false;
  }
  transitions_.assign(header.counts[3], Transition{});
  for (auto& transition : transitions_) {
    transition.at = body.number(width);
  }
  std::vector<std::size_t> types;
  for (std::size_t index = 0; index < header.counts[3]; ++index) {
    types.push_back(static_cast<unsigned char>(body.take(1).front()));
  }
  std::vector<int> offsets;
  for (std::size_t index = 0; index < header.counts[4]; ++index) {
    offsets.push_back(static_cast<int>(body.number(4)));
    (void)body.take(2);
  }
  for (std::size_t index = 0; index < transitions_.size(); ++index) {
    if (types[index] >= offsets.size()) {
      return false;
    }
    transitions_[index].offset = offsets[types[index]];
  }
  first_offset_ = offsets.front();
  auto footer = bytes.rest();
  if (footer.starts_with('\n') && footer.size() > 2) {
    footer.remove_prefix(1);
    rule_.present = parse_rule(footer.substr(0, footer.find('\n')));
  }
  return true;
}

// A POSIX TZ text: "CET-1CEST,M3.5.0,M10.5.0/3".
bool TimeZone::parse_rule(std::string_view text) {
  int west = 0;
  if (!skip_zone_name(text) || !take_clock(text, west)) {
    return false;
  }
  rule_.standard_offset = -west;
  if (text.empty()) {
    return true;
  }
  rule_.daylight = true;
  rule_.daylight_offset = rule_.standard_offset + 3600;
  if (!skip_zone_name(text)) {
    return false;
  }
  if (!text.starts_with(',')) {
    if (!take_clock(text, west)) {
      return false;
    }
    rule_.daylight_offset = -west;
  }
  return take_date(text, rule_.start) && take_date(text, rule_.end) && text.empty();
}

bool TimeZone::take_date(std::string_view& text, RuleDate& date) {
  if (!text.starts_with(',')) {
    return false;
  }
  text.remove_prefix(1);
  if (text.starts_with('M')) {
    text.remove_prefix(1);
    const auto dot = [&text] {
      const bool found = text.starts_with('.');
      text.remove_prefix(found ? 1 : 0);
      return found;
    };
    if (!take_int(text, date.month) || !dot() || !take_int(text, date.week) || !dot() || !take_int(text, date.day) ||
        date.month < 1 || date.month > 12 || date.week < 1 || date.week > 5 || date.day < 0 || date.day > 6) {
      return false;
    }
  } else {
    date.kind = text.starts_with('J') ? RuleDate::Kind::Julian : RuleDate::Kind::Day;
    text.remove_prefix(text.starts_with('J') ? 1 : 0);
    if (!take_int(text, date.day) || date.day < 0 || date.day > 366) {
      return false;
    }
  }
  if (text.starts_with('/')) {
    text.remove_prefix(1);
    return take_clock(text, date.time);
  }
  return true;
}

std::int64_t TimeZone::moment_of(const RuleDate& date, int year, int offset) {
  std::int64_t day = 0;
  if (date.kind == RuleDate::Kind::Month) {
    using namespace std::chrono;
    const auto month = std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(date.month));
    const weekday wanted(static_cast<unsigned>(date.day));
    const sys_days found =
        date.week == 5 ? sys_days(month / wanted[last]) : sys_days(month / wanted[static_cast<unsigned>(date.week)]);
    day = found.time_since_epoch().count();
  } else {
    day = days_from_epoch(year, 1, 1) + date.day;
    if (date.kind == RuleDate::Kind::Julian) {  // counts from 1 and never counts 29 February
      const bool leap = std::chrono::year(year).is_leap();
      day += -1 + (leap && date.day >= 60 ? 1 : 0);
    }
  }
  return day * kDay + date.time - offset;
}

int TimeZone::rule_offset(std::int64_t seconds) const {
  if (!rule_.daylight) {
    return rule_.standard_offset;
  }
  const int year = static_cast<int>(date_of(floor_days(seconds + rule_.standard_offset)).year());
  const auto start = moment_of(rule_.start, year, rule_.standard_offset);
  const auto end = moment_of(rule_.end, year, rule_.daylight_offset);
  const bool daylight = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end;
  return daylight ? rule_.daylight_offset : rule_.standard_offset;
}

int TimeZone::offset_at(std::int64_t seconds) const {
  if (transitions_.empty() || seconds < transitions_.front().at) {
    return transitions_.empty() && rule_.present ? rule_offset(seconds) : first_offset_;
  }
  if (seconds >= transitions_.back().at && rule_.present) {
    return rule_offset(seconds);
  }
  const auto after = std::ranges::upper_bound(transitions_, seconds, {}, &Transition::at);
  return std::prev(after)->offset;
}

LocalTime TimeZone::local(WallTime time) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  LocalTime local;
  local.offset = offset_at(seconds);
  const std::int64_t shifted = seconds + local.offset;
  const std::int64_t days = floor_days(shifted);
  const auto date = date_of(days);
  local.year = static_cast<int>(date.year());
  local.month = static_cast<int>(static_cast<unsigned>(date.month()));
  local.day = static_cast<int>(static_cast<unsigned>(date.day()));
  const auto rest = static_cast<int>(shifted - days * kDay);
  local.hour = rest / 3600;
  local.minute = rest / 60 % 60;
  local.second = rest % 60;
  return local;
}

std::string format_iso8601(const LocalTime& time) {
  std::array<char, 80> text{};
  const int east = time.offset < 0 ? -time.offset : time.offset;
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", time.year, time.month, time.day,
                    time.hour, time.minute, time.second, time.offset < 0 ? '-' : '+', east / 3600, east / 60 % 60);
  return std::string(text.data(), static_cast<std::size_t>(std::max(length, 0)));
}

}  // namespace athanor
