// What other programs and servers say, made fit for our own messages.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// One line without control characters, cut to 300 bytes, with whatever looks like a token hidden. Only the first 4 KiB are
// read.
[[nodiscard]] std::string fit_for_message(std::string_view text);

}  // namespace athanor
