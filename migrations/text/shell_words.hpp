// Splits a command line, as typed into a shell, into words.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

// Splits like a POSIX shell (quotes, backslashes), without any other shell feature. Error: Configuration for an unclosed quote.
[[nodiscard]] Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace athanor
