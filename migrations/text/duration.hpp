// Durations and sizes as people write them: "250ms", "2s", "10m", "1h"; "64KiB", "16MiB". The unit is never guessed.
//
// Threads: pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

// "250ms", "2s", "10m", "1h", also joined: "1h30m". "0" needs no unit; any other bare number is an error that names the
// spelling.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest text that parse_duration() reads back: "90s" is "1m30s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

// "4096", "64KiB", "16MiB", "1GiB".
[[nodiscard]] Result<std::size_t> parse_size(std::string_view text);

}  // namespace athanor
