// Renders help text from a table of flags.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "migrations/options/flag_spec.hpp"

namespace athanor {

// Wraps `text` at 100 columns. The first line continues at `first_column`, the others are indented.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t first_column);
// Lists each flag with its letter, value and meaning.
[[nodiscard]] std::string flag_lines(std::span<const FlagSpec> flags);

}  // namespace athanor
