// Foreign text made fit for a terminal: nothing in it can move the cursor, change colours or reorder what stands around it.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace athanor {

enum class LineEnds : std::uint8_t { Keep, Escape };

// Control characters (C1 too), marks that reorder text and bytes that are no UTF-8 are shown as \xNN or \uNNNN. LineEnds::Keep
// leaves newlines and tabs.
[[nodiscard]] std::string printable(std::string_view text, LineEnds line_ends = LineEnds::Keep);

}  // namespace athanor
