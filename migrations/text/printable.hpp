// Makes foreign text safe for a terminal: it cannot move the cursor, change colours or reorder the text around it.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace athanor {

enum class LineEnds : std::uint8_t { Keep, Escape };

// Shows control characters (C1 too), characters that reorder text, and bytes that are not UTF-8 as \xNN or \uNNNN.
// LineEnds::Keep leaves newlines and tabs unchanged.
[[nodiscard]] std::string printable(std::string_view text, LineEnds line_ends = LineEnds::Keep);

}  // namespace athanor
