// Reads durations and sizes as people write them: "250ms", "2s", "10m", "1h"; "64KiB", "16MiB". A missing unit is never
// guessed.
//
// Threads: pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

// Reads "250ms", "2s", "10m", "1h" or combinations such as "1h30m". "0" needs no unit; any other number without a unit is an
// error that shows the correct form.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest text that parse_duration() reads back: 90 seconds are "1m30s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

// Reads "4096" (bytes), "64KiB", "16MiB", "1GiB".
[[nodiscard]] Result<std::size_t> parse_size(std::string_view text);

}  // namespace athanor
