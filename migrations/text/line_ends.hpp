// Normalises the line ends of text files.
//
// Threads: pure function.
#pragma once

#include <string>

namespace athanor {

// Replaces CRLF by LF; keeps a carriage return that is not followed by a line feed.
[[nodiscard]] std::string with_line_feeds(std::string text);

}  // namespace athanor
