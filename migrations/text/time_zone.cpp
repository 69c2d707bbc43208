#include "migrations/text/time_zone.hpp"

#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

namespace athanor {

struct TimeZone::Rules {
  absl::TimeZone zone;
};

Result<TimeZone> TimeZone::load(std::string_view name) {
  if (name.empty() || name == "UTC" || name == "utc") {
    return TimeZone();
  }
  // Abseil also accepts paths and names of its own. Without dots, colons and a leading slash, only zones of the zone folder
  // remain.
  const bool tidy = name.front() != '/' && std::ranges::all_of(name, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             std::string_view("_+-/").find(c) != std::string_view::npos;
                    });
  const std::string written(name);
  std::string capitals = written;
  std::ranges::transform(capitals, capitals.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  Rules rules;
  if (!tidy || (!absl::LoadTimeZone(written, &rules.zone) && !absl::LoadTimeZone(capitals, &rules.zone))) {
    return fail(Error(ErrorCode::Configuration, "unknown time zone `" + written + "`")
                    .advise("use an IANA name such as Europe/Zurich; the system's zone files must be installed"));
  }
  TimeZone loaded;
  loaded.rules_ = std::make_shared<const Rules>(rules);
  return loaded;
}

LocalTime TimeZone::local(WallTime time) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  const auto info = (rules_ ? rules_->zone : absl::UTCTimeZone()).At(absl::FromUnixSeconds(seconds));
  LocalTime local;
  local.year = static_cast<int>(info.cs.year());
  local.month = info.cs.month();
  local.day = info.cs.day();
  local.hour = info.cs.hour();
  local.minute = info.cs.minute();
  local.second = info.cs.second();
  local.offset = info.offset;
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
