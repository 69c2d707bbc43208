// Reads times that other programs wrote, as RFC 3339 defines them. What Athanor itself writes is read by parse_iso8601().
//
// Threads and ownership: a pure function.
#pragma once

#include <optional>
#include <string_view>

#include "migrations/base/clock.hpp"

namespace athanor {

// Accepts fractions of a second after a dot or a comma, which are dropped, any offset, and "t" and "z". From the year 2262 on,
// which a WallTime cannot count to, the result is WallTime::max(). Empty for any other text.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace athanor
