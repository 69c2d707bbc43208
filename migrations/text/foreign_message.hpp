// Makes messages of other programs and servers safe to include in our own.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// Returns one line without control characters, cut to 300 bytes, with anything that looks like a token hidden. Reads only the
// first 4 KiB.
[[nodiscard]] std::string fit_for_message(std::string_view text);

}  // namespace athanor
