// A command line as somebody would type it into a shell, taken apart into its words.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

// Splits as a POSIX shell would (quotes, backslashes), and does nothing else a shell does. Configuration on an open quote.
[[nodiscard]] Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace athanor
