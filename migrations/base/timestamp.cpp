#include "migrations/base/timestamp.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace athanor {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kSecondsOfTime = 19;  // "2026-11-21T02:10:00"

// "+01:00" or "Z", in minutes east of UTC.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  constexpr std::size_t kLength = 6;
  constexpr int kMinutesOfDay = 24 * 60;
  if (text == "Z" || text == "z") {
    return std::chrono::minutes(0);
  }
  if (text.size() != kLength || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
      (std::string(text.substr(1, 2)) + std::string(text.substr(4))).find_first_not_of(kDigits) != std::string::npos) {
    return std::nullopt;
  }
  const auto digit = [&](std::size_t at) { return text[at] - '0'; };
  const int minutes = (digit(1) * 10 + digit(2)) * 60 + digit(4) * 10 + digit(5);
  if (minutes >= kMinutesOfDay || digit(4) > 5) {
    return std::nullopt;
  }
  return std::chrono::minutes(text[0] == '+' ? minutes : -minutes);
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  constexpr std::string_view kBeyond = "2262";
  if (text.size() <= kSecondsOfTime) {
    return std::nullopt;
  }
  std::string seconds(text.substr(0, kSecondsOfTime));
  std::ranges::replace(seconds, 't', 'T');
  std::string_view rest = text.substr(kSecondsOfTime);
  if (rest.starts_with('.') || rest.starts_with(',')) {
    const std::size_t end = std::min(rest.find_first_not_of(kDigits, 1), rest.size());
    rest = end > 1 ? rest.substr(end) : std::string_view();
  }
  const auto offset = parse_offset(rest);
  if (!offset) {
    return std::nullopt;
  }
  if (seconds.find_first_not_of(kDigits) == kBeyond.size() && seconds.substr(0, kBeyond.size()) >= kBeyond) {
    // The rest must be a time all the same: read it in a year that a WallTime has.
    return parse_iso8601("2000" + seconds.substr(kBeyond.size()) + "Z") ? std::optional(WallTime::max()) : std::nullopt;
  }
  const auto time = parse_iso8601(seconds + "Z");
  return time ? std::optional(*time - *offset) : std::nullopt;
}

}  // namespace athanor
