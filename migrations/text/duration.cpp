#include "migrations/text/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace athanor {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"ms", 1}, Unit{"m", 60'000},
                                    Unit{"s", 1'000}};
constexpr std::array kSizeUnits{Unit{"KiB", std::int64_t{1} << 10U}, Unit{"MiB", std::int64_t{1} << 20U},
                                Unit{"GiB", std::int64_t{1} << 30U}};

Error bad_duration() {
  return Error(ErrorCode::Configuration, "not a duration").advise("write a number and a unit: 250ms, 2s, 10m, 1h or 1h30m");
}

// Takes a number off the start of `text`. Negative: there is none, or it is too large.
std::int64_t take_number(std::string_view& text) {
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || text.front() == '-') {
    return -1;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

template <std::size_t kCount>
std::int64_t take_unit(std::string_view& text, const std::array<Unit, kCount>& units) {
  for (const auto& unit : units) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return unit.factor;
    }
  }
  return 0;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") {
    return std::chrono::milliseconds(0);
  }
  std::int64_t total = 0;
  std::int64_t last_factor = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) {
    return fail(bad_duration());
  }
  while (!text.empty()) {
    const auto number = take_number(text);
    if (number >= 0 && text.empty() && total == 0) {
      return fail(Error(ErrorCode::Configuration, "the duration has no unit")
                      .advise("add the unit: " + std::to_string(number) + "ms, " + std::to_string(number) + "s or " +
                              std::to_string(number) + "m"));
    }
    const auto factor = take_unit(text, kDurationUnits);
    if (number < 0 || factor == 0 || factor >= last_factor) {
      return fail(bad_duration());
    }
    if (number > (std::numeric_limits<std::int64_t>::max() / 2 - total) / factor) {
      return fail(Error(ErrorCode::Configuration, "the duration is too long"));
    }
    total += number * factor;
    last_factor = factor;
  }
  return std::chrono::milliseconds(total);
}

std::string format_duration(std::chrono::milliseconds duration) {
  constexpr std::array kLargestFirst{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}};
  auto rest = static_cast<std::int64_t>(duration.count());
  std::string text;
  for (const auto& unit : kLargestFirst) {
    if (rest >= unit.factor) {
      text += std::to_string(rest / unit.factor);
      text += unit.name;
      rest %= unit.factor;
    }
  }
  return text.empty() ? "0" : text;
}

Result<std::size_t> parse_size(std::string_view text) {
  const Error bad = Error(ErrorCode::Configuration, "not a size").advise("write bytes, or a number and KiB, MiB or GiB");
  if (text.empty()) {
    return fail(bad);
  }
  const auto number = take_number(text);
  const auto factor = text.empty() ? 1 : take_unit(text, kSizeUnits);
  if (number < 0 || factor == 0 || !text.empty() || number > std::numeric_limits<std::int64_t>::max() / factor) {
    return fail(bad);
  }
  return static_cast<std::size_t>(number * factor);
}

}  // namespace athanor
