// Line ends of text files.
//
// Threads: pure function.
#pragma once

#include <string>

namespace athanor {

// CRLF turned into LF; a carriage return that stands alone stays.
[[nodiscard]] std::string with_line_feeds(std::string text);

}  // namespace athanor
